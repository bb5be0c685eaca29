package connectors_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
)

// TestPersonTask is what a task starts with, and what it ends with.
func TestPersonTask(t *testing.T) {
	t.Parallel()
	held := &connectors.State{Stage: "Customer", Absent: []string{"at_risk"}}
	wrote := []connectors.Field{{Record: "7", Name: "stage", Value: "Customer"}}
	for name, c := range map[string]struct {
		update connectors.Update
		id     string
		seen   bool
		done   bool
		want   connectors.Result
	}{
		"nobody":           {connectors.Update{Email: " "}, "", false, true, connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "unknown"}},
		"as it should be":  {connectors.Update{Email: "dana@example.com", Want: *held, Known: held}, "7", false, true, connectors.Result{Outcome: connectors.OK, VendorID: "7"}},
		"never written to": {connectors.Update{Email: "dana@example.com"}, "", false, false, connectors.Result{Outcome: connectors.OK}},
		"by address, seen": {connectors.Update{Email: " dana@example.com "}, "", true, false, connectors.Result{Outcome: connectors.OK, VendorID: "7"}},
		"by id, not seen":  {connectors.Update{Want: *held}, "9", false, false, connectors.Result{Outcome: connectors.OK}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := connectors.NewPersonTask(&c.update, c.id, "unknown")
			if task.Done() != c.done {
				t.Errorf("done = %v, want %v", task.Done(), c.done)
			}
			if !c.done {
				task.Wrote, c.want.Written = wrote, wrote
			}
			if c.seen {
				task.ID, task.Seen = "7", true
			}
			if diff := cmp.Diff(c.want, task.Finish()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}
