package plans_test

import (
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
)

func ExampleMustParse() {
	plan := plans.MustParse(plans.Default)
	bought := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	events := []lifecycle.Event{{ID: lifecycle.EventID{1}, Name: "Order:Completed", At: lifecycle.At(bought), Connection: "shop", Inbox: 1}}

	for _, days := range []int{1, 40, 90} {
		now := lifecycle.At(bought.AddDate(0, 0, days))
		ann, _ := plan.Derive(1, events, now)
		fmt.Println(days, ann.Stage, ann.SegmentNames())
	}
	// Output:
	// 1 Customer [new_customers]
	// 40 Customer [at_risk]
	// 90 Churned [dormant]
}
