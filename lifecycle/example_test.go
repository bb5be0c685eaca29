package lifecycle_test

import (
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

func ExamplePlan_Derive() {
	plan, err := lifecycle.ParsePlan("plan.yaml", []byte(`
name: small
stages:
  - { name: Visitor }
  - name: Customer
    when: |
      seen("Order:Completed")
  - name: Dormant
    side: true
    from: Customer
    when: |
      idle("Order:Completed", "60d")
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	day := func(n int) lifecycle.Instant {
		return lifecycle.At(time.Date(2026, 1, n, 9, 0, 0, 0, time.UTC))
	}
	events := []lifecycle.Event{
		{ID: lifecycle.EventID{2}, Name: "Order:Completed", At: day(10), Connection: "shop", Inbox: 2},
		{ID: lifecycle.EventID{1}, Name: "Page:Viewed", At: day(1), Connection: "site", Inbox: 1},
	}
	ann, moves := plan.Derive(1, events, day(90))
	for _, m := range moves {
		fmt.Printf("%s %q > %q (%s)\n", m.At.Time().Format(time.DateOnly), m.From, m.To, m.Kind)
	}
	why := plan.Explain(ann, day(90))
	fmt.Println(why.Stage, "because", why.Condition)
	// Output:
	// 2026-01-01 "" > "Visitor" (forward)
	// 2026-01-10 "Visitor" > "Customer" (forward)
	// 2026-03-11 "Customer" > "Dormant" (forward)
	// Dormant because idle("Order:Completed", "60d")
}
