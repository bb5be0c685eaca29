package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// tellEffect prints what other events would do to people: from stage to stage,
// segments, pushes, each with some of the people.
func tellEffect(out io.Writer, e *jobs.RulesEffect) error {
	fmt.Fprintf(out, "%d people have other events by it, %d of them another stage or other segments; %d people are new\n", e.People, e.Changed, e.New)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range e.Stages {
		of := ""
		if f.Lifecycle != "" {
			of = " in " + f.Lifecycle
		}
		fmt.Fprintf(w, "  %s to %s%s: %d\t%s\n", stageName(lifecycle.Stage(f.From)), stageName(lifecycle.Stage(f.To)), of, f.People, forExample(f.Sample))
	}
	for _, s := range e.Parts {
		fmt.Fprintf(w, "  %s: %d enter, %d leave\t%s\n", s.Segment, s.Gained, s.Lost, forExample(append(append([]lifecycle.ProfileID{}, s.GainedSample...), s.LostSample...)))
	}
	for _, p := range e.Pushes {
		fmt.Fprintf(w, "  %s: %d people to push\t\n", p.Connection, p.People)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if e.Joined > 0 {
		fmt.Fprintf(out, "  %d events name several people, who may be joined; what that does is not foretold\n", e.Joined)
	}
	if !e.Whole {
		fmt.Fprintln(out, "  looked at the newest raw events that differ only")
	}
	return nil
}

func forExample(ids []lifecycle.ProfileID) string {
	if len(ids) == 0 {
		return ""
	}
	return "for example " + numbers(ids)
}

// tellBeyond prints what publishing a plan does besides the matrix; nothing for
// nil.
func tellBeyond(out io.Writer, b *jobs.PlanBeyond) error {
	if b == nil {
		return nil
	}
	when := "publishing it also"
	if b.Later {
		when = "finishing the rollout for everybody also"
	}
	var does []string
	if b.Identity {
		does = append(does, "changes who is who: people may be joined and taken apart, which none of these figures foretell")
	}
	r := b.Release
	if r != nil {
		does = append(does, fmt.Sprintf("judges %s again that %s parked for not fitting the plan; %d of them would be taken", rawEvents(r.RawEvents), isAre(r.RawEvents), r.Taken))
	}
	fmt.Fprintf(out, "\n%s %s\n", when, strings.Join(does, ", and "))
	if r == nil || r.Taken == 0 {
		return nil
	}
	fmt.Fprint(out, "on top of the moves above, ")
	return tellEffect(out, &r.Effect)
}

func isAre(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
