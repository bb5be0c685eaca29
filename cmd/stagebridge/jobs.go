package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// workStates are those that long work can be listed by.
var workStates = [...]store.WorkState{store.WorkQueued, store.WorkRunning, store.WorkDone, store.WorkFailed, store.WorkCanceled}

// jobsListCommand lists long work.
func jobsListCommand() command {
	c := command{name: "jobs list", operands: "[-kind KIND] [-state STATE] [-limit N]", summary: "list long work, newest first: how far it is, who began it and why"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		f := store.WorkFilter{Limit: 20}
		state := ""
		if _, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.StringVar(&f.Kind, "kind", "", "only of this kind, such as 'plan publish'")
			set.StringVar(&state, "state", "", "only in this state: "+stateNames())
			set.IntVar(&f.Limit, "limit", f.Limit, "how many, 1 to 500")
		}, 0, 0); err != nil {
			return err
		}
		if f.State = store.WorkState(state); state != "" && !strings.Contains(", "+stateNames()+",", ", "+state+",") {
			return &usageError{c, fmt.Errorf("-state is %q, want %s", state, stateNames())}
		}
		if f.Limit < 1 || f.Limit > 500 {
			return &usageError{c, fmt.Errorf("-limit is %d, want 1 to 500", f.Limit)}
		}
		return p.withApp(ctx, func(a *app) error {
			all, err := a.store.Works(ctx, f)
			if err != nil {
				return err
			}
			return tellWorks(p.stdout, all, a.works.Unit)
		})
	}
	return c
}

func stateNames() string {
	names := make([]string, len(workStates))
	for i, s := range workStates {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// tellWorks prints a line per piece of work.
func tellWorks(out io.Writer, all []store.Work, unit func(kind string) string) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "there is none")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "JOB\tBEGUN\tKIND\tABOUT\tSTATE\tDONE\tBY\tREASON")
	for i := range all {
		one := &all[i]
		done := fmt.Sprintf("%d %s", one.Done, unit(one.Kind))
		if one.Total > 0 {
			done = fmt.Sprintf("%d of %d %s", one.Done, one.Total, unit(one.Kind))
		}
		if left, known := jobs.Remaining(one); known {
			done += ", " + left.Round(time.Second).String() + " left"
		}
		state := string(one.State)
		if one.Cancel && one.State.Live() {
			state += ", canceling"
		}
		why := oneLine(one.Reason)
		if one.State == store.WorkFailed {
			why = oneLine(one.Error)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.ID, when(one.Created), one.Kind, oneLine(one.Subject), state, done, one.Author, why)
	}
	return w.Flush()
}

// jobsCancelCommand ends long work.
func jobsCancelCommand() command {
	c := command{name: "jobs cancel", operands: "JOB", summary: "end long work; publishing a plan puts back what was in force before, everything else leaves what was done"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		ids, err := p.parse(c, args, nil, 1, 1)
		if err != nil {
			return err
		}
		id, err := strconv.ParseInt(ids[0], 10, 64)
		if err != nil || id <= 0 {
			return &usageError{c, fmt.Errorf("%q is no number of a job; 'stagebridge jobs list' shows them", ids[0])}
		}
		return p.withApp(ctx, func(a *app) error { return p.cancelWork(ctx, a, id) })
	}
	return c
}

// cancelWork asks for work to end and waits until it has.
func (p *program) cancelWork(ctx context.Context, a *app, id int64) error {
	one, err := a.works.Cancel(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no job %d; 'stagebridge jobs list' shows them", id)
	}
	if err != nil {
		return err
	}
	if !one.State.Live() && one.State != store.WorkCanceled {
		return fmt.Errorf("job %d is %s; nothing was changed", id, one.State)
	}
	if one.State.Live() {
		if one, err = a.works.Follow(ctx, id, nil); err != nil {
			return err
		}
	}
	if one.State != store.WorkCanceled {
		return fmt.Errorf("job %d is %s before it could be canceled", id, one.State)
	}
	_, err = fmt.Fprintf(p.stdout, "job %d is canceled, after %d %s\n", id, one.Done, a.works.Unit(one.Kind))
	return err
}
