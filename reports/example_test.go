package reports_test

import (
	"fmt"

	"github.com/stagebridge/stagebridge/reports"
)

func ExampleNewFunnel() {
	funnel, err := reports.NewFunnel(reports.Cohort{}, reports.Reached, []reports.StageCount{
		{Stage: "Lead", People: 120},
		{Stage: "Customer", People: 30, Before: 120, FromPrevious: 30, FromFirst: 30},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := funnel.Steps[1].FromPrevious
	fmt.Printf("%d of %d: %.2f [%.4f, %.4f]\n", r.Hits, r.Of, r.Value, r.Low, r.High)
	// Output:
	// 30 of 120: 0.25 [0.1811, 0.3344]
}
