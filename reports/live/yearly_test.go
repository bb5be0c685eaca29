package live

import (
	"fmt"
	"strings"
	"testing"
)

// Of a hundred customers three leave in the month: 3 %, which is 30.6 % in a
// year at the same rate. By the week and the day a year has more of them.
func TestChurnInAYear(t *testing.T) {
	t.Parallel()
	var story strings.Builder
	for i := range 100 {
		fmt.Fprintf(&story, "%d 2026-01-10 -> Customer\n", i+1)
		if i < 3 {
			fmt.Fprintf(&story, "%d 2026-02-10 -> Churned\n", i+1)
		}
	}
	people := told(t, story.String())
	for _, tt := range []struct {
		options      string
		mean, yearly float64
	}{
		{"from:2026-02-01 to:2026-03-01", 0.03, 0.306157},
		{"unit:week from:2026-02-09 to:2026-02-16", 0.03, 0.794822},
		{"unit:day from:2026-02-10 to:2026-02-11", 0.03, 0.999985},
	} {
		r := answer(t, "churn", "basis:stage stages:Customer "+tt.options, people)
		d := r.Data.(*ChurnReport)
		if !near(d.Mean.Value, tt.mean, 1e-12) || !d.Yearly.Known || !near(d.Yearly.Value, tt.yearly, 1e-6) {
			t.Errorf("%s: %+v, %+v in a year, want %v", tt.options, d.Mean, d.Yearly, tt.yearly)
		}
		noted(t, r, fmt.Sprintf("is 3.0 %%, which is %.1f %% in a year", 100*tt.yearly))
	}
	if d := answer(t, "churn", "basis:stage stages:Advocate from:2026-02-01 to:2026-03-01", people).Data.(*ChurnReport); d.Mean.Known || d.Yearly.Known {
		t.Errorf("of nobody: %+v", d)
	}
}
