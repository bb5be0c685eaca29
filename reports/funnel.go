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
	// Reached takes a stage that was skipped as passed: the time of a stage is that
	// of the first entry into it or any later one. Without a window the steps
	// multiply to the whole.
	Reached Counting = "reached"
	// Entered counts explicit entries only: the time of a stage is that of the
	// first entry into it. The steps do not multiply to the whole.
	Entered Counting = "entered"
)

// Cohort says who is looked at and for how long.
type Cohort struct {
	// From and To bound the time of the first stage, From included and To not;
	// zero is open.
	From, To lifecycle.Instant
	// Window is how long after the time of one stage that of another still
	// counts; zero is without end. Whoever is younger than that is left out.
	Window time.Duration
}

// StageCount is what was counted of one cohort at one path stage. Every person
// counts once.
type StageCount struct {
	Stage lifecycle.Stage
	// People came to the stage, with a window within it since the first stage. At
	// the first stage they are the cohort.
	People int64
	// Before came to the stage before, long enough ago to tell, and FromPrevious
	// of them to this one: not earlier, and within the window since then. They
	// mean nothing at the first stage.
	Before, FromPrevious int64
	// FromFirst are those of the cohort who came to this stage not earlier than to
	// the first one, and within the window since then.
	FromFirst int64
}

// Funnel is the way of one cohort along the path.
type Funnel struct {
	Counting Counting     `json:"counting"`
	Cohort   Cohort       `json:"cohort"`
	Steps    []FunnelStep `json:"steps"`
	// Formula says in words what is divided by what.
	Formula string `json:"formula"`
	// Cohorts are the same by the period of the first stage, in order; nil where
	// they were not asked for.
	Cohorts []FunnelCohort `json:"cohorts,omitempty"`
}

// FunnelCohort is the way of those who began in one period.
type FunnelCohort struct {
	Period string       `json:"period"`
	Steps  []FunnelStep `json:"steps"`
}

// FunnelStep is one stage of a funnel. At the first stage both rates are
// unknown.
type FunnelStep struct {
	Stage        lifecycle.Stage `json:"stage"`
	People       int64           `json:"people"`
	FromPrevious Rate            `json:"from_previous"`
	FromFirst    Rate            `json:"from_first"`
}

// NewFunnel divides the counts, given in the order of the path and made by the
// counting: Reached or Entered. The error lists every count that contradicts
// another.
func NewFunnel(cohort Cohort, counting Counting, counts []StageCount) (Funnel, error) {
	if counting != Reached && counting != Entered {
		return Funnel{}, fmt.Errorf("reports: funnel: counting %q is neither %q nor %q", counting, Reached, Entered)
	}
	steps, err := NewSteps(counts)
	if err != nil {
		return Funnel{}, err
	}
	return Funnel{Counting: counting, Cohort: cohort, Formula: formula(cohort, counting), Steps: steps}, nil
}

// NewSteps divides the counts of one cohort, given in the order of the path. The
// error lists every count that contradicts another.
func NewSteps(counts []StageCount) ([]FunnelStep, error) {
	if err := checkCounts(counts); err != nil {
		return nil, fmt.Errorf("reports: funnel: %w", err)
	}
	steps := make([]FunnelStep, len(counts))
	for i, c := range counts {
		steps[i] = FunnelStep{Stage: c.Stage, People: c.People}
		if i > 0 {
			steps[i].FromPrevious = NewRate(c.FromPrevious, c.Before)
			steps[i].FromFirst = NewRate(c.FromFirst, counts[0].People)
		}
	}
	return steps, nil
}

// checkCounts refuses counts that cannot have been counted of one cohort, so
// that a wrong query shows as an error instead of as a figure.
func checkCounts(counts []StageCount) error {
	var errs []error
	for i, c := range counts {
		refuse := func(format string, a ...any) {
			errs = append(errs, fmt.Errorf("stage %q: "+format, append([]any{c.Stage}, a...)...))
		}
		cohort := counts[0].People
		switch {
		case c.People < 0 || c.Before < 0 || c.FromPrevious < 0 || c.FromFirst < 0:
			refuse("a negative count")
		case i == 0:
		case c.People > cohort || c.Before > cohort:
			refuse("%d came to it and %d to the stage before, and the cohort is %d", c.People, c.Before, cohort)
		case c.FromPrevious > c.Before:
			refuse("%d came from the stage before, to which %d came", c.FromPrevious, c.Before)
		case c.FromFirst > c.People:
			refuse("%d came from the first stage, and %d at all", c.FromFirst, c.People)
		}
	}
	return errors.Join(errs...)
}

// formula is the sentence that goes with the figures.
func formula(c Cohort, counting Counting) string {
	text := "step i to j = people of the cohort with t_i <= t_j"
	if c.Window > 0 {
		text += fmt.Sprintf(" <= t_i + %s", span(c.Window))
	}
	text += " / people of the cohort with t_i, where i is the stage before j, or the first; "
	if counting == Reached {
		text += "t is the first entry into the stage or any later one, so that a skipped stage counts as passed"
	} else {
		text += "t is the first entry into the stage itself"
	}
	text += "; the cohort is everybody whose t of the first stage was "
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
		text += fmt.Sprintf("; who came to i less than %s ago is left out of the step, and who came to the first stage less than that ago of all", span(c.Window))
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
