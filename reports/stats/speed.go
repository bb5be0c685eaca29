package stats

import (
	"fmt"
	"time"
)

// Duration is a length of time that may be unknown.
type Duration struct {
	Known bool          `json:"known"`
	Value time.Duration `json:"ns"`
}

// Share is a share, 0 to 1, that may be unknown.
type Share struct {
	Known bool    `json:"known"`
	Value float64 `json:"value"`
}

// Speed is how fast leads are answered.
type Speed struct {
	Leads    int64 `json:"leads"`
	Answered int64 `json:"answered"`
	// Median and P90 are the waits by which half and nine tenths of the leads
	// have an answer; unknown where too few do.
	Median Duration `json:"median"`
	P90    Duration `json:"p90"`
	// Within is the share with an answer within Goal.
	Goal    time.Duration `json:"goal_ns"`
	Within  Share         `json:"within"`
	Formula string        `json:"formula"`
}

// LeadGoal is the wait that speed to lead is commonly measured by.
const LeadGoal = 5 * time.Minute

// NewSpeed estimates from waits: ended with an answer, open without one so far.
// A lead that has waited for less than the goal is neither met nor missed. The
// error wraps ErrCounts.
func NewSpeed(waits []Spell, goal time.Duration) (Speed, error) {
	curve, err := KaplanMeier(waits)
	if err != nil {
		return Speed{}, fmt.Errorf("stats: speed: %w", err)
	}
	s := Speed{Leads: curve.Spells, Answered: curve.Ended, Goal: goal, Formula: SpeedFormula}
	s.Median.Value, s.Median.Known = curve.Median()
	s.P90.Value, s.P90.Known = curve.Percentile(90)
	s.Within.Value, s.Within.Known = curve.EndedBy(goal)
	return s, nil
}
