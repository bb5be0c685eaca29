package stats

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/stagebridge/stagebridge/reports"
)

// RetentionKind says who counts as retained in the n-th period after the first.
type RetentionKind string

const (
	// Bounded counts who was active in exactly that period.
	Bounded RetentionKind = "bounded"
	// Rolling counts who was active in that period or any later one.
	Rolling RetentionKind = "rolling"
)

const (
	// maxCells bounds the periods of one cohort, and so the table: three years
	// of days, twenty of weeks.
	maxCells = 1100
	// maxPeople bounds one cell. It is more people than there are, and all
	// cells of all cohorts still add up within int64.
	maxPeople = 1 << 38
)

// CohortCount is how many people of a cohort count at a period. The cohort is
// the first period that they were ever active in. Rows add up.
type CohortCount struct {
	Cohort Period
	// Period is one in which People were active (for Bounded; the first one
	// included), or the last one in which they were (for Rolling, where every
	// person is in one row only).
	Period Period
	People int64
}

// Retention is who came back, by cohort.
type Retention struct {
	Kind RetentionKind `json:"kind"`
	Unit Unit          `json:"unit"`
	// Through is the last period that is over. Later ones are not shown, since
	// not everybody had the time to come back in them.
	Through Period `json:"through"`
	// TooOld are the people of cohorts that began 1,100 periods or more before
	// Through, or at a time that cannot be. They are left out; ask for longer
	// periods to see them.
	TooOld int64 `json:"too_old"`
	// Cohorts are in the order of time.
	Cohorts []RetentionRow `json:"cohorts"`
	// Overall has at n those of all cohorts that are n periods old.
	Overall []reports.Rate `json:"overall"`
	Formula string         `json:"formula"`
}

// RetentionRow is one cohort.
type RetentionRow struct {
	Cohort Period `json:"cohort"`
	Label  string `json:"label"`
	People int64  `json:"people"`
	// Cells has at n the share that was active in the n-th period after the
	// first one; at 0 it is everybody.
	Cells []reports.Rate `json:"cells"`
}

// CountRetention counts people by the periods they were active in, each given
// in any order, repeats allowed. People who were never active count nowhere.
func CountRetention(kind RetentionKind, people iter.Seq[[]Period]) []CohortCount {
	type cell struct{ cohort, period Period }
	counts := map[cell]int64{}
	for periods := range people {
		if len(periods) == 0 {
			continue
		}
		active := slices.Compact(slices.Sorted(slices.Values(periods)))
		first := active[0]
		if kind == Rolling {
			active = active[len(active)-1:]
		}
		for _, p := range active {
			counts[cell{first, p}]++
		}
	}
	all := make([]CohortCount, 0, len(counts))
	for c, n := range counts {
		all = append(all, CohortCount{c.cohort, c.period, n})
	}
	slices.SortFunc(all, func(a, b CohortCount) int {
		return cmp.Or(cmp.Compare(a.Cohort, b.Cohort), cmp.Compare(a.Period, b.Period))
	})
	return all
}

// NewRetention divides the counts: active in the n-th period (or then or
// later) / size of the cohort. Cohorts that began after through are left out.
// The error wraps ErrCounts where counts contradict each other.
func NewRetention(kind RetentionKind, unit Unit, through Period, counts []CohortCount) (Retention, error) {
	if kind != Bounded && kind != Rolling {
		return Retention{}, fmt.Errorf("stats: retention: kind %q is neither %q nor %q", kind, Bounded, Rolling)
	}
	r := Retention{Kind: kind, Unit: unit, Through: through, Cohorts: []RetentionRow{}, Overall: []reports.Rate{}, Formula: retentionFormula(kind, unit)}
	people := map[Period][]int64{} // by cohort, at n the people of that period
	for _, c := range counts {
		if c.Cohort > through {
			continue
		}
		// The difference of periods far apart overflows; then it is negative.
		if age := through - c.Cohort; age >= maxCells || age < 0 {
			if kind == Rolling || c.Period == c.Cohort {
				r.TooOld += max(0, min(c.People, maxPeople-r.TooOld))
			}
			continue
		}
		cells, err := addCell(people[c.Cohort], kind, through, c)
		if err != nil {
			return Retention{}, fmt.Errorf("stats: retention: cohort %s: %w", unit.Label(c.Cohort), err)
		}
		people[c.Cohort] = cells
	}
	var hits, of []int64
	for cohort, cells := range people {
		if kind == Rolling { // active then or later: add up from the end
			for n := len(cells) - 2; n >= 0; n-- {
				cells[n] += cells[n+1]
			}
		}
		row := RetentionRow{Cohort: cohort, Label: unit.Label(cohort), People: cells[0], Cells: make([]reports.Rate, len(cells))}
		for n, active := range cells {
			if active > row.People {
				return Retention{}, fmt.Errorf("stats: retention: cohort %s: %w: %d of %d people in period %d", row.Label, ErrCounts, active, row.People, n)
			}
			row.Cells[n] = reports.NewRate(active, row.People)
			if n == len(hits) {
				hits, of = append(hits, 0), append(of, 0)
			}
			hits[n] += active
			of[n] += row.People
		}
		r.Cohorts = append(r.Cohorts, row)
	}
	slices.SortFunc(r.Cohorts, func(a, b RetentionRow) int { return cmp.Compare(a.Cohort, b.Cohort) })
	for n := range hits {
		r.Overall = append(r.Overall, reports.NewRate(hits[n], of[n]))
	}
	return r, nil
}

// addCell puts a count in its place. What happened after the last whole period
// is not shown; for Rolling it still proves that somebody stayed.
func addCell(cells []int64, kind RetentionKind, through Period, c CohortCount) ([]int64, error) {
	switch {
	case c.People < 0:
		return nil, fmt.Errorf("%w: %d people", ErrCounts, c.People)
	case c.Period < c.Cohort:
		return nil, fmt.Errorf("%w: people active before their first period", ErrCounts)
	}
	if cells == nil {
		cells = make([]int64, through-c.Cohort+1)
	}
	at := c.Period
	if at > through {
		if kind == Bounded {
			return cells, nil
		}
		at = through
	}
	if cells[at-c.Cohort] > maxPeople-c.People {
		return nil, fmt.Errorf("%w: too many people", ErrCounts)
	}
	cells[at-c.Cohort] += c.People
	return cells, nil
}

func retentionFormula(kind RetentionKind, unit Unit) string {
	when := "exactly in"
	if kind == Rolling {
		when = "in or after"
	}
	return fmt.Sprintf("people of the cohort who were active %s the n-th %s of the calendar after their first one, divided by all people of the cohort; "+
		"%ss that are not over are left out; 95 %% interval by Wilson's formula, z = 1.96", when, unit, unit)
}
