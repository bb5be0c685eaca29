package reports

import (
	"errors"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Counting says whom a funnel counts at a stage.
type Counting string

const (
	// Reached counts who entered the stage or any later one: a stage that was
	// skipped counts as passed. The steps then multiply to the whole.
	Reached Counting = "reached"
	// Entered counts explicit entries only. A step looks at those who entered
	// both stages, the later one not before the earlier; the steps do not
	// multiply to the whole.
	Entered Counting = "entered"
)

// Cohort says who is looked at and for how long.
type Cohort struct {
	// From and To bound the first entry into the first stage, From included and
	// To not; zero is open.
	From, To lifecycle.Instant
	// Window is how long after that entry moves still count; zero is without
	// end. With a window, whoever was counted into the cohort must be at least
	// that old.
	Window time.Duration
}

// StageCount is what was counted of one cohort at one path stage. Every person
// counts once, by the first entry.
type StageCount struct {
	Stage   lifecycle.Stage
	Reached int64 // entered this stage or a later one
	Entered int64 // entered this stage itself
	// FromPrevious and FromFirst are those who entered this stage at the time
	// of, or after, entering the stage before it and the first stage. They mean
	// nothing at the first stage.
	FromPrevious, FromFirst int64
}

// Funnel is the way of one cohort along the path.
type Funnel struct {
	Counting Counting     `json:"counting"`
	Cohort   Cohort       `json:"cohort"`
	Steps    []FunnelStep `json:"steps"`
	// Formula says in words what is divided by what.
	Formula string `json:"formula"`
}

// FunnelStep is one stage of a funnel. At the first stage both rates are
// unknown.
type FunnelStep struct {
	Stage        lifecycle.Stage `json:"stage"`
	People       int64           `json:"people"`
	FromPrevious Rate            `json:"from_previous"`
	FromFirst    Rate            `json:"from_first"`
}

// NewFunnel divides the counts, given in the order of the path. The error
// lists every count that contradicts another; counting must be Reached or
// Entered.
func NewFunnel(cohort Cohort, counting Counting, counts []StageCount) (Funnel, error) {
	if counting != Reached && counting != Entered {
		return Funnel{}, fmt.Errorf("reports: funnel: counting %q is neither %q nor %q", counting, Reached, Entered)
	}
	if err := checkCounts(counts); err != nil {
		return Funnel{}, fmt.Errorf("reports: funnel: %w", err)
	}
	f := Funnel{Counting: counting, Cohort: cohort, Formula: formula(cohort, counting), Steps: make([]FunnelStep, len(counts))}
	for i, c := range counts {
		step := FunnelStep{Stage: c.Stage, People: c.Entered}
		if counting == Reached {
			step.People = c.Reached
		}
		switch {
		case i == 0:
		case counting == Reached:
			step.FromPrevious = NewRate(c.Reached, counts[i-1].Reached)
			step.FromFirst = NewRate(c.Reached, counts[0].Reached)
		default:
			step.FromPrevious = NewRate(c.FromPrevious, counts[i-1].Entered)
			step.FromFirst = NewRate(c.FromFirst, counts[0].Entered)
		}
		f.Steps[i] = step
	}
	return f, nil
}

// checkCounts refuses counts that cannot have been counted of one cohort, so
// that a wrong query shows as an error instead of as a figure.
func checkCounts(counts []StageCount) error {
	var errs []error
	for i, c := range counts {
		refuse := func(format string, a ...any) {
			errs = append(errs, fmt.Errorf("stage %q: "+format, append([]any{c.Stage}, a...)...))
		}
		if c.Entered < 0 || c.FromPrevious < 0 || c.FromFirst < 0 || c.Reached < 0 {
			refuse("a negative count")
			continue
		}
		if c.Entered > c.Reached {
			refuse("%d entered and only %d reached it", c.Entered, c.Reached)
		}
		later := int64(0)
		if i+1 < len(counts) {
			later = counts[i+1].Reached
		}
		if skipped := c.Reached - c.Entered; skipped > max(later, 0) {
			refuse("%d reached it without entering it and only %d reached a later one", skipped, later)
		}
		if i == 0 {
			continue
		}
		if before := counts[i-1]; c.Reached > before.Reached {
			refuse("%d reached it and only %d the stage before", c.Reached, before.Reached)
		} else if c.FromPrevious > min(c.Entered, before.Entered) {
			refuse("%d came from the stage before, which %d entered, and %d entered it", c.FromPrevious, before.Entered, c.Entered)
		}
		if c.FromFirst > min(c.Entered, counts[0].Entered) {
			refuse("%d came from the first stage, which %d entered, and %d entered it", c.FromFirst, counts[0].Entered, c.Entered)
		}
	}
	return errors.Join(errs...)
}

// formula is the sentence that goes with the figures.
func formula(c Cohort, counting Counting) string {
	text := "people of the cohort who entered the stage, at the time of or after entering the stage before it (or the first), divided by those who entered that one; explicit entries only"
	if counting == Reached {
		text = "people of the cohort who reached the stage or a later one, divided by those who reached the stage before it (or the first); skipped stages count as passed"
	}
	text += "; the cohort is everybody whose first entry into the first stage was "
	switch {
	case c.From != 0 && c.To != 0:
		text += "from " + utc(c.From) + " and before " + utc(c.To)
	case c.From != 0:
		text += "from " + utc(c.From) + " on"
	case c.To != 0:
		text += "before " + utc(c.To)
	default:
		text += "at any time"
	}
	if c.Window > 0 {
		text += fmt.Sprintf("; moves within %s of that entry count, and younger people are left out", span(c.Window))
	}
	return text + "; first entries, persons, UTC; 95 % interval by Wilson's formula, z = 1.96"
}

func utc(i lifecycle.Instant) string { return i.Time().Format(time.RFC3339) }

// span writes whole days as days.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("%d d", d/day)
	}
	return d.String()
}
