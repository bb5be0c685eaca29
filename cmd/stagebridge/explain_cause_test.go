package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// TestTellCause: whatever brought somebody where they stand is named, also
// where it is gone.
func TestTellCause(t *testing.T) {
	t.Parallel()
	at := lifecycle.At(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	event := &lifecycle.Event{ID: lifecycle.EventID{1}, Name: "Order:Completed", At: at, Inbox: 7, Connection: "shop"}
	pinned := lifecycle.PinEvent(lifecycle.EventID{2}, at, "Customer", "by phone", 0)
	raw := &store.RawEvent{InboxRow: store.InboxRow{ID: 7, Connection: "shop", Type: "order", Received: at, Outcome: store.Outcome{Rule: "bought"}}}
	for name, c := range map[string]struct {
		x     lifecycle.Explanation
		cause jobs.Cause
		want  string
	}{
		"time":       {lifecycle.Explanation{}, jobs.Cause{}, "brought by: the passing of time\n"},
		"time since": {lifecycle.Explanation{}, jobs.Cause{Clock: event}, "brought by: the passing of time since Order:Completed at 2026-03-01T09:00:00Z\n"},
		"decision":   {lifecycle.Explanation{Event: pinned.ID}, jobs.Cause{Event: &pinned}, "brought by: somebody's decision, Stagebridge:Pinned at 2026-03-01T09:00:00Z: by phone\n"},
		"emptied": {lifecycle.Explanation{Event: event.ID, Inbox: 7}, jobs.Cause{Event: event, Raw: raw},
			"brought by: Order:Completed at 2026-03-01T09:00:00Z, from raw event 7 (order by shop, received 2026-03-01T09:00:00Z, rule bought)\n    its bytes are no longer kept\n"},
		"raw gone":   {lifecycle.Explanation{Event: event.ID, Inbox: 7}, jobs.Cause{Event: event}, "Order:Completed at 2026-03-01T09:00:00Z, from raw event 7, which is no longer there\n"},
		"event gone": {lifecycle.Explanation{Event: event.ID, Inbox: 7}, jobs.Cause{Raw: raw}, "which is no longer there, from raw event 7 (order by shop"},
	} {
		var out strings.Builder
		tellCause(&out, &c.x, &c.cause)
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %q is not in\n%s", name, c.want, out.String())
		}
	}
	var out strings.Builder
	tellHold(&out, &lifecycle.Explanation{Until: at.Add(time.Hour), Pin: &lifecycle.Pin{At: at, Reason: "by phone"}})
	tellHold(&out, &lifecycle.Explanation{Claim: &lifecycle.Claim{Connection: "crm", At: at}})
	tellStanding(&out, &jobs.Cause{PlanVersion: 3, RollingOut: true, Account: &store.Account{Key: "domain:example.com", Stage: "Client", Found: at}})
	want := `  pinned by hand at 2026-03-01T09:00:00Z, until 2026-03-01T10:00:00Z: by phone
  claimed by crm at 2026-03-01T09:00:00Z, counts until its next
under plan version 3, which a share of the people is under so far; still to be brought there, so what follows may change
of account domain:example.com, which is Client, found 2026-03-01T09:00:00Z
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
