package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// cycleCounter measures how long sales take.
type cycleCounter struct{ sales }

func newCycle(_ *lifecycle.Plan, o *Options) counter { return &cycleCounter{newSales(o)} }

// Cycle is the data of the report cycle.
type Cycle struct {
	From CycleStart `json:"from"`
	// Won are the plain figures of sales won in the period.
	Won Lengths `json:"won"`
	// Lost are the same of those lost in it.
	Lost Lengths `json:"lost"`
	// Survival is the share not won yet by age, of sales begun in the period.
	Survival stats.Survival `json:"survival"`
}

// Lengths sums up how long things took.
type Lengths struct {
	N      int64          `json:"n"`
	Mean   stats.Duration `json:"mean"`
	Median stats.Duration `json:"median"`
}

func newLengths(all []time.Duration) Lengths {
	l := Lengths{N: int64(len(all))}
	if l.N == 0 {
		return l
	}
	var sum float64
	for _, d := range all {
		sum += float64(d)
	}
	l.Mean = stats.Duration{Known: true, Value: time.Duration(sum / float64(l.N))}
	l.Median.Value, l.Median.Known = stats.Percentile(stats.CountValues(all), 50)
	return l
}

func (c *cycleCounter) report(_ context.Context, r *Report) error {
	from := cmp.Or(c.o.Start, FromOpportunity)
	d := Cycle{From: from}
	var won, lost []time.Duration
	var spells []stats.Spell
	var unknown, backwards int64
	for _, s := range c.sorted() {
		begun := s.begins(from)
		at, wins := s.outcome()
		switch {
		case begun == 0:
			unknown++
			continue
		case at != 0 && at < begun:
			backwards++
			continue
		}
		length := time.Duration(at-begun) * time.Microsecond
		if isWon, isLost := c.closed(s); isWon {
			won = append(won, length)
		} else if isLost {
			lost = append(lost, length)
		}
		if begun < c.o.From {
			continue
		}
		switch {
		case wins:
			spells = append(spells, stats.Spell{Length: length, Ended: 1})
		case at == 0:
			spells = append(spells, stats.Spell{Length: time.Duration(c.o.end()-begun) * time.Microsecond, Open: 1})
		}
	}
	slices.Sort(won)
	d.Won, d.Lost = newLengths(won), newLengths(lost)
	var err error
	if d.Survival, err = stats.KaplanMeier(spells); err != nil {
		return err
	}
	r.Data = &d
	r.Definition = fmt.Sprintf("sales cycle: won - %s; plainly of the sales won in the period, and by Kaplan and Meier of those begun in it: %s", begins(from), stats.SurvivalFormula)
	r.note("lost sales are counted apart and are not in the curve")
	if len(c.o.Won) > 0 {
		r.note("a sale is a person's way to the first of %s", joined(c.o.Won))
	} else {
		r.note("a sale is a deal, counted once for all its people; it is won by Deal:Won and lost by Deal:Lost, by whichever came last")
	}
	if unknown > 0 {
		r.note("%d sales are left out: where they began was never told", unknown)
	}
	if backwards > 0 {
		r.note("%d sales are left out: they were closed before they began", backwards)
	}
	t := Table{"Sales cycle, days", []string{"Sales", "Number", "Mean", "Median"}, nil}
	for _, row := range []struct {
		name string
		l    Lengths
	}{{"won in the period", d.Won}, {"lost in the period", d.Lost}} {
		t.Rows = append(t.Rows, []string{row.name, number(row.l.N), maybeDays(row.l.Mean), maybeDays(row.l.Median)})
	}
	r.Tables = append(r.Tables, t, survivalTable("Days until won, of sales begun in the period", d.Survival))
	return nil
}

// begins says in words where a cycle starts.
func begins(from CycleStart) string {
	switch from {
	case FromLead:
		return "the first Lead:Created of any of its people"
	case FromFirstTouch:
		return "the first event of any of its people"
	}
	return "Deal:Created"
}

// survivalTable has one line of percentiles.
func survivalTable(title string, s stats.Survival) Table {
	row := []string{number(s.Spells), number(s.Ended), number(s.Spells - s.Ended)}
	for _, p := range []int{25, 50, 75, 90} {
		at, known := s.Percentile(p)
		row = append(row, maybeDays(stats.Duration{Known: known, Value: at}))
	}
	return Table{title, []string{"All", "Ended", "Open", "A quarter within", "Half within", "Three quarters within", "Nine tenths within"}, [][]string{row}}
}

func maybeDays(d stats.Duration) string {
	if !d.Known {
		return "not known"
	}
	return days(d.Value)
}

// joined writes names with commas.
func joined[T ~string](names []T) string {
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += string(n)
	}
	return text
}
