package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomScores draws scores for randomPlan, of a few kinds, so that a plan often
// has the score of the one before it.
func randomScores(r *rand.Rand) string {
	var b strings.Builder
	if r.IntN(3) > 0 {
		fmt.Fprintf(&b, "  heat:\n    half_life: %dd\n    max: 30\n    events:\n      Demo:Requested: 20\n      Order:Completed: { points: 5, most: 8 }\n", 3+4*r.IntN(2))
		b.WriteString("    traits:\n      within(\"Account:Created\", \"12d\"): 4\n")
	}
	if r.IntN(3) > 0 {
		fmt.Fprintf(&b, "  orders:\n    events:\n      Order:Completed: %d\n      Review:Posted: 3\n    traits:\n      - { when: 'traits.company == \"c1\"', points: -2 }\n", 5+5*r.IntN(2))
	}
	if b.Len() == 0 {
		return ""
	}
	return "scores:\n" + b.String()
}
