package pardot_test

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
	"github.com/stagebridge/stagebridge/connectors/pardot/pardotsim"
)

func id(n int64) string { return fmt.Sprint(n) }

func TestPushCreatesFieldsOnce(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	u := person(1, "dana@example.com", "Customer")
	u.Want.Segments = []string{"at_risk", "vip"}
	got := connectortest.Push(t, c, u)[0]
	if connectortest.Outcome(got) != "ok" || got.VendorID == "" {
		t.Fatalf("got %+v", got)
	}
	want := []string{"POST /services/oauth2/token", "GET /custom-fields", "POST /custom-fields", "POST /custom-fields", "POST /prospects/do/upsertLatestByEmail"}
	if diff := cmp.Diff(want, v.took()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if h := v.Held(); len(h) != 1 || h[0].Stage != "Customer" || !slices.Equal(h[0].Segments, []string{"at_risk", "vip"}) {
		t.Errorf("held %+v", h)
	}
	u.VendorID, u.Want.Stage = got.VendorID, "Churned"
	u.Known = &connectors.State{Stage: "Customer", Segments: u.Want.Segments}
	connectortest.Push(t, c, u)
	if diff := cmp.Diff([]string{"PATCH /prospects/" + got.VendorID}, v.took()); diff != "" {
		t.Errorf("requests of the second push (-want +got):\n%s", diff)
	}

	strict, w := start(t, func(cfg *connectors.Config) { cfg.Settings["create_fields"] = "false" })
	_, err := strict.Push(t.Context(), []connectors.Update{u})
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "SB_Stage") {
		t.Errorf("error %v", err)
	}
	w.AddField("SB_Stage")
	w.AddProspect("dana@example.com", nil)
	u.VendorID = ""
	if got := connectortest.Push(t, strict, u)[0]; connectortest.Outcome(got) != "ok" {
		t.Errorf("once the field was there: %+v", got)
	}
}

func TestPushFindsTheProspect(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Create = false })
	v.AddField("SB_Stage")
	old := v.AddProspect("dana@example.com", nil)
	latest := v.AddProspect("Dana@example.com", nil)
	gone := v.AddProspect("lee@example.com", nil)
	v.Remove(gone)
	lee := v.AddProspect("lee@example.com", nil)
	lost := person(2, "lee@example.com", "Lead")
	lost.VendorID = id(gone)
	nobody := person(3, "nobody@example.com", "Lead")
	anonymous := connectors.Update{ID: "u", Want: connectors.State{Stage: "Lead"}}
	bare := person(4, "", "Lead")
	bare.VendorID = id(gone)
	got := connectortest.Push(t, c, person(1, "dana@example.com", "Customer"), lost, nobody, anonymous, bare)
	for i, want := range []string{"ok", "ok", "skipped not_in_vendor", "skipped no_identity", "skipped not_in_vendor"} {
		if connectortest.Outcome(got[i]) != want {
			t.Errorf("result %d = %+v, want %s", i, got[i], want)
		}
	}
	if got[0].VendorID != id(latest) || got[1].VendorID != id(lee) || v.Get(old)["SB_Stage__c"] != nil || v.Get(lee)["SB_Stage__c"] != "Lead" {
		t.Errorf("held %+v", v.Held())
	}
}

func TestPushLists(t *testing.T) {
	t.Parallel()
	c, v := start(t, lists)
	v.AddField("SB_Stage")
	other := v.AddList("Newsletter", false)
	promoters := v.AddList("sb:promoters", false)
	dana := v.AddProspect("dana@example.com", nil)
	v.AddMember(other, dana, false)
	v.AddMember(promoters, dana, false)
	u := person(1, "dana@example.com", "Customer")
	u.Want.Segments, u.Want.Absent = []string{"at_risk"}, []string{"promoters", "vip"}
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "ok" {
		t.Fatalf("got %+v", got)
	}
	if diff := cmp.Diff([]string{"Newsletter", "sb:at_risk"}, v.Lists(dana)); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
	// The same again: members twice would be refused.
	v.took()
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "ok" {
		t.Errorf("again: %+v", got)
	}
	if took := v.took(); slices.ContainsFunc(took, func(r string) bool { return strings.HasPrefix(r, "POST /list") || strings.HasPrefix(r, "DELETE") }) {
		t.Errorf("requests %v", took)
	}
	// Only what differs, by id.
	u.VendorID, u.Known = id(dana), &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"vip"}}
	u.Want.Absent = []string{"at_risk", "vip"}
	u.Want.Segments = nil
	v.took()
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "ok" || len(v.Lists(dana)) != 1 {
		t.Errorf("leaving: %+v, %v", got, v.Lists(dana))
	}
	if took := v.took(); len(took) != 2 {
		t.Errorf("requests %v", took)
	}
}

// Whoever opted out of a list stays on it: taken off and added again they
// would be opted in.
func TestPushLeavesAnOptOutAlone(t *testing.T) {
	t.Parallel()
	c, v := start(t, lists)
	v.AddField("SB_Stage")
	dana := v.AddProspect("dana@example.com", nil)
	v.AddMember(v.AddList("sb:vip", false), dana, true)
	u := person(1, "dana@example.com", "Customer")
	u.Want.Absent = []string{"vip"}
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "skipped opted_out" || len(v.Lists(dana)) != 1 {
		t.Errorf("got %+v, lists %v", got, v.Lists(dana))
	}
}

func TestPushRefusesADynamicList(t *testing.T) {
	t.Parallel()
	c, v := start(t, lists)
	v.AddList("sb:vip", true)
	v.AddProspect("dana@example.com", nil)
	u := person(1, "dana@example.com", "")
	u.Want.Segments = []string{"vip"}
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "permanent settings" {
		t.Errorf("got %+v", got)
	}
	strict, w := start(t, func(cfg *connectors.Config) { lists(cfg); cfg.Settings["create_fields"] = "false" })
	w.AddProspect("dana@example.com", nil)
	if got := connectortest.Push(t, strict, u)[0]; connectortest.Outcome(got) != "permanent settings" {
		t.Errorf("without create_fields: %+v", got)
	}
}

// The API tells by its own codes what its status does not.
func TestPushCodes(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name   string
		status int
		body   string
		want   string
		delay  time.Duration
	}{
		{"daily limit", 403, `{"code":122,"message":"Your account has exceeded its daily API limit"}`, "retry rate_limit", time.Hour},
		{"five at once", 403, `{"code":66,"message":"Too many concurrent API requests"}`, "retry rate_limit", 5 * time.Second},
		{"busy", 400, `{"code":214,"message":"try again"}`, "retry server", 0},
		{"in use", 405, `{"code":108,"message":"in use"}`, "permanent conflict", 0},
		{"content", 400, `{"code":61,"message":"Invalid input"}`, "permanent invalid", 0},
		{"away", 502, `<html>Bad Gateway</html>`, "retry server", 0},
		{"old form", 400, `<?xml version="1.0"?><rsp stat="fail" version="1.0"><err code="122">Daily API rate limit met</err></rsp>`, "retry rate_limit", time.Hour},
		{"ability", 403, `{"code":89,"message":"You do not have the ability"}`, "permanent forbidden", 0},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, nil)
			v.AddField("SB_Stage")
			v.answer(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "upsertLatestByEmail") {
					return false
				}
				reply(w, f.status, f.body)
				return true
			})
			results, err := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Customer")})
			var e *connectors.PushError
			if errors.As(err, &e) {
				results = []connectors.Result{e.Result()}
			}
			if connectortest.Outcome(results[0]) != f.want || results[0].Delay != f.delay {
				t.Errorf("got %+v, want %s after %v", results[0], f.want, f.delay)
			}
		})
	}
}

// A token that was refused is fetched anew, once for everybody.
func TestPushRenewsTheToken(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.AddField("SB_Stage")
	var all []connectors.Update
	for i := range 20 {
		all = append(all, person(int64(i+1), fmt.Sprintf("p%d@example.com", i), "Lead"))
	}
	connectortest.Push(t, c, all...)
	v.Expire()
	for i, r := range connectortest.Push(t, c, all...) {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if v.Issued() != 2 {
		t.Errorf("%d tokens, want 2", v.Issued())
	}
	if v.Most() > 5 {
		t.Errorf("%d requests at once", v.Most())
	}
}

// A write that may not be read back is not made again.
func TestPushUnseen(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"no content": http.StatusNoContent, "no id": http.StatusOK} {
		c, v := start(t, nil)
		v.AddField("SB_Stage")
		v.answer(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "upsertLatestByEmail") {
				return false
			}
			if status == http.StatusNoContent {
				w.WriteHeader(status)
			} else {
				reply(w, status, `{"email":"dana@example.com"}`)
			}
			return true
		})
		if got := connectortest.Push(t, c, person(1, "dana@example.com", "Lead"))[0]; got.Outcome != connectors.Unconfirmed {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPushTellsARefusedStage(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.AddField("SB_Stage")
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "upsertLatestByEmail") {
			reply(w, http.StatusOK, `{"id":565722,"email":"dana@example.com","SB_Stage__c":"Other"}`)
			return true
		}
		return false
	})
	if got := connectortest.Push(t, c, person(1, "dana@example.com", "Lead"))[0]; connectortest.Outcome(got) != "permanent stage_refused" || got.VendorID != "565722" {
		t.Errorf("got %+v", got)
	}
}

// One refusal is about one person; the others go on.
func TestPushPartial(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	v.AddField("SB_Stage")
	v.Refuse("lee@example.com", pardotsim.Refusal{Status: 503, Message: "away"})
	got := connectortest.Push(t, c, person(1, "dana@example.com", "Lead"), person(2, "lee@example.com", "Lead"), person(3, "ann@example.com", "Lead"))
	if connectortest.Outcome(got[0]) != "ok" || connectortest.Outcome(got[1]) != "retry server" || connectortest.Outcome(got[2]) != "ok" {
		t.Errorf("got %+v", got)
	}
}

// A prospect that is gone cannot be put on a list; the one with the address can.
func TestPushListsOfAProspectThatIsGone(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { lists(cfg); cfg.Push.Create = false })
	gone := v.AddProspect("dana@example.com", nil)
	v.Remove(gone)
	dana := v.AddProspect("dana@example.com", nil)
	u := person(1, "dana@example.com", "")
	u.VendorID, u.Want.Segments = id(gone), []string{"vip"}
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "ok" || got.VendorID != id(dana) || len(v.Lists(dana)) != 1 {
		t.Errorf("got %+v, lists %v", got, v.Lists(dana))
	}
}

// The business unit's requests are shared; the last tenth is left to others.
func TestQuotaIsLeftToOthers(t *testing.T) {
	t.Parallel()
	at := now
	c, v := start(t, func(cfg *connectors.Config) { cfg.Now = func() time.Time { return at } })
	v.AddField("SB_Stage")
	v.Use(22500)
	connectortest.Push(t, c, person(1, "dana@example.com", "Lead")) // its first answer tells
	v.took()
	at = at.Add(time.Minute)
	_, write := c.Push(t.Context(), []connectors.Update{person(1, "dana@example.com", "Customer")})
	_, poll := c.Fetch(t.Context(), "")
	_, read := c.Read(t.Context(), nil)
	_, list := c.List(t.Context(), "")
	for i, err := range []error{write, poll, read, list} {
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || !e.Retryable || e.RetryAfter != 59*time.Minute || !strings.Contains(e.Message, "22500 of") {
			t.Errorf("error %d: %+v", i, e)
		}
	}
	if took := v.took(); len(took) != 0 {
		t.Errorf("requests %v", took)
	}
	v.Use(20)
	at = at.Add(time.Hour)
	if got := connectortest.Push(t, c, person(1, "dana@example.com", "Customer"))[0]; connectortest.Outcome(got) != "ok" {
		t.Errorf("the next day: %+v", got)
	}
}

// What is known is known of the prospect that was written to: another one,
// found or made in its place, gets everything.
func TestPushTellsAnotherProspectEverything(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]bool{"found": false, "found or made": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Create = create })
			gone := v.AddProspect("dana@example.com", nil)
			v.Remove(gone)
			if !create {
				v.AddProspect("dana@example.com", nil)
			}
			u := person(1, "dana@example.com", "Customer")
			u.VendorID, u.Want.Segments = id(gone), []string{"vip"}
			u.Known = &connectors.State{Stage: "Lead", Segments: []string{"vip"}}
			got := connectortest.Push(t, c, u)[0]
			if connectortest.Outcome(got) != "ok" || got.VendorID == id(gone) {
				t.Fatalf("got %+v", got)
			}
			if h := v.Held(); len(h) != 1 || h[0].Stage != "Customer" || !slices.Equal(h[0].Segments, []string{"vip"}) {
				t.Errorf("held %+v", h)
			}
		})
	}
}

// A number is the same however it travelled: what is remembered comes back as a
// float.
func TestPushSpellsNumbers(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"jobTitle": "revenue"} })
	u := person(1, "dana@example.com", "Customer")
	u.VendorID = id(v.AddProspect("dana@example.com", nil))
	u.Want.Traits = map[string]any{"jobTitle": int64(1250000)}
	u.Known = &connectors.State{Stage: "Customer", Traits: map[string]any{"jobTitle": 1250000.0}}
	if got := connectortest.Push(t, c, u)[0]; connectortest.Outcome(got) != "ok" || len(v.took()) != 0 {
		t.Errorf("the same number was sent again: %+v", got)
	}
}
