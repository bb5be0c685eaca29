package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// planPreviewCommand says what publishing a plan would change.
func planPreviewCommand() command {
	c := command{name: "plan preview", operands: "[-percent N] FILE", summary: "say who would move, enter and leave segments and be pushed if the plan were published; writes nothing"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		percent := 100.0
		files, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.Float64Var(&percent, "percent", percent, "of all people under it, the others staying where they are")
		}, 1, 1)
		if err != nil {
			return err
		}
		share, err := shareOf(percent)
		if err != nil {
			return &usageError{c, err}
		}
		source, err := readText(files[0])
		if err != nil {
			return err
		}
		if _, err := parsePlan(files[0], source); err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error {
			preview, err := a.admin.PreviewPlan(ctx, source, jobs.PreviewOptions{Share: share, Progress: func(done, total int64) {
				fmt.Fprintf(p.stderr, "%d of %d people\n", done, total)
			}})
			if err != nil {
				return err
			}
			return tellPreview(p.stdout, preview)
		})
	}
	return c
}

// tellPreview prints the matrix, the segments and the pushes.
func tellPreview(out io.Writer, p *jobs.PlanPreview) error {
	fmt.Fprintf(out, "%d of %d people would change (%d told by their facts, %d events read for the others, in %s)\n", p.Changed, p.People, p.Decided, p.Events, p.Took.Round(10*time.Millisecond))
	if p.PublishRate > 0 {
		fmt.Fprintf(out, "publishing takes about %s, at %.0f people a second as measured the last time\n", p.PublishTime().Round(time.Second), p.PublishRate)
	} else {
		fmt.Fprintf(out, "publishing was not measured here yet; it writes as well and takes longer than %s that looking at everybody takes\n", atLeast(p.AtLeast()))
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FROM\tTO\tPEOPLE\tFOR EXAMPLE")
	of := ""
	for _, f := range p.Flows {
		if f.Lifecycle != of {
			of = f.Lifecycle
			fmt.Fprintf(w, "\t\t\t\n%s FROM\tTO\tPEOPLE\tFOR EXAMPLE\n", strings.ToUpper(of))
		}
		if f.From == f.To {
			fmt.Fprintf(w, "%s\tstays\t%d\t\n", stageName(f.From), f.People)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", stageName(f.From), stageName(f.To), f.People, numbers(f.Sample))
	}
	if len(p.Segments) > 0 {
		fmt.Fprintln(w, "\t\t\t\nSEGMENT\tENTER\tLEAVE\tFOR EXAMPLE")
	}
	for _, s := range p.Segments {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", s.Segment, s.Gained, s.Lost, numbers(append(append([]lifecycle.ProfileID{}, s.GainedSample...), s.LostSample...)))
	}
	if len(p.Pushes) > 0 {
		fmt.Fprintln(w, "\t\t\t\nCONNECTION\tPEOPLE TO PUSH\t\t")
	}
	for _, x := range p.Pushes {
		fmt.Fprintf(w, "%s\t%d\t\t\n", x.Connection, x.People)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := tellAccountsPreview(out, p.Accounts); err != nil {
		return err
	}
	return tellBeyond(out, p.Beyond)
}

func stageName(s lifecycle.Stage) string {
	if s == "" {
		return "(none)"
	}
	return string(s)
}

// atLeast says a time in words that are true of what takes longer.
func atLeast(d time.Duration) string {
	if d < 10*time.Millisecond {
		return "the moment"
	}
	return "the " + d.Truncate(10*time.Millisecond).String()
}

func numbers(ids []lifecycle.ProfileID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = fmt.Sprint(int64(id))
	}
	return strings.Join(words, " ")
}
