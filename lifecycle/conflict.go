package lifecycle

import (
	"fmt"
	"time"
)

// Why says in words why a claim or pin did not have its way.
func (c *Conflict) Why() string {
	switch c.Reason {
	case ConflictUnknownStage:
		return fmt.Sprintf("the plan has no stage %q", string(c.Stage))
	case ConflictIgnored:
		return fmt.Sprintf("the plan ignores claims of %s; its claims: say otherwise", c.Connection)
	case ConflictOutranked:
		return "another claim comes first in the plan: " + c.By
	case ConflictPinned:
		return "the stage is pinned by hand"
	case ConflictNotAhead:
		return "claims of " + c.Connection + " may only advance, and the person was further or elsewhere"
	case ConflictSideStage:
		return "claims of " + c.Connection + " may only advance along the path, and the stage is beside it"
	case ConflictBack:
		return "a policy of the plan forbids the move back, or holds it up"
	case ConflictExpired:
		return "it was over before it began"
	}
	return string(c.Reason)
}

// Spent gives the time that a person has spent in a stage up to an instant, the
// present visit included.
func (s *Standing) Spent(v Visit, now Instant) time.Duration {
	total := v.Total
	if v.Stage == s.Stage && now > v.Last {
		total = addSaturated(total, int64(now-v.Last))
	}
	return Instant(total).span()
}
