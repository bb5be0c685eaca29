package hubspot

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

const (
	updateRoute = "POST /crm/v3/objects/{type}/batch/update"
	upsertRoute = "POST /crm/v3/objects/{type}/batch/upsert"
	readRoute   = "POST /crm/v3/objects/{type}/batch/read"
)

// push sends and fails the test when the push as a whole failed.
func mustPush(t testing.TB, c *Connector, updates ...connectors.Update) []connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	if len(results) != len(updates) {
		t.Fatalf("%d results for %d updates", len(results), len(updates))
	}
	return results
}

func checkOutcome(t testing.TB, r connectors.Result, want connectors.Outcome, why connectors.Reason) {
	t.Helper()
	if r.Outcome != want || r.Reason != why {
		t.Errorf("outcome %s, reason %q, message %q; want %s, %q", r.Outcome, r.Reason, r.Message, want, why)
	}
}

func held(t testing.TB, sim *hubspotsim.Sim, email string) map[string]string {
	t.Helper()
	c, ok := sim.ByEmail(email)
	if !ok {
		t.Fatalf("HubSpot has no contact %s", email)
	}
	return c.Properties
}

func TestPushUpdates(t *testing.T) {
	t.Parallel()
	for _, tells := range []bool{false, true} {
		t.Run(fmt.Sprintf("trace ids told %v", tells), func(t *testing.T) {
			t.Parallel()
			c, sim := startAccount(t, hubspotsim.Options{TellTraceIDs: tells}, func(c *connectors.Config) {
				c.Push.Traits = map[string]string{"jobtitle": "job_title", "hubspotscore": "lead_score"}
			})
			ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
			bob := sim.AddContact(map[string]string{"email": "Bob@example.com"})
			want := connectors.State{
				Stage: "Qualified Lead", Segments: []string{"at_risk", "promoters"}, Absent: []string{"dormant"},
				Traits: map[string]any{"jobtitle": "CTO", "hubspotscore": int64(55)},
			}
			known := update("u1", "ann@example.com", want)
			known.VendorID = ann
			results := mustPush(t, c, known, update("u2", "bob@EXAMPLE.com", want), update("u3", "nobody@example.com", want), update("u4", "", want))
			checkOutcome(t, results[0], connectors.OK, "")
			checkOutcome(t, results[1], connectors.OK, "")
			checkOutcome(t, results[2], connectors.Skipped, connectors.ReasonNotInVendor)
			checkOutcome(t, results[3], connectors.Skipped, connectors.ReasonNoIdentity)
			if results[0].VendorID != ann || results[1].VendorID != bob || results[2].VendorID != "" {
				t.Errorf("vendor ids %q, %q, %q", results[0].VendorID, results[1].VendorID, results[2].VendorID)
			}
			for _, email := range []string{"ann@example.com", "bob@example.com"} {
				got := held(t, sim, email)
				if got["sb_stage"] != "Qualified Lead" || got["sb_segments"] != "at_risk;promoters" || got["jobtitle"] != "CTO" || got["hubspotscore"] != "55" {
					t.Errorf("%s holds %v", email, got)
				}
			}
			wantWritten := []connectors.Field{
				{Record: ann, Name: "hubspotscore", Value: "55"}, {Record: ann, Name: "jobtitle", Value: "CTO"},
				{Record: ann, Name: "sb_segments", Value: "at_risk;promoters"}, {Record: ann, Name: "sb_stage", Value: "Qualified Lead"},
			}
			if diff := cmp.Diff(wantWritten, results[0].Written); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			if _, there := sim.ByEmail("nobody@example.com"); there {
				t.Error("a push without create made a contact")
			}
			if email := held(t, sim, "bob@example.com")["email"]; email != "Bob@example.com" {
				t.Errorf("the address became %q", email)
			}
		})
	}
}

func TestPushUpserts(t *testing.T) {
	t.Parallel()
	for _, tells := range []bool{false, true} {
		t.Run(fmt.Sprintf("trace ids told %v", tells), func(t *testing.T) {
			t.Parallel()
			c, sim := startAccount(t, hubspotsim.Options{TellTraceIDs: tells}, creating)
			ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
			second := sim.AddContact(map[string]string{"email": "ann.private@example.com"})
			sim.Merge(ann, second)
			moved := sim.AddContact(map[string]string{"email": "old.address@example.com"})
			byID := update("u4", "new.address@example.com", connectors.State{Stage: "Customer"})
			byID.VendorID = moved
			results := mustPush(t, c,
				update("u1", "Ann@example.com", connectors.State{Stage: "Customer"}),
				update("u2", "new@example.com", connectors.State{Stage: "Visit"}),
				update("u3", "bad", connectors.State{Stage: "Visit"}),
				byID)
			checkOutcome(t, results[0], connectors.OK, "")
			checkOutcome(t, results[1], connectors.OK, "")
			checkOutcome(t, results[2], connectors.Permanent, connectors.ReasonInvalid)
			checkOutcome(t, results[3], connectors.OK, "")
			if !strings.Contains(results[2].Message, "INVALID_EMAIL") {
				t.Errorf("the message is %q, want HubSpot's words", results[2].Message)
			}
			made, ok := sim.ByEmail("new@example.com")
			if !ok || made.ID != results[1].VendorID || made.Properties["sb_stage"] != "Visit" {
				t.Errorf("the new contact is %v, its result names %q", made, results[1].VendorID)
			}
			if results[0].VendorID != ann || held(t, sim, "ann@example.com")["sb_stage"] != "Customer" {
				t.Errorf("ann is %v", held(t, sim, "ann@example.com"))
			}
			// The person's new address finds the same record, and is not written.
			if got := held(t, sim, "old.address@example.com"); got["sb_stage"] != "Customer" {
				t.Errorf("the moved contact is %v", got)
			}
			if _, there := sim.ByEmail("new.address@example.com"); there {
				t.Error("a changed address made a second contact")
			}
			// A second address leads to the same contact, which keeps its first one.
			results = mustPush(t, c, update("u5", "ann.private@example.com", connectors.State{Stage: "Visit"}))
			checkOutcome(t, results[0], connectors.OK, "")
			if got := held(t, sim, "ann@example.com"); results[0].VendorID != ann || got["email"] != "ann@example.com" || got["sb_stage"] != "Visit" {
				t.Errorf("found by its second address the contact is %v, result %+v", got, results[0])
			}
		})
	}
}

// What HubSpot is known to hold is not sent again.
func TestPushSendsOnlyChanges(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	state := connectors.State{Stage: "Lead", Segments: []string{"a"}, Absent: []string{"b"}, Traits: map[string]any{"jobtitle": "CTO", "hubspotscore": int64(5)}}
	push := func(want connectors.State, known *connectors.State) connectors.Result {
		t.Helper()
		u := connectors.Update{ID: "u", VendorID: ann, Want: want, Known: known}
		return mustPush(t, c, u)[0]
	}
	checkOutcome(t, push(state, nil), connectors.OK, "")
	before := sim.Counts()
	r := push(state, &state)
	checkOutcome(t, r, connectors.OK, "")
	if diff := cmp.Diff(before, sim.Counts()); diff != "" || r.VendorID != ann || r.Written != nil {
		t.Errorf("nothing to do made calls, or results %+v:\n%s", r, diff)
	}
	changed := state
	changed.Segments, changed.Absent = []string{}, []string{"a", "b"}
	changed.Traits = map[string]any{"jobtitle": nil, "hubspotscore": int64(5)}
	r = push(changed, &state)
	want := []connectors.Field{{Record: ann, Name: "jobtitle"}, {Record: ann, Name: "sb_segments"}}
	if diff := cmp.Diff(want, r.Written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	got := held(t, sim, "ann@example.com")
	if got["jobtitle"] != "" || got["sb_segments"] != "" || got["sb_stage"] != "Lead" || got["hubspotscore"] != "5" {
		t.Errorf("the contact holds %v", got)
	}
	// A connection without segments leaves the property alone.
	sim.SetContact(ann, map[string]string{"sb_segments": "a"})
	checkOutcome(t, push(connectors.State{Stage: "Visit"}, nil), connectors.OK, "")
	if got := held(t, sim, "ann@example.com")["sb_segments"]; got != "a" {
		t.Errorf("segments became %q", got)
	}
}

// In a whole batch that HubSpot refuses with 400 the bad one is found and the
// others arrive.
func TestPushHalvesARefusedBatch(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{RefuseWhole: true}, creating)
	var updates []connectors.Update
	for i := range 100 {
		email := fmt.Sprintf("p%d@example.com", i)
		if i == 63 {
			email = "bad address"
		}
		updates = append(updates, update(fmt.Sprintf("u%d", i), email, connectors.State{Stage: "Lead"}))
	}
	for i, r := range mustPush(t, c, updates...) {
		if i == 63 {
			checkOutcome(t, r, connectors.Permanent, connectors.ReasonInvalid)
			continue
		}
		checkOutcome(t, r, connectors.OK, "")
	}
	if n := sim.Counts().Created; n != 99 {
		t.Errorf("%d contacts were made, want 99", n)
	}
	if n := sim.Counts().Requests[upsertRoute]; n > 16 {
		t.Errorf("%d calls to find one in a hundred", n)
	}
}

// With everybody bad the calls are bounded and what was not tried says so.
func TestPushBoundsTheSearch(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{RefuseWhole: true}, creating)
	var updates []connectors.Update
	for i := range 100 {
		updates = append(updates, update(fmt.Sprintf("u%d", i), fmt.Sprintf("bad %d", i), connectors.State{Stage: "Lead"}))
	}
	refused, later := 0, 0
	for _, r := range mustPush(t, c, updates...) {
		switch {
		case r.Outcome == connectors.Permanent && r.Reason == connectors.ReasonInvalid:
			refused++
		case r.Outcome == connectors.Retry && r.Reason == connectors.ReasonNotDone:
			later++
		default:
			t.Errorf("result %+v", r)
		}
	}
	if refused == 0 || refused+later != 100 {
		t.Errorf("%d refused, %d left for later", refused, later)
	}
	if n := sim.Counts().Requests[upsertRoute]; n > 2*maxSplits+1 {
		t.Errorf("%d calls", n)
	}
}

// A 429 in the midst of the search keeps what arrived.
func TestPushStopsSplittingWhenTold(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{RefuseWhole: true}, creating)
	calls := 0
	sim.Fail(hubspotsim.Fault{
		Match: func(r *http.Request) bool {
			calls += strings.Count(r.URL.Path, "upsert")
			return calls > 3 && strings.Contains(r.URL.Path, "upsert")
		},
		Status: 429, Times: -1,
	})
	results := mustPush(t, c,
		update("u1", "a@example.com", connectors.State{Stage: "Lead"}), update("u2", "b@example.com", connectors.State{Stage: "Lead"}),
		update("u3", "bad one", connectors.State{Stage: "Lead"}), update("u4", "d@example.com", connectors.State{Stage: "Lead"}))
	checkOutcome(t, results[0], connectors.OK, "")
	checkOutcome(t, results[1], connectors.OK, "")
	for _, r := range results[2:] {
		checkOutcome(t, r, connectors.Retry, connectors.ReasonRateLimit)
		if r.Delay != 10*time.Second {
			t.Errorf("delay %v, want HubSpot's ten seconds", r.Delay)
		}
	}
}

// Two people who are one record at HubSpot go in two calls: an id may stand
// once in a batch.
func TestPushEachRecordOncePerBatch(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	first := update("u1", "", connectors.State{Stage: "Lead"})
	first.VendorID = ann
	second := update("u2", "", connectors.State{Stage: "Customer"})
	second.VendorID = ann
	for _, r := range mustPush(t, c, first, second, update("u3", "new@example.com", connectors.State{Stage: "Lead"}), update("u4", "NEW@example.com", connectors.State{Stage: "Lead"})) {
		checkOutcome(t, r, connectors.OK, "")
	}
	if n := sim.Counts().Requests[updateRoute]; n != 2 {
		t.Errorf("%d updates, want 2", n)
	}
	if n := sim.Counts().Requests[upsertRoute]; n != 2 {
		t.Errorf("%d upserts, want 2", n)
	}
}

// A record that is gone is looked for by address before it is given up.
func TestPushRecordGone(t *testing.T) {
	t.Parallel()
	for _, create := range []bool{false, true} {
		c, sim := startAccount(t, hubspotsim.Options{}, func(c *connectors.Config) { c.Push.Create = create })
		gone := sim.AddContact(map[string]string{"email": "ann@example.com"})
		lost := sim.AddContact(map[string]string{"email": "lost@example.com"})
		sim.Delete(gone, false)
		sim.Delete(lost, false)
		again := sim.AddContact(map[string]string{"email": "ann@example.com"})
		back := update("u1", "ann@example.com", connectors.State{Stage: "Lead"})
		back.VendorID = gone
		noAddress := update("u2", "", connectors.State{Stage: "Lead"})
		noAddress.VendorID = lost
		results := mustPush(t, c, back, noAddress)
		checkOutcome(t, results[0], connectors.OK, "")
		checkOutcome(t, results[1], connectors.Skipped, connectors.ReasonNotInVendor)
		if results[0].VendorID != again || results[1].VendorID != "" {
			t.Errorf("create %v: vendor ids %q and %q, want %q and none", create, results[0].VendorID, results[1].VendorID, again)
		}
	}
}
