package web_test

import (
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// TestGovernancePage shows violations by class with their raw events, and has
// what is parked judged again.
func TestGovernancePage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.wants("/plan/governance", "Nothing that came in was found not to fit")
	if err := l.store.Derived(t.Context(), func(tx *store.Tx) error {
		return tx.AddViolationsTx(t.Context(), []store.Violation{
			{Connection: "crm", Class: "wrong_type", Event: "Order:Completed", Property: "total", Action: lifecycle.Quarantine, Count: 3, First: 1, Last: 2, Samples: []int64{7}},
			{Connection: "crm", Class: "unplanned_event", Event: hostile, Action: "tag", Count: 5, First: 1, Last: 2},
			{Connection: "other", Class: "wrong_type", Event: "Order:Placed", Property: "total", Action: "tag", Count: 9, First: 1, Last: 2},
		})
	}); err != nil {
		t.Fatal(err)
	}
	l.wants("/plan/governance", "12 events", "5 events", `href="/inbox/7"`, "Order:Placed", `action="/plan/governance/release"`)
	l.wants("/plan/governance?connection=crm&class=wrong_type", "3 events", "All classes")
	l.wants("/plan", `href="/plan/governance"`)
	if a := l.get("/plan/governance?class=other"); a.Status != 400 {
		t.Errorf("a class that is none: %d", a.Status)
	}
	if a := l.post("/plan/governance/release", "class", "wrong_type", "connection", "crm"); a.Status != 303 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.wants("/plan/governance", "Judging again what is parked", "It is done.")
}
