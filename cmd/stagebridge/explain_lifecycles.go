package main

import (
	"fmt"
	"io"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// tellLifecycles prints where a person stands in the lifecycles beside the main
// one, why, and what is missing for their other stages.
func tellLifecycles(out io.Writer, all []lifecycle.Explanation) {
	for i := range all {
		x := &all[i]
		if x.Stage == "" {
			fmt.Fprintf(out, "\nlifecycle %s: not in a stage\n", x.Lifecycle)
		} else {
			fmt.Fprintf(out, "\nlifecycle %s: %s, since %s, by %s\n", x.Lifecycle, x.Stage, when(x.Since), x.Via)
		}
		if x.Condition != "" {
			fmt.Fprintf(out, "  condition: %s\n", oneLine(x.Condition))
			tellReason(out, x.Why, "    ")
		}
		if x.StaysUntil != 0 {
			fmt.Fprintf(out, "  stays at least until %s\n", when(x.StaysUntil))
		}
		if x.Path != x.Stage && x.Path != "" {
			fmt.Fprintf(out, "  furthest on the path: %s, since %s\n", x.Path, when(x.PathSince))
		}
		for j := range x.Next {
			tellOutlook(out, &x.Next[j])
		}
	}
}
