package hubspot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// Every whole-call failure is the push's own, with HubSpot's pause, or, where
// it is about the content, that of the person.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c, sim := startAccount(t, hubspotsim.Options{})
			ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
			u := update("u1", "ann@example.com", connectors.State{Stage: "Lead"})
			u.VendorID = ann
			mustPush(t, c, u) // options are there and known
			u.Want.Stage = "Customer"
			mustPush(t, c, u)
			u.Want.Stage = "Lead"
			sim.Fail(hubspotsim.Fault{Match: route("batch/update"), Status: f.status, Header: f.header, Body: f.body})
			results, err := c.Push(t.Context(), []connectors.Update{u})
			switch {
			case f.status == 404:
				// The record is gone, and it is found again by its address.
				if err != nil || results[0].Outcome != connectors.OK {
					t.Errorf("got %+v, %v", results, err)
				}
			case contentRefused(f.reason):
				if err != nil {
					t.Fatalf("push: %v", err)
				}
				checkOutcome(t, results[0], connectors.Permanent, f.reason)
			default:
				checkFailure(t, f, err)
			}
			results = mustPush(t, c, u)
			checkOutcome(t, results[0], connectors.OK, "")
			if got := held(t, sim, "ann@example.com")["sb_stage"]; got != "Lead" {
				t.Errorf("after the failure the stage is %q", got)
			}
		})
	}
}

func TestPushSilenceAndReset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  hubspotsim.Fault
		reason connectors.Reason
	}{
		{"silence", hubspotsim.Fault{Silent: true}, connectors.ReasonTimeout},
		{"reset", hubspotsim.Fault{Reset: true, Times: -1}, connectors.ReasonConnection},
		{"answer lost", hubspotsim.Fault{Reset: true, After: true, Times: -1}, connectors.ReasonConnection},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			connector, sim := startAccount(t, hubspotsim.Options{}, creating, func(c *connectors.Config) {
				c.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 200 * time.Millisecond})
			})
			c.fault.Match = route("batch/upsert")
			sim.AddContact(map[string]string{"email": "first@example.com"})
			mustPush(t, connector, update("u0", "first@example.com", connectors.State{Stage: "Lead"}))
			sim.Fail(c.fault)
			_, err := connector.Push(t.Context(), []connectors.Update{update("u1", "ann@example.com", connectors.State{Stage: "Lead"})})
			if e := asPush(err); e == nil || e.Reason != c.reason || !e.Retryable {
				t.Fatalf("push gives %v, want retryable %s", err, c.reason)
			}
			sim.Recover()
			checkOutcome(t, mustPush(t, connector, update("u1", "ann@example.com", connectors.State{Stage: "Lead"}))[0], connectors.OK, "")
			if n := sim.Counts().Created; n != 1 {
				t.Errorf("%d contacts were made, want 1", n)
			}
		})
	}
}

func TestPushCanceled(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	sim.Silent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Push(ctx, []connectors.Update{update("u1", "ann@example.com", connectors.State{Stage: "Lead"})}); err == nil {
		t.Error("a canceled push succeeded")
	}
}

// Answers of 200 and 207 in every form that has been seen.
func TestPushMixedAnswers(t *testing.T) {
	t.Parallel()
	const ok, failed = `{"id":"880001","properties":{"email":"a@example.com","sb_stage":"Lead"}}`, `"status":"error","category":"VALIDATION_ERROR","message":"no good"`
	type want struct {
		outcome connectors.Outcome
		reason  connectors.Reason
		id      string
	}
	for _, c := range []struct {
		name, body string
		status     int
		want       [2]want
		calls      int
	}{
		{"by trace id", `{"results":[` + ok + `],"errors":[{` + failed + `,"context":{"objectWriteTraceId":["u2"]}}]}`, 207,
			[2]want{{connectors.OK, "", "880001"}, {connectors.Permanent, connectors.ReasonInvalid, ""}}, 1},
		{"both errors in one", `{"results":[],"errors":[{` + failed + `,"context":{"objectWriteTraceId":["u1","u2"]}}]}`, 207,
			[2]want{{connectors.Permanent, connectors.ReasonInvalid, ""}, {connectors.Permanent, connectors.ReasonInvalid, ""}}, 1},
		{"one left, one error without a name", `{"results":[` + ok + `],"errors":[{` + failed + `}]}`, 207,
			[2]want{{connectors.OK, "", "880001"}, {connectors.Permanent, connectors.ReasonInvalid, ""}}, 1},
		{"rate limit inside", `{"results":[` + ok + `],"errors":[{"category":"RATE_LIMITS","message":"slow","context":{"objectWriteTraceId":["u2"]}}]}`, 207,
			[2]want{{connectors.OK, "", "880001"}, {connectors.Retry, connectors.ReasonRateLimit, ""}}, 1},
		{"conflict inside", `{"results":[` + ok + `],"errors":[{"category":"CONFLICT","message":"two","context":{"objectWriteTraceId":["u2"]}}]}`, 207,
			[2]want{{connectors.OK, "", "880001"}, {connectors.Permanent, connectors.ReasonConflict, ""}}, 1},
		{"internal error inside", `{"results":[` + ok + `],"errors":[{"category":"INTERNAL_ERROR","message":"oops","context":{"objectWriteTraceId":["u2"]}}]}`, 207,
			[2]want{{connectors.OK, "", "880001"}, {connectors.Retry, connectors.ReasonServer, ""}}, 1},
		{"nothing at all", `{"status":"COMPLETE","results":[],"errors":[]}`, 200,
			[2]want{{connectors.Retry, connectors.ReasonBadAnswer, ""}, {connectors.Retry, connectors.ReasonBadAnswer, ""}}, 1},
		{"one missing", `{"results":[` + ok + `]}`, 200,
			[2]want{{connectors.OK, "", "880001"}, {connectors.Retry, connectors.ReasonBadAnswer, ""}}, 1},
		{"both under other names", `{"results":[{"id":"880001","properties":{}},{"id":"880002","properties":{}}]}`, 200,
			[2]want{{connectors.OK, "", ""}, {connectors.OK, "", ""}}, 1},
		{"one under another name", `{"results":[` + ok + `,{"id":"880002","properties":{}}]}`, 200,
			[2]want{{connectors.OK, "", "880001"}, {connectors.OK, "", "880002"}}, 1},
		{"error without a name, two left", `{"results":[],"errors":[{` + failed + `}]}`, 207,
			[2]want{{connectors.OK, "", "new"}, {connectors.OK, "", "new"}}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			connector, sim := startAccount(t, hubspotsim.Options{}, creating)
			sim.Fail(hubspotsim.Fault{Match: route("batch/upsert"), Status: c.status, Body: c.body})
			results := mustPush(t, connector, update("u1", "a@example.com", connectors.State{Stage: "Lead"}), update("u2", "b@example.com", connectors.State{Stage: "Lead"}))
			for i, w := range c.want {
				checkOutcome(t, results[i], w.outcome, w.reason)
				if w.id != "new" && results[i].VendorID != w.id {
					t.Errorf("update %d: vendor id %q, want %q", i, results[i].VendorID, w.id)
				}
			}
			if n := sim.Counts().Requests[upsertRoute]; n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
		})
	}
}

// HubSpot's own words are kept, without the credentials that stand in them.
func TestPushKeepsWordsWithoutSecrets(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	sim.Fail(hubspotsim.Fault{Match: route("batch/upsert"), Status: 207, Body: `{"results":[],"errors":[{"category":"VALIDATION_ERROR","message":"token ` + testToken + ` and secret ` + testSecret + ` seen","context":{"objectWriteTraceId":["u1"]}}]}`})
	r := mustPush(t, c, update("u1", "a@example.com", connectors.State{Stage: "Lead"}))[0]
	if strings.Contains(r.Message, testToken) || strings.Contains(r.Message, testSecret) || !strings.Contains(r.Message, "seen") {
		t.Errorf("the message is %q", r.Message)
	}
}
