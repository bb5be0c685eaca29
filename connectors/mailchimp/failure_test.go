package mailchimp_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
)

func problem(title, detail string) string {
	return fmt.Sprintf(`{"type":"x","title":%q,"status":0,"detail":%q,"instance":"x"}`, title, detail)
}

// TestPushFailures goes through what the vendor may answer to the write of a
// member, for one person alone.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault mailchimpsim.Fault
		want  string
		words string
	}{
		{"compliance", mailchimpsim.Fault{Status: 400, Body: problem("Member In Compliance State", "dana@example.com is in a compliance state due to unsubscribe, bounce, or compliance review.")}, "skipped opted_out", "compliance"},
		{"erased", mailchimpsim.Fault{Status: 400, Body: problem("Forgotten Email Not Subscribed", "dana@example.com was permanently deleted and cannot be re-imported.")}, "skipped opted_out", "permanently"},
		{"merge fields", mailchimpsim.Fault{Status: 400, Body: `{"title":"Invalid Resource","detail":"Your merge fields were invalid.","errors":[{"field":"SBSTAGE","message":"bad"},{"field":"","message":"worse"}]}`}, "permanent invalid", "Invalid Resource: Your merge fields were invalid. (SBSTAGE: bad; worse)"},
		{"400 as a page", mailchimpsim.Fault{Status: 400, Body: "<h1>Bad</h1>"}, "permanent invalid", ""},
		{"401", mailchimpsim.Fault{Status: 401, Body: problem("API Key Invalid", "Your API key may be invalid.")}, "error auth", "API Key Invalid"},
		{"403 with a reason", mailchimpsim.Fault{Status: 403, Body: problem("Forbidden", "The API key has been disabled.")}, "error forbidden", "disabled"},
		{"403 bare", mailchimpsim.Fault{Status: 403}, "error rate_limit", "throttles"},
		{"403 as a page", mailchimpsim.Fault{Status: 403, Body: "<html>Forbidden</html>"}, "error rate_limit", "throttles"},
		{"405", mailchimpsim.Fault{Status: 405, Body: problem("Method Not Allowed", "no")}, "permanent invalid", "no"},
		{"422", mailchimpsim.Fault{Status: 422, Body: problem("Unprocessable", "no")}, "permanent invalid", "no"},
		{"429", mailchimpsim.Fault{Status: 429}, "error rate_limit", ""},
		{"429 with a pause", mailchimpsim.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: problem("Too Many Requests", "slow down")}, "error rate_limit 7s", "slow down"},
		{"500", mailchimpsim.Fault{Status: 500, Body: problem("Internal Server Error", "oops")}, "retry server", "oops"},
		{"502", mailchimpsim.Fault{Status: 502, Body: "bad gateway"}, "retry server", "bad gateway"},
		{"200 that is no JSON", mailchimpsim.Fault{Status: 200, Body: "OK"}, "retry bad_answer", ""},
		{"200 that is empty", mailchimpsim.Fault{Status: 200}, "retry bad_answer", ""},
		{"reset", mailchimpsim.Fault{Reset: true}, "error connection", ""},
		{"silence", mailchimpsim.Fault{Silent: true}, "retry timeout", ""},
		{"redirect", mailchimpsim.Fault{Status: 302, Header: http.Header{"Location": {"http://192.0.2.1/x?token=1"}}}, "error redirect", "192.0.2.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, mailchimpsim.Options{})
			v.AddField("SBSTAGE", "text", false)
			cfg := config(v)
			if tt.fault.Silent {
				cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 2 * time.Second})
			}
			c := open(t, cfg)
			tt.fault.Method, tt.fault.Times = http.MethodPut, -1
			v.Fail(tt.fault)
			results, err := c.Push(t.Context(), []connectors.Update{person("dana@example.com", "Customer", []string{"x"}, nil)})
			got, words := "", ""
			var e *connectors.PushError
			switch {
			case errors.As(err, &e):
				got, words = "error "+string(e.Reason), e.Error()
				if e.RetryAfter > 0 {
					got += " " + e.RetryAfter.String()
				}
			case err != nil:
				t.Fatalf("%v is no PushError", err)
			default:
				got, words = connectortest.Outcome(results[0]), results[0].Message
			}
			if got != tt.want || !strings.Contains(words, tt.words) {
				t.Errorf("got %s (%s), want %s (%s)", got, words, tt.want, tt.words)
			}
			if strings.Contains(words, apiKey) {
				t.Error("the words hold the API key")
			}
		})
	}
}

// TestPushPartialFailure: one refused person holds nobody else.
func TestPushPartialFailure(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddMember("erased@example.com", "", nil)
	if err := v.Forget("erased@example.com"); err != nil {
		t.Fatal(err)
	}
	c := open(t, config(v))
	results := connectortest.Push(t, c, person("a@example.com", "Trial", []string{"x"}, nil), person("not an address", "Trial", []string{"x"}, nil),
		person("erased@example.com", "Trial", []string{"x"}, nil), person("b@example.com", "Trial", []string{"x"}, nil))
	for i, want := range []string{"ok", "permanent invalid", "skipped opted_out", "ok"} {
		if got := connectortest.Outcome(results[i]); got != want {
			t.Errorf("person %d: %s, want %s", i, got, want)
		}
	}
}

// TestPushStopsWhenTheVendorIsAway: one timeout must not become a hundred.
func TestPushStopsWhenTheVendorIsAway(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		then mailchimpsim.Fault
		most int // requests after the trouble began
		want string
	}{
		{"silence", mailchimpsim.Fault{Silent: true}, 10, "retry timeout"},
		{"throttled", mailchimpsim.Fault{Status: 429}, 10, "retry rate_limit"},
		{"broken", mailchimpsim.Fault{Status: 500}, 15, "retry server"},
		{"key revoked", mailchimpsim.Fault{Status: 401, Body: problem("API Key Invalid", "no")}, 10, "retry auth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, mailchimpsim.Options{})
			v.AddField("SBSTAGE", "text", false)
			cfg := config(v)
			if tt.then.Silent {
				cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 2 * time.Second})
			}
			c := open(t, cfg)
			var updates []connectors.Update
			for i := range 100 {
				updates = append(updates, person(fmt.Sprintf("p%d@example.com", i), "Trial", nil, nil))
			}
			// Somebody arrives before the trouble begins.
			connectortest.Push(t, c, updates[0])
			v.took()
			tt.then.Method, tt.then.Times = http.MethodPut, -1
			v.Fail(mailchimpsim.Fault{Method: http.MethodPut, Times: 20, Delay: time.Microsecond})
			v.Fail(tt.then)
			counted := map[string]int{}
			for _, r := range connectortest.Push(t, c, updates...) {
				counted[connectortest.Outcome(r)]++
			}
			if n := len(v.took()); n > 20+tt.most {
				t.Errorf("%d requests", n)
			}
			if counted["ok"] != 20 || counted[tt.want] == 0 || counted["retry not_attempted"] < 100-20-tt.most {
				t.Errorf("outcomes %v", counted)
			}
		})
	}
}

// TestPushTagFailures: the member is in order, the tags are not.
func TestPushTagFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault mailchimpsim.Fault
		want  string
		calls int // of the tags of one person, for three people
	}{
		{"bulk refused, singly taken", mailchimpsim.Fault{Path: "/segments/", Status: 400, Body: problem("Bad Request", "no")}, "ok", 3},
		{"tag has gone, singly taken", mailchimpsim.Fault{Path: "/segments/", Status: 404, Body: problem("Resource Not Found", "no")}, "ok", 3},
		{"tags not listed, singly taken", mailchimpsim.Fault{Path: "/segments", Status: 404, Body: problem("Resource Not Found", "no")}, "ok", 3},
		{"some addresses refused, singly taken", mailchimpsim.Fault{Path: "/segments/", Status: 200, Body: `{"members_added":[{"email_address":"b@example.com"},{"email_address":"C@example.com"}],"errors":[{"email_addresses":["A@example.com"],"error":"no"}]}`}, "ok", 1},
		{"nobody named, singly taken", mailchimpsim.Fault{Path: "/segments/", Status: 200, Body: `{"members_added":[]}`}, "ok", 3},
		{"bulk broken", mailchimpsim.Fault{Path: "/segments/", Status: 500}, "retry server", 0},
		{"tags not listed for now", mailchimpsim.Fault{Path: "/segments", Status: 429}, "retry rate_limit", 0},
		{"both refused", mailchimpsim.Fault{Method: http.MethodPost, Status: 400, Body: problem("Bad Request", "no")}, "permanent invalid", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, mailchimpsim.Options{})
			v.AddField("SBSTAGE", "text", false)
			c := open(t, config(v))
			tt.fault.Times = -1
			v.Fail(tt.fault)
			results := connectortest.Push(t, c, person("a@example.com", "Trial", []string{"x"}, nil), person("b@example.com", "Trial", []string{"x"}, nil), person("c@example.com", "Trial", []string{"x"}, nil))
			for i, r := range results {
				if connectortest.Outcome(r) != tt.want {
					t.Errorf("person %d: %+v, want %s", i, r, tt.want)
				}
			}
			calls := 0
			for _, r := range v.took() {
				if strings.Contains(r, "/tags ") {
					calls++
				}
			}
			if calls != tt.calls {
				t.Errorf("%d calls for one person's tags, want %d", calls, tt.calls)
			}
		})
	}
}

// TestPushPreparationFailure: nothing was sent, which is the error of the whole.
func TestPushPreparationFailure(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	c := open(t, config(v))
	v.Fail(mailchimpsim.Fault{Path: "/merge-fields", Times: 1, Status: 500})
	_, err := c.Push(t.Context(), []connectors.Update{person("a@example.com", "Trial", nil, nil)})
	var e *connectors.PushError
	if !errors.As(err, &e) || !e.Retryable || e.Reason != connectors.ReasonServer || !strings.HasPrefix(e.Act, "mailchimp: ") {
		t.Fatalf("push: %v", err)
	}
	// An audience that is not there, or takes no more fields, is nobody's own fault.
	for _, f := range []mailchimpsim.Fault{
		{Method: http.MethodGet, Path: "/merge-fields", Status: 404, Body: problem("Resource Not Found", "no")},
		{Method: http.MethodPost, Path: "/merge-fields", Status: 400, Body: problem("Merge Max Limit Exceeded", "no more")},
	} {
		v.Fail(f)
		_, err := c.Push(t.Context(), []connectors.Update{person("a@example.com", "Trial", nil, nil)})
		if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || e.Retryable {
			t.Errorf("%s %d: %v", f.Method, f.Status, err)
		}
	}
	// Another process makes the field between our reading and our making.
	v.Fail(mailchimpsim.Fault{Method: http.MethodGet, Path: "/merge-fields", Times: 1, Status: 200, Body: `{"merge_fields":[{"tag":"COMPANY","type":"text"}]}`})
	v.AddField("SBSTAGE", "text", false)
	if r := connectortest.Push(t, c, person("a@example.com", "Trial", nil, nil))[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("after a race: %+v", r)
	}
}
