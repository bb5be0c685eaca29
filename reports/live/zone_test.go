package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// An order of half past eleven on New Year's Eve, in UTC, is one of January by
// the clocks of Berlin, whether the plan names them or the one who asks.
func TestZoneOfThePlan(t *testing.T) {
	t.Parallel()
	text := "name: shop\nzone: Europe/Berlin\nstages:\n  - { name: Visit }\n  - { name: Customer, when: 'seen(\"Order:Completed\")' }\n"
	berlin, err := lifecycle.ParsePlan("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	people := told(t, "1 2025-12-31T23:30 Order:Completed 10 EUR\n2 2026-01-15 Order:Completed 10 EUR\n3 2026-01-31T23:30 Order:Completed 10 EUR\n")
	for _, tt := range []struct {
		plan      *lifecycle.Plan
		options   string
		customers string
		note      string
	}{
		{classic(), "from:2026-01-01 to:2026-02-01", "2", ""},
		{berlin, "from:2026-01-01 to:2026-02-01", "2", "those of Europe/Berlin, the zone of the plan"},
		{berlin, "from:2026-01-01", "3", "the zone of the plan"},
		{berlin, "from:2026-01-01 zone:UTC", "2", ""},
		{classic(), "from:2026-01-01 zone:Europe/Berlin", "3", "those of Europe/Berlin"},
		{berlin, "to:2026-02-01", "2", "the zone of the plan"},
	} {
		r, err := count(tt.plan, "concentration", options(t, tt.options), people)
		if err != nil {
			t.Fatal(err)
		}
		if got := rowOf(t, r, "", "Customers")[1]; got != tt.customers {
			t.Errorf("%s under %s: %s customers, want %s", tt.options, tt.plan.Name(), got, tt.customers)
		}
		said := slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "days, weeks and months are those of") })
		if said != (tt.note != "") {
			t.Errorf("%s under %s: %q", tt.options, tt.plan.Name(), r.Notes)
		}
		if tt.note != "" {
			noted(t, r, tt.note)
		}
	}
}
