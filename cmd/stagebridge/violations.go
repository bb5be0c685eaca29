package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// violationsPage is how many violations are read at once.
const violationsPage = 500

// violationsCommand lists what does not fit the plan, and releases what was
// parked for it.
func violationsCommand() command {
	c := command{name: "violations", operands: "[-connection ID] [-class CLASS] [-event NAME] [-release [-dry-run]]",
		summary: "list events that do not fit the plan by class, with counts and raw events as samples, or have those judged again that are parked for it"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		var f store.ViolationFilter
		var class, event string
		var release, dryRun bool
		if _, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.StringVar(&f.Connection, "connection", "", "only of this connection")
			set.StringVar(&class, "class", "", "only of this class: "+join(lifecycle.Classes()))
			set.StringVar(&event, "event", "", "only of this event")
			set.BoolVar(&release, "release", false, "judge the parked raw events again, after the plan or the rules were mended")
			set.BoolVar(&dryRun, "dry-run", false, "with -release: only count them")
		}, 0, 0); err != nil {
			return err
		}
		f.Class, f.Event = lifecycle.ViolationClass(class), lifecycle.EventName(event)
		switch {
		case class != "" && !slices.Contains(lifecycle.Classes(), f.Class):
			return &usageError{c, fmt.Errorf("-class is %q, want one of %s", class, join(lifecycle.Classes()))}
		case release && event != "":
			return &usageError{c, fmt.Errorf("-release takes -connection and -class: a raw event is parked whole")}
		case dryRun && !release:
			return &usageError{c, fmt.Errorf("-dry-run wants -release")}
		}
		return p.withApp(ctx, func(a *app) error {
			if f.Connection != "" && !slices.Contains(a.registry.IDs(), f.Connection) {
				return unknownConnection(a, f.Connection)
			}
			if release {
				return p.release(ctx, a, jobs.ReleaseFilter{Connection: f.Connection, Class: f.Class}, dryRun)
			}
			return p.violations(ctx, a, f)
		})
	}
	return c
}

func join(classes []lifecycle.ViolationClass) string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// violations prints what was found, a line each.
func (p *program) violations(ctx context.Context, a *app, f store.ViolationFilter) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLASS\tCONNECTION\tEVENT\tPROPERTY\tRULE\tACTION\tFOUND\tLAST\tSAMPLES")
	f.Limit = violationsPage
	for {
		all, next, err := a.admin.Violations(ctx, f)
		if err != nil {
			return err
		}
		for i := range all {
			v := &all[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", v.Class, v.Connection, v.Event, dash(v.Property), dash(v.Rule), v.Action, v.Count, when(v.Last),
				strings.Trim(fmt.Sprint(v.Samples), "[]"))
		}
		if f.After = next; next == "" {
			return w.Flush()
		}
	}
}

// release has parked raw events judged again and tells how many.
func (p *program) release(ctx context.Context, a *app, f jobs.ReleaseFilter, dryRun bool) error {
	n, one, err := a.admin.Release(ctx, f, cliAuthor, dryRun)
	if err != nil {
		return err
	}
	if dryRun {
		_, err := fmt.Fprintf(p.stdout, "%s would be judged again\n", rawEvents(int64(n)))
		return err
	}
	over, err := p.follow(ctx, a, one.ID)
	if err != nil {
		return err
	}
	var r jobs.Released
	if err := json.Unmarshal([]byte(over.Result), &r); err != nil {
		return fmt.Errorf("job %d: %w", one.ID, err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s judged again by the plan and rules as they are (job %d)\n", rawEvents(r.Judged), one.ID)
	return err
}
