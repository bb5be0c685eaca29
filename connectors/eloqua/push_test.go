package eloqua_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/standin"
)

// TestPushThroughToTheEnd: what was submitted is there when its syncs have ended.
func TestPushThroughToTheEnd(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := v.AddContact("dana@example.com", nil)
	v.AddList("sb:promoters")
	v.Slow(1)
	c := open(t, config(v))
	updates := []connectors.Update{person("Dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters", "dormant"}), person("new@example.com", "Lead", []string{"at_risk"}, nil)}
	results := connectortest.Push(t, c, updates...)
	for i, r := range results {
		if connectortest.Outcome(r) != "submitted" || r.Job == "" || (i == 0) != (r.VendorID == dana) {
			t.Errorf("person %d: %+v", i, r)
		}
		// The first answer of each sync is that it is under way.
		for range 3 {
			if ended, err := c.Poll(t.Context(), r.Job, updates[i:i+1]); err != nil || ended != nil && connectortest.Outcome(ended[0]) != "ok" {
				t.Errorf("poll: %+v, %v", ended, err)
			}
		}
		if ended, err := c.Poll(t.Context(), r.Job, updates[i:i+1]); err != nil || len(ended) != 1 || connectortest.Outcome(ended[0]) != "ok" {
			t.Errorf("poll at the end: %+v, %v", ended, err)
		}
	}
	held := v.Held()
	slices.SortFunc(held, func(a, b standin.Held) int { return strings.Compare(a.Person, b.Person) })
	if got := fmt.Sprint(held); got != "[{dana@example.com Customer [at_risk]} {new@example.com Lead [at_risk]}]" {
		t.Errorf("held %s", got)
	}
	// Nothing differs: nothing is sent.
	u := updates[0]
	u.VendorID, u.Known = dana, &u.Want
	v.took()
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" || len(v.took()) != 0 {
		t.Errorf("unchanged: %+v", r)
	}
}

// TestPushWithoutCreating: neither people nor fields nor lists.
func TestPushWithoutCreating(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddContact("dana@example.com", nil)
	v.AddContact("lee@example.com", nil)
	cfg := config(v)
	cfg.Settings["create_fields"], cfg.Push.Create = "false", false
	results := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Lead", nil, nil), person("gone@example.com", "Lead", nil, nil),
		person("lee@example.com", "", []string{"at_risk"}, []string{"dormant"}), person("not an address", "Lead", nil, nil))
	for i, want := range []string{"permanent settings", "skipped not_in_vendor", "permanent settings", "permanent invalid"} {
		if connectortest.Outcome(results[i]) != want {
			t.Errorf("person %d: %+v, want %s", i, results[i], want)
		}
	}
	if v.Writes() != 0 {
		t.Errorf("%d writes", v.Writes())
	}
}

// TestPollGone: a number that Eloqua no longer knows is found, or made, under
// the address; nobody is lost for it.
func TestPollGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		create bool
		again  bool // a contact with the address is there
		want   string
	}{
		{"merged", false, true, "retry server"},
		{"deleted, may be made", true, false, "retry server"},
		{"deleted", false, false, "skipped not_in_vendor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			cfg := config(v)
			cfg.Push.Create = tt.create
			u := person("dana@example.com", "Customer", nil, nil)
			u.VendorID = v.AddContact("old@example.com", nil)
			v.Forget(u.VendorID)
			other := person("lee@example.com", "Lead", nil, nil)
			other.VendorID = v.AddContact("lee@example.com", nil)
			if tt.again {
				v.AddContact("dana@example.com", nil)
			}
			c := open(t, cfg)
			results := followed(t, c, u, other)
			if connectortest.Outcome(results[0]) != tt.want || connectortest.Outcome(results[1]) != "ok" {
				t.Fatalf("results %+v", results)
			}
			if !strings.HasPrefix(tt.want, "retry") {
				return
			}
			u.VendorID = results[0].VendorID
			if r := followed(t, c, u)[0]; connectortest.Outcome(r) != "ok" {
				t.Errorf("sent once more: %+v", r)
			}
		})
	}
}

// TestPollUnmatched: where the log only counts, each contact is looked up.
func TestPollUnmatched(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Push.Create = false
	c := open(t, cfg)
	people := []connectors.Update{{Email: "dana@example.com", VendorID: v.AddContact("dana@example.com", nil)}, {Email: "gone@example.com", VendorID: "7"}, {Email: "new@example.com"}}
	v.fail = func(w http.ResponseWriter, r *http.Request) bool {
		body, mine := map[string]string{
			"/api/bulk/2.0/syncs/77":      `{"status":"success"}`,
			"/api/bulk/2.0/syncs/77/logs": `{"items":[{"severity":"information","statusCode":"ELQ-00034","message":"Total unmatched records.","count":1}]}`,
		}[r.URL.Path]
		if mine {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		}
		return mine
	}
	ended, err := c.Poll(t.Context(), "77", people)
	if err != nil || connectortest.Outcome(ended[0]) != "ok" || connectortest.Outcome(ended[1]) != "skipped not_in_vendor" || connectortest.Outcome(ended[2]) != "ok" {
		t.Errorf("%+v, %v", ended, err)
	}
}

// TestPushOneContactTwice: two people who are one contact are not in one import.
func TestPushOneContactTwice(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	id := v.AddContact("dana@example.com", nil)
	known := person("old@example.com", "Lead", nil, nil)
	known.VendorID = id
	results := connectortest.Push(t, open(t, config(v)), person("dana@example.com", "Customer", nil, nil), known, person("new@example.com", "Lead", nil, nil), person("New@example.com", "Lead", nil, nil))
	for i, want := range []string{"submitted", "retry not_attempted", "submitted", "retry not_attempted"} {
		if connectortest.Outcome(results[i]) != want {
			t.Errorf("person %d: %+v, want %s", i, results[i], want)
		}
	}
}

// TestPollRefusals: who is meant is told by the record; the others went through.
func TestPollRefusals(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	people := []connectors.Update{{Email: "a@example.com", VendorID: "5"}, {Email: "b@example.com"}, {Email: "c@example.com", VendorID: "7"}}
	v.failing(http.MethodGet, "/syncs/77", -1, 200, `{"uri":"/syncs/77","status":"warning"}`)
	results := func(rejects string) []string {
		t.Helper()
		inner := v.fail
		v.fail = func(w http.ResponseWriter, r *http.Request) bool {
			body, mine := map[string]string{"/api/bulk/2.0/syncs/77/rejects": rejects, "/api/bulk/2.0/syncs/77/logs": `{"items":[]}`}[r.URL.Path]
			if mine {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, body)
				return true
			}
			return inner(w, r)
		}
		ended, err := c.Poll(t.Context(), "77", people)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, r := range ended {
			all = append(all, connectortest.Outcome(r))
		}
		v.fail = inner
		return all
	}
	for _, tt := range []struct {
		rejects string
		want    []string
	}{
		{`{"items":[]}`, []string{"ok", "ok", "ok"}},
		{`{"items":[{"statusCode":"ELQ-00061","message":"Rejected records (missing fields).","invalidFields":["field1"],"fieldValues":{"contactId":"5"}}]}`, []string{"permanent invalid", "ok", "ok"}},
		{`{"items":[{"statusCode":"ELQ-00002","message":"Invalid email addresses.","fieldValues":{"Email":"B@example.com"}}]}`, []string{"ok", "permanent invalid", "ok"}},
		{`{"items":[{"statusCode":"ELQ-00133","message":"Locked","fieldValues":{"contactId":7}}]}`, []string{"ok", "ok", "retry server"}},
		{`{"items":[{"statusCode":"ELQ-00026","message":"Duplicate identifier.","fieldValues":{"contactId":"999"}}]}`, []string{"ok", "ok", "ok"}},
		{`{"items":[{"statusCode":"ELQ-00032","message":"Malformed records."}]}`, []string{"unconfirmed", "unconfirmed", "unconfirmed"}},
	} {
		if got := results(tt.rejects); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.rejects, got, tt.want)
		}
	}
}

// TestPollErrors: a sync that ended in error, or is forgotten.
func TestPollErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, sync, logs string
		status           int
		want             string
		delay            time.Duration
		words            string
	}{
		{"for good", `{"status":"error"}`, `{"items":[{"severity":"information","statusCode":"ELQ-00001","message":"Total records processed."},{"severity":"error","statusCode":"ELQ-00121","message":"Field does not exist."}]}`, 200, "permanent invalid", 0, "ELQ-00121 Field does not exist."},
		{"for now", `{"status":"error"}`, `{"items":[{"severity":"warning","statusCode":"ELQ-00146","message":"Try again later."}]}`, 200, "retry server", time.Hour, "ELQ-00146"},
		{"locked", `{"status":"error"}`, `{"items":[{"severity":"error","statusCode":"ELQ-00133","message":"Locked."}]}`, 200, "retry server", 5 * time.Minute, "Locked"},
		{"without a word", `{"status":"error"}`, `{"items":[]}`, 200, "permanent invalid", 0, "ended in error"},
		{"forgotten", "", "", 404, "retry server", 0, "no longer knows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.fail = func(w http.ResponseWriter, r *http.Request) bool {
				body, mine := map[string]string{"/api/bulk/2.0/syncs/77": tt.sync, "/api/bulk/2.0/syncs/77/logs": tt.logs}[r.URL.Path]
				if !mine {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, body)
				return true
			}
			ended, err := open(t, config(v)).Poll(t.Context(), "77", []connectors.Update{{Email: "a@example.com"}})
			if err != nil || len(ended) != 1 || connectortest.Outcome(ended[0]) != tt.want || ended[0].Delay != tt.delay || !strings.Contains(ended[0].Message, tt.words) {
				t.Errorf("%+v, %v; want %s", ended, err, tt.want)
			}
		})
	}
	v := newVendor(t)
	c := open(t, config(v))
	if _, err := c.Poll(t.Context(), "77,x", nil); err == nil {
		t.Error("a job that is none was followed")
	}
	v.failing(http.MethodGet, "/syncs/77", -1, 503, "")
	_, err := c.Poll(t.Context(), "77", []connectors.Update{{Email: "a@example.com"}})
	var e *connectors.PushError
	if !errors.As(err, &e) || !e.Retryable {
		t.Errorf("while Eloqua is away: %v", err)
	}
}

// TestPushFailures goes through what the parts of a push may answer.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, path string
		status             int
		body, want         string
	}{
		{"search refused", http.MethodGet, "/data/contacts", 400, `[{"type":"ObjectValidationError","property":"search","requirement":{"type":"X"}}]`, "permanent invalid ObjectValidationError: search: X"},
		{"search throttled", http.MethodGet, "/data/contacts", 429, "", "error rate_limit"},
		{"fields not listed", http.MethodGet, "/contacts/fields", 403, "", "error forbidden"},
		{"field not made", http.MethodPost, "/contact/field", 400, `[{"type":"ObjectValidationError","property":"name"}]`, "error settings"},
		{"definition refused", http.MethodPost, "/contacts/imports", 400, `{"failures":[{"field":"fields","constraint":"Must be known"}]}`, "error settings"},
		{"definition without an address", http.MethodPost, "/contacts/imports", 201, `{"uri":"https://elsewhere.example.com/1"}`, "error bad_answer"},
		{"data refused", http.MethodPost, "/data", 400, `{"failures":[{"field":"data","constraint":"Too odd"}]}`, "permanent invalid data: Too odd"},
		{"data too large", http.MethodPost, "/data", 413, "", "permanent too_large"},
		{"sync not started", http.MethodPost, "/syncs", 503, "", "error server"},
		{"sync without an address", http.MethodPost, "/syncs", 201, `{}`, "error bad_answer"},
		{"lists not found", http.MethodGet, "/contacts/lists", 500, "", "retry server"},
		{"list not made", http.MethodPost, "/contact/list", 400, `{"type":"ObjectValidationError","property":"name","requirement":{"type":"UniqueNameRequirement"}}`, "permanent settings"},
		{"list with an odd number", http.MethodPost, "/contact/list", 201, `{"id":"x/../1"}`, "retry bad_answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.failing(tt.method, tt.path, -1, tt.status, tt.body)
			results, err := open(t, config(v)).Push(t.Context(), []connectors.Update{person("dana@example.com", "Lead", []string{"x"}, nil)})
			got := ""
			var e *connectors.PushError
			switch {
			case errors.As(err, &e):
				got = "error " + string(e.Reason)
			default:
				got = connectortest.Outcome(results[0]) + " " + results[0].Message
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestSignIn: by password, by token, after the instance has moved, and with
// credentials that are wrong.
func TestSignIn(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	if words, err := open(t, cfg).Check(t.Context()); err != nil || words != "Eloqua takes the credentials of Stage Bridge at ExampleCompany" {
		t.Errorf("basic: %q, %v", words, err)
	}
	cfg.Settings["auth"] = "oauth"
	c := open(t, cfg)
	if _, err := c.Check(t.Context()); err != nil {
		t.Errorf("oauth: %v", err)
	}
	v.ExpireToken()
	v.took()
	if _, err := c.Check(t.Context()); err != nil {
		t.Errorf("with a token that ran out: %v", err)
	}
	if got := v.took(); len(got) != 4 {
		t.Errorf("a new token took %d requests: %v", len(got), got)
	}
	v.failing(http.MethodGet, "/user/current", 1, 401, "")
	if _, err := c.Check(t.Context()); err != nil {
		t.Errorf("after the instance moved: %v", err)
	}
	v.failing(http.MethodGet, "/user/current", -1, 401, "")
	v.took()
	_, err := c.Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth || len(v.took()) > 4 {
		t.Errorf("refused again: %v", err)
	}
	for name, body := range map[string]string{"not authenticated": `"Not authenticated."`, "no pod": `{"urls":{}}`, "no JSON": "<html>"} {
		v.failing(http.MethodGet, "/id", -1, 200, body)
		if _, err := open(t, cfg).Check(t.Context()); !errors.As(err, &e) || (e.Reason == connectors.ReasonAuth) != (name == "not authenticated") {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg.Push.Enabled = false
	delete(cfg.Secrets, "password")
	if _, err := open(t, cfg).Check(t.Context()); !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("without a password: %v", err)
	}
}
