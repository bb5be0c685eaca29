package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// Of 100 customers 20 pay 500 and the others 10. Of the 20, 15 downloaded the
// guide and 16 are on the team plan; of the 80, 12 and 16 are.
func liftStory() string {
	var b strings.Builder
	for i := 1; i <= 100; i++ {
		amount, guide, plan := 10, i <= 32, "solo"
		if i <= 20 {
			amount, guide = 500, i <= 15
		}
		if i <= 16 || i > 84 {
			plan = "team"
		}
		fmt.Fprintf(&b, "%d 2026-01-01 Page:Viewed\n%d 2026-02-01 Order:Completed %d EUR\n%d trait plan=%s\n%d trait employees=%d\n", i, i, amount, i, plan, i, i%3)
		if guide {
			fmt.Fprintf(&b, "%d 2026-01-02 Content:Downloaded content=guide\n", i)
		}
	}
	b.WriteString("101 2026-01-01 Order:Completed 9999 USD\n102 2026-01-01 Page:Viewed\n")
	return b.String()
}

func find(t *testing.T, lifts []stats.Lift, name string) stats.Lift {
	t.Helper()
	for _, l := range lifts {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no lift of %q: %+v", name, lifts)
	return stats.Lift{}
}

func TestLiftOfTheTop(t *testing.T) {
	t.Parallel()
	people := told(t, liftStory())
	r := answer(t, "lift", "", people)
	d := r.Data.(*LiftReport)
	if d.In != 20 || d.Rest != 80 {
		t.Fatalf("%d and %d: %+v", d.In, d.Rest, r.Notes)
	}
	// 15 of 20 against 12 of 80 is 5; ln 5 ± 1.96·√(1/15 - 1/20 + 1/12 - 1/80)
	// gives 2.80 to 8.93.
	guide := find(t, d.Lifts, "content: guide")
	if !near(guide.Value, 5, 1e-9) || !near(guide.Low, 2.80, 0.005) || !near(guide.High, 8.93, 0.005) || !guide.Distinct {
		t.Errorf("guide: %+v", guide)
	}
	if team := find(t, d.Lifts, "trait: plan = team"); !near(team.Value, 0.8/0.2, 1e-9) {
		t.Errorf("team: %+v", team)
	}
	if page := find(t, d.Lifts, "event: Page:Viewed"); page.Distinct || page.Value != 1 {
		t.Errorf("page: %+v", page)
	}
	for _, l := range d.Lifts {
		if strings.Contains(l.Name, "employees") || strings.Contains(l.Name, "Order:Completed") {
			t.Errorf("%s is no feature", l.Name)
		}
	}
	noted(t, r, "revenue of 1 people in USD is left out")
	noted(t, r, "at least 500.00 EUR each")
	// In euro at par the dollars make 101 customers, of whom 21 are the top.
	if d := answer(t, "lift", "currency:EUR rates:USD=1", people).Data.(*LiftReport); d.In != 21 || d.Rest != 80 {
		t.Errorf("in euro: %d and %d", d.In, d.Rest)
	}
	// Where all have the same there is no top.
	noted(t, answer(t, "lift", "", told(t, "1 2026-01-01 Order:Completed 5 EUR\n2 2026-01-01 Order:Completed 5 EUR")), "there is nobody to compare")
}

// Of ten who won six had a meeting before it; of ten who lost one had, and five
// had one afterwards, which does not count.
func TestLiftOfWhoWon(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := 1; i <= 20; i++ {
		end, meeting := "Won", "2026-01-01"
		if i > 10 {
			end, meeting = "Lost", "2026-03-01"
		}
		if i == 11 {
			meeting = "2026-01-01"
		}
		fmt.Fprintf(&b, "%d 2026-02-01 Deal:%s\n", i, end)
		if i <= 6 || i > 10 && i <= 16 {
			fmt.Fprintf(&b, "%d %s Meeting:Attended\n", i, meeting)
		}
	}
	d := answer(t, "lift", "group:won", told(t, b.String())).Data.(*LiftReport)
	if l := find(t, d.Lifts, "event: Meeting:Attended"); d.In != 10 || d.Rest != 10 || l.Group.Hits != 6 || l.Rest.Hits != 1 || !near(l.Value, 6, 1e-9) {
		t.Errorf("%+v", d)
	}
}

// Windows of ten days. Six people view a page on day 0, see a demonstration on
// day 25 and become customers on day 30, by the order of that instant: three
// windows each, of which the last has the demonstration and the first the page.
// Four never do: seen on day 0 and until day 40, four windows each, one of them
// with a demonstration.
func TestPrecedes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := 1; i <= 10; i++ {
		fmt.Fprintf(&b, "%d 2026-01-01 Page:Viewed\n", i)
		if i <= 6 {
			fmt.Fprintf(&b, "%d 2026-01-26 Demo:Requested\n%d 2026-01-26T12:00 Demo:Requested\n%d 2026-01-31 Order:Completed 1 EUR\n%d 2026-01-31 -> Customer\n%d 2026-02-05 Demo:Requested\n", i, i, i, i, i)
		}
	}
	b.WriteString("7 2026-01-15 Demo:Requested\n")
	r := answer(t, "precedes", "stage:Customer lookback:10 now:2026-02-10", told(t, b.String()))
	d := r.Data.([]Preceded)[0]
	if d.Moves != 6 || d.Others != 6*2+4*4 {
		t.Fatalf("%+v", d)
	}
	demo, page := find(t, d.Lifts, "Demo:Requested"), find(t, d.Lifts, "Page:Viewed")
	if demo.Group.Hits != 6 || demo.Rest.Hits != 1 || !near(demo.Value, 28, 1e-9) {
		t.Errorf("demonstrations: %+v", demo)
	}
	if page.Group.Hits != 0 || page.Rest.Hits != 10 {
		t.Errorf("pages: %+v", page)
	}
	for _, l := range d.Lifts {
		if l.Name == "Order:Completed" {
			t.Errorf("the order is the move itself: %+v", l)
		}
	}
	if parts := answer(t, "precedes", "", nil).Data.([]Preceded); len(parts) != 5 || parts[4].Stage != lifecycle.Stage("Advocate") {
		t.Errorf("stages: %+v", parts)
	}
}
