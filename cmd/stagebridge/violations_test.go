package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// TestViolationsCommand lists what does not fit, by class, and counts what is
// parked.
func TestViolationsCommand(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	c.run(exitOK, "apply", c.folder)
	c.pages(func(ctx context.Context, a *app) error {
		return a.store.Derived(ctx, func(tx *store.Tx) error {
			return tx.AddViolationsTx(ctx, []store.Violation{
				{Connection: "shop", Class: lifecycle.Classes()[0], Event: "Order:Paid", Rule: "order", Action: "tag", Count: 3, First: 1, Last: 2, Samples: []int64{7, 9}},
				{Connection: "shop", Class: lifecycle.Classes()[1], Event: "Order:Completed", Property: "total", Action: "allow", Count: 1, First: 1, Last: 2},
			})
		})
	})
	got := c.run(exitOK, "violations")
	for _, want := range []string{"Order:Paid", "total", "7 9", string(lifecycle.Classes()[0])} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if got := c.run(exitOK, "violations", "-event", "Order:Completed", "-connection", "shop"); strings.Contains(got, "Order:Paid") || !strings.Contains(got, "Order:Completed") {
		t.Errorf("of one event:\n%s", got)
	}
	if got := c.run(exitOK, "violations", "-release", "-dry-run"); got != "0 raw events would be judged again\n" {
		t.Error(got)
	}
	if got := c.run(exitOK, "violations", "-release", "-connection", "shop"); !strings.HasPrefix(got, "0 raw events judged again") {
		t.Error(got)
	}
	for want, args := range map[string][]string{
		`there is no connection "none"`: {"-connection", "none"}, "-dry-run wants -release": {"-dry-run"}, `-class is "other"`: {"-class", "other"},
	} {
		if r := stagebridge(t, c.env, append([]string{"violations"}, args...)...); r.code == exitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: %+v, want %s", args, r, want)
		}
	}
}
