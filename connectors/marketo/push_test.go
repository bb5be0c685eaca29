package marketo_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestPushCreatesFieldsOnce: what is missing is made on first use, then known.
func TestPushCreatesFieldsOnce(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	connectortest.Push(t, c, person("dana@example.com", "Lead", []string{"new"}, nil))
	want := []string{
		"GET /rest/v1/leads/describe2.json",
		`POST /rest/v1/leads/schema/fields.json {"input":[{"displayName":"Stagebridge segments","name":"sb_segments","dataType":"string"},{"displayName":"Stagebridge stage","name":"sb_stage","dataType":"string"}]}`,
		`POST /rest/v1/leads.json {"action":"createOrUpdate","lookupField":"email","input":[{"email":"dana@example.com","sb_segments":";new;","sb_stage":"Lead"}]}`,
	}
	if diff := cmp.Diff(want, v.took()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	connectortest.Push(t, c, person("dana@example.com", "Customer", []string{"new"}, nil))
	if got := v.took(); len(got) != 1 {
		t.Errorf("the second push made %d requests: %v", len(got), got)
	}
}

// TestPushWithoutCreating: neither people nor fields.
func TestPushWithoutCreating(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Settings["create_fields"], cfg.Push.Create = "false", false
	r := connectortest.Push(t, open(t, cfg), person("dana@example.com", "Lead", nil, nil))[0]
	if connectortest.Outcome(r) != "permanent settings" || !strings.Contains(r.Message, "sb_stage") {
		t.Errorf("without the field: %+v", r)
	}
	v.AddField("sb_stage", "string")
	r = connectortest.Push(t, open(t, cfg), person("dana@example.com", "Lead", nil, nil))[0]
	if connectortest.Outcome(r) != "skipped not_in_vendor" || v.Writes() != 1 {
		t.Errorf("without the person: %+v", r)
	}
}

// TestPushFollowsPeople: by number, then by address when the number is gone.
func TestPushFollowsPeople(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage", "string")
	id := v.AddPerson("dana@example.com", nil)
	twice := v.AddPerson("shared@example.com", nil)
	v.AddPerson("Shared@example.com", nil)
	c := open(t, config(v))
	known := connectors.State{Stage: "Lead"}
	moved, gone, away := person("new.address@example.com", "Customer", nil, nil), person("dana@example.com", "Customer", nil, nil), person("", "Customer", nil, nil)
	moved.VendorID, gone.VendorID, away.VendorID = fmt.Sprint(id), "7", "8"
	moved.Known, gone.Known, away.Known = &known, &known, &known
	results := connectortest.Push(t, c, moved, gone, away, person("shared@example.com", "Advocate", nil, nil), person("dänä@example.com", "Lead", nil, nil))
	for i, want := range []string{"ok", "ok", "skipped not_in_vendor", "ok", "permanent invalid"} {
		if connectortest.Outcome(results[i]) != want {
			t.Errorf("person %d: %+v, want %s", i, results[i], want)
		}
	}
	if results[0].VendorID != fmt.Sprint(id) || results[1].VendorID != fmt.Sprint(id) || results[3].VendorID != fmt.Sprint(twice) {
		t.Errorf("numbers are %q, %q, %q", results[0].VendorID, results[1].VendorID, results[3].VendorID)
	}
	if p := v.Person(id); p["email"] != "dana@example.com" || p["sb_stage"] != "Customer" {
		t.Errorf("the person is %v", p)
	}
	if v.Person(twice + 1)["sb_stage"] != nil {
		t.Error("the other person of the shared address was written")
	}
}

// TestPushMakesAgain: somebody who was known and is new gets everything.
func TestPushMakesAgain(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	u := person("dana@example.com", "Customer", []string{"at_risk"}, nil)
	u.Known = &connectors.State{Stage: "Lead", Segments: []string{"at_risk"}}
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("result %+v", r)
	}
	held := v.Held()
	if len(held) != 1 || held[0].Stage != "Customer" || !slices.Equal(held[0].Segments, []string{"at_risk"}) {
		t.Errorf("held %+v", held)
	}
}

// TestPushNamesNobodyTwice: two people of one address go out in two calls.
func TestPushNamesNobodyTwice(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage", "string")
	results := connectortest.Push(t, open(t, config(v)), person("a@example.com", "Lead", nil, nil), person("A@example.com", "Customer", nil, nil), person("b@example.com", "Lead", nil, nil))
	if results[0].VendorID != results[1].VendorID || results[0].VendorID == results[2].VendorID {
		t.Errorf("results %+v", results)
	}
	if got := v.took(); len(got) != 3 {
		t.Errorf("%d requests: %v", len(got), got)
	}
}

// TestPushLists: only lists of the managed set, made where a folder is known.
func TestPushLists(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage", "string")
	v.AddList("sb:promoters")
	id := v.AddPerson("dana@example.com", nil)
	cfg := config(v)
	cfg.Settings["segments_as"], cfg.Push.Create = "lists", false
	u := person("dana@example.com", "", []string{"at_risk"}, []string{"promoters", "dormant"})
	if r := connectortest.Push(t, open(t, cfg), u, person("gone@example.com", "", []string{"at_risk"}, nil)); connectortest.Outcome(r[0]) != "permanent settings" || connectortest.Outcome(r[1]) != "skipped not_in_vendor" {
		t.Errorf("without a folder: %+v", r)
	}
	cfg.Settings["list_folder"] = "1034"
	c := open(t, cfg)
	v.took()
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" || r.VendorID != fmt.Sprint(id) {
		t.Errorf("result %+v", r)
	}
	want := []string{
		"GET /rest/v1/leads.json?fields=id%2Cemail&filterType=email&filterValues=dana%40example.com",
		"GET /rest/v1/lists.json?name=sb%3Aat_risk",
		"POST /rest/asset/v1/staticLists.json folder=%7B%22id%22%3A1034%2C%22type%22%3A%22Folder%22%7D&name=sb%3Aat_risk",
		fmt.Sprintf("POST /rest/v1/lists/1001/leads.json?id=%d", id),
		"GET /rest/v1/lists.json?name=sb%3Adormant",
		"GET /rest/v1/lists.json?name=sb%3Apromoters",
		fmt.Sprintf("DELETE /rest/v1/lists/1000/leads.json?id=%d", id),
	}
	if diff := cmp.Diff(want, v.took()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "ok" || slices.ContainsFunc(v.took(), func(r string) bool { return strings.Contains(r, "lists.json") }) {
		t.Errorf("lists were asked for again: %+v", r)
	}
	v.failing(http.MethodPost, "/lists/1001/leads.json", 2, 200, fmt.Sprintf(`{"success":true,"result":[{"id":%d,"status":"skipped","reasons":[{"code":"1004","message":"Lead not found"}]}]}`, id))
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "retry not_found" {
		t.Errorf("a number that has just gone: %+v", r)
	}
	v.failing(http.MethodPost, "/lists/1001/leads.json", 1, 200, `{"success":true,"result":[]}`)
	if r := connectortest.Push(t, c, u)[0]; connectortest.Outcome(r) != "retry bad_answer" {
		t.Errorf("an answer that tells of nobody: %+v", r)
	}
}

// TestPushListsOfSomebodyGone: whoever was merged or deleted is met under the
// address, and put on all lists anew.
func TestPushListsOfSomebodyGone(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage", "string")
	v.AddList("sb:at_risk")
	v.AddList("sb:vip")
	id := v.AddPerson("dana@example.com", nil)
	cfg := config(v)
	cfg.Settings["segments_as"], cfg.Push.Create = "lists", false
	u := person("dana@example.com", "Customer", []string{"at_risk", "vip"}, nil)
	u.VendorID, u.Known = "999999", &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}}
	nobody := person("gone@example.com", "Customer", []string{"vip"}, nil)
	nobody.VendorID, nobody.Known = "999998", &connectors.State{Stage: "Customer"}
	r := connectortest.Push(t, open(t, cfg), u, nobody)
	if connectortest.Outcome(r[0]) != "ok" || r[0].VendorID != fmt.Sprint(id) || connectortest.Outcome(r[1]) != "skipped not_in_vendor" {
		t.Fatalf("results %+v", r)
	}
	held := v.Held()
	if len(held) != 1 || held[0].Stage != "Customer" || !slices.Equal(held[0].Segments, []string{"at_risk", "vip"}) {
		t.Errorf("held %+v", held)
	}
}

// TestPushTooManySegments: cut, the field would say something else.
func TestPushTooManySegments(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("segment_%02d", i))
	}
	c := open(t, config(v))
	results := connectortest.Push(t, c, person("a@example.com", "Lead", many, nil), person("b@example.com", "Lead", many[:10], nil))
	if connectortest.Outcome(results[0]) != "permanent too_large" || connectortest.Outcome(results[1]) != "ok" {
		t.Errorf("results %+v", results)
	}
	long := person("b@example.com", strings.Repeat("ä", 300), nil, nil)
	if r := connectortest.Push(t, c, long)[0]; connectortest.Outcome(r) != "ok" {
		t.Errorf("a long text is cut, the result is %+v", r)
	}
}

// TestPushErrorCodes goes through the failures that come with status 200.
func TestPushErrorCodes(t *testing.T) {
	t.Parallel()
	midnight := 20*time.Hour + 55*time.Minute // 09:05 UTC is 03:05 in Chicago
	for _, tt := range []struct {
		code, want string
		delay      time.Duration
	}{
		{"502", "retry server", 0}, {"600", "permanent auth", 0}, {"601", "permanent auth", 0}, {"602", "permanent auth", 0},
		{"603", "permanent forbidden", 0}, {"604", "retry server", 0}, {"605", "permanent invalid", 0}, {"606", "retry rate_limit", 20 * time.Second},
		{"607", "retry rate_limit", midnight}, {"608", "retry server", 0}, {"609", "permanent invalid", 0}, {"610", "permanent not_found", 0},
		{"611", "retry server", 0}, {"612", "permanent invalid", 0}, {"614", "retry server", 0}, {"615", "retry rate_limit", 5 * time.Second},
		{"713", "retry server", 0}, {"1006", "permanent settings", 0}, {"1008", "permanent forbidden", 0}, {"1021", "permanent invalid", 0}, {"9999", "permanent invalid", 0},
	} {
		t.Run(tt.code, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t)
			v.AddField("sb_stage", "string")
			v.failing(http.MethodPost, "/rest/v1/leads.json", -1, 200, coded(tt.code, "as the vendor says"))
			results, err := open(t, config(v)).Push(t.Context(), []connectors.Update{person("dana@example.com", "Lead", nil, nil)})
			var e *connectors.PushError
			if errors.As(err, &e) {
				results = []connectors.Result{e.Result()}
			}
			if len(results) != 1 || connectortest.Outcome(results[0]) != tt.want || results[0].Delay != tt.delay || !strings.Contains(results[0].Message, "as the vendor says") {
				t.Errorf("%+v, %v; want %s after %v", results, err, tt.want, tt.delay)
			}
		})
	}
}

// TestPushRecordReasons: what one record is refused for holds nobody else.
func TestPushRecordReasons(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage", "string")
	c := open(t, config(v))
	people := []connectors.Update{person("a@example.com", "Lead", nil, nil), person("b@example.com", "Lead", nil, nil), person("c@example.com", "Lead", nil, nil)}
	v.failing(http.MethodPost, "/rest/v1/leads.json", 1, 200, `{"success":true,"result":[{"id":5,"status":"updated"},{"status":"skipped","reasons":[{"code":"1001","message":"Invalid value for field"}]},{"status":"skipped"}]}`)
	results := connectortest.Push(t, c, people...)
	for i, want := range []string{"ok", "permanent invalid", "permanent invalid"} {
		if connectortest.Outcome(results[i]) != want {
			t.Errorf("person %d: %+v, want %s", i, results[i], want)
		}
	}
	v.failing(http.MethodPost, "/rest/v1/leads.json", 1, 200, `{"success":true,"result":[{"id":5,"status":"updated"}]}`)
	_, err := c.Push(t.Context(), people)
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonBadAnswer || !e.Retryable {
		t.Errorf("an answer that is too short: %v", err)
	}
}

// TestPushRenewsToken: a token that has run out is replaced once.
func TestPushRenewsToken(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	connectortest.Push(t, c, person("dana@example.com", "Lead", nil, nil))
	v.ExpireToken()
	v.took()
	if r := connectortest.Push(t, c, person("dana@example.com", "Customer", nil, nil))[0]; connectortest.Outcome(r) != "ok" || len(v.took()) != 2 {
		t.Errorf("after the token ran out: %+v", r)
	}
	v.failing(http.MethodGet, "/identity/oauth/token", -1, 200, `{"access_token":"token-9:ab","expires_in":0}`)
	v.ExpireToken()
	_, err := c.Push(t.Context(), []connectors.Update{person("dana@example.com", "Advocate", nil, nil)})
	var e *connectors.PushError
	if !errors.As(err, &e) || !e.Retryable || e.RetryAfter == 0 {
		t.Errorf("a token in its last second: %v", err)
	}
}

// TestPushStopsWhenTheVendorIsAway: who was not reached is told apart.
func TestPushStopsWhenTheVendorIsAway(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage", "string")
	cfg := config(v)
	cfg.Settings["segments_as"] = "lists"
	v.AddList("sb:x")
	v.failing(http.MethodPost, "/lists/", -1, 200, coded("606", "Max rate limit exceeded"))
	results := connectortest.Push(t, open(t, cfg), person("a@example.com", "Lead", []string{"x"}, nil), person("b@example.com", "Lead", []string{"y"}, nil), person("c@example.com", "Lead", nil, nil))
	for i, want := range []string{"retry rate_limit", "retry not_attempted", "ok"} {
		if connectortest.Outcome(results[i]) != want {
			t.Errorf("person %d: %+v, want %s", i, results[i], want)
		}
	}
}
