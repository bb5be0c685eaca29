package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// tellStances prints the times in each stage, the claims that stand, and those
// that did not have their way with what won.
func tellStances(out io.Writer, plan *lifecycle.Plan, prof *lifecycle.Profile, now lifecycle.Instant) {
	fmt.Fprint(out, "\ntimes in stages:\n")
	for v := range prof.Visits() {
		times := "once"
		if v.Count > 1 {
			times = fmt.Sprintf("%d times, first %s", v.Count, when(v.First))
		}
		fmt.Fprintf(out, "  %s: %s, last entered %s, %s in all", v.Stage, times, when(v.Last), span(prof.Spent(v, now)))
		if v.Stage == prof.Stage {
			fmt.Fprint(out, ", still there")
		}
		fmt.Fprintln(out)
	}
	if claims := slices.Collect(prof.Claims()); len(claims) > 0 {
		fmt.Fprint(out, "\nclaims:\n")
		for _, c := range claims {
			state := "no longer counts"
			switch until := plan.Until(c); {
			case until > lifecycle.At(time.Unix(1<<40, 0)):
				state = "counts until its next"
			case until > now:
				state = "counts until " + when(until)
			}
			fmt.Fprintf(out, "  %s says %s, %s: %s\n", c.Connection, c.Stage, when(c.At), state)
		}
	}
	if conflicts := slices.Collect(prof.Conflicts()); len(conflicts) > 0 {
		fmt.Fprint(out, "\nclaims and pins that did not have their way:\n")
		for _, c := range slices.Backward(conflicts) {
			who := c.Connection + " said"
			if c.Connection == "" {
				who = "a pin to"
			}
			fmt.Fprintf(out, "  %s %s %s; shown was %s: %s\n", when(c.At), who, c.Stage, c.Won, c.Why())
		}
	}
}

// span spells a duration in days and what is left of one.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	days, rest := d/day, (d % day).Truncate(time.Second)
	if days == 0 {
		return rest.String()
	}
	return fmt.Sprintf("%dd %s", days, rest.Truncate(time.Minute))
}
