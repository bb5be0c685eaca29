package lately

import (
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

const plan = `name: x
stages:
  - { name: A }
  - { name: B, when: 'seen("B:Done")' }
  - { name: C, when: 'seen("C:Done")' }
  - { name: Gone, side: true, when: 'inactive("60d")' }
`

// TestPass asks what one person did at each stage between the days 30 and 60.
func TestPass(t *testing.T) {
	t.Parallel()
	p, err := lifecycle.ParsePlan("plan.yaml", []byte(plan), nil)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) lifecycle.Instant {
		return lifecycle.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n))
	}
	type move = summary.Move
	for _, c := range []struct {
		name  string
		moves []move
		want  [3]string // e: entered, t: there, f: went on
	}{
		{"nobody yet", nil, [3]string{}},
		{"there all the time", []move{{Stage: "A", At: day(1)}}, [3]string{"t"}},
		{"over before", []move{{Stage: "A", At: day(1)}, {Stage: "B", At: day(29)}}, [3]string{"", "t"}},
		{"on the way", []move{{Stage: "A", At: day(1)}, {Stage: "B", At: day(40)}}, [3]string{"tf", "et"}},
		{"all the way", []move{{Stage: "A", At: day(31)}, {Stage: "B", At: day(40)}, {Stage: "C", At: day(41)}}, [3]string{"etf", "etf", "et"}},
		{"jumped", []move{{Stage: "A", At: day(31)}, {Stage: "C", At: day(41)}}, [3]string{"etf", "", "et"}},
		{"back", []move{{Stage: "B", At: day(1)}, {Stage: "A", At: day(40)}}, [3]string{"et", "t"}},
		{"aside", []move{{Stage: "B", At: day(1)}, {Stage: "Gone", At: day(40)}}, [3]string{"", "t"}},
		{"on at the very start", []move{{Stage: "A", At: day(1)}, {Stage: "B", At: day(30)}}, [3]string{"tf", "et"}},
		{"aside at the very start", []move{{Stage: "A", At: day(1)}, {Stage: "Gone", At: day(30)}}, [3]string{}},
		{"at the very end", []move{{Stage: "A", At: day(1)}, {Stage: "B", At: day(60)}}, [3]string{"t"}},
		{"twice", []move{{Stage: "B", At: day(31)}, {Stage: "A", At: day(32)}, {Stage: "B", At: day(33)}}, [3]string{"etf", "et"}},
	} {
		at := []passed{{true, true, true}, {true, true, true}, {true, true, true}}
		pass(p, &summary.Person{Moves: c.moves}, Period{day(30), day(60)}, at)
		for i, want := range c.want {
			got := ""
			for _, is := range []struct {
				what What
				text string
			}{{Entered, "e"}, {There, "t"}, {Forward, "f"}} {
				if at[i].is(is.what) {
					got += is.text
				}
			}
			if got != want {
				t.Errorf("%s: stage %d: %q, want %q", c.name, i, got, want)
			}
		}
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	now := lifecycle.At(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	is, was := Periods(now, 30)
	if is.To != now || is.From != was.To || is.To-is.From != was.To-was.From || is.From.Time() != time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) {
		t.Errorf("%v %v", is, was)
	}
}
