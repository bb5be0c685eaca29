package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/store"
)

// replayable are the states that a raw event may be replayed from.
var replayable = [...]string{"done", "ignored", "quarantined", "failed"}

// replayCommand makes raw events be processed again.
func replayCommand() command {
	c := command{
		name:     "replay",
		operands: "[-dry-run [-rules FILE]] -all | FILTER…",
		summary:  "process raw events again; what they gave is replaced, nothing counts twice",
	}
	c.run = func(ctx context.Context, p *program, args []string) error {
		var f store.InboxFilter
		var since, until string
		var dryRun, all bool
		var rules, person string
		if _, err := p.parse(c, args, func(set *flag.FlagSet) {
			set.BoolVar(&dryRun, "dry-run", false, "only count them")
			set.StringVar(&rules, "rules", "", "with -dry-run and -connection: say what they would give under the rules in this file, and what that would do to people")
			set.BoolVar(&all, "all", false, "every raw event there is; wanted in place of a filter")
			set.StringVar(&f.Connection, "connection", "", "that came in by this connection")
			set.StringVar(&f.Status, "status", "", strings.Join(replayable[:], ", "))
			set.StringVar(&f.Type, "type", "", "of this type, in the vendor's words")
			set.StringVar(&f.Step, "step", "", "that stopped at this step: decode, enrich, map, identify, plan, internal")
			set.StringVar(&f.Reason, "reason", "", "that stopped for this reason")
			set.StringVar(&f.Rule, "rule", "", "that this rule matched")
			set.StringVar(&person, "person", "", "that gave events of this person: a key such as email:ann@example.com, or the number")
			set.StringVar(&since, "since", "", "received at or after: a date, a time, or how long ago (2026-11-01, 2026-11-01T08:00:00Z, 36h)")
			set.StringVar(&until, "until", "", "received at or before, in the same forms")
		}, 0, 0); err != nil {
			return err
		}
		var err error
		now := time.Now()
		if f.Since, err = moment("since", since, now, false); err != nil {
			return &usageError{c, err}
		}
		if f.Until, err = moment("until", until, now, true); err != nil {
			return &usageError{c, err}
		}
		if f.Status != "" && !slices.Contains(replayable[:], f.Status) {
			return &usageError{c, fmt.Errorf("-status is %q, want %s", f.Status, strings.Join(replayable[:], ", "))}
		}
		if rules != "" && (!dryRun || f.Connection == "" || all) {
			return &usageError{c, fmt.Errorf("-rules wants -dry-run and -connection; publish them and replay to do it")}
		}
		if (f == store.InboxFilter{} && person == "") != all {
			return &usageError{c, fmt.Errorf("wants either a filter or -all")}
		}
		return p.withApp(ctx, func(a *app) error {
			if person != "" {
				who, err := a.findPerson(ctx, person)
				if err != nil {
					return err
				}
				f.Person = who.ID
			}
			if rules != "" {
				return p.previewRules(ctx, a, rules, f)
			}
			return p.replay(ctx, a, f, dryRun)
		})
	}
	return c
}

func (p *program) replay(ctx context.Context, a *app, f store.InboxFilter, dryRun bool) error {
	if f.Connection != "" {
		// Raw events outlive their connection, so a name that is none now is
		// refused only where nothing came in by it either.
		_, err := a.registry.Find(ctx, f.Connection)
		page, inboxErr := a.store.Inbox(ctx, store.InboxFilter{Connection: f.Connection, Limit: 1})
		if inboxErr != nil {
			return inboxErr
		}
		if err != nil && len(page.Rows) == 0 {
			return unknownConnection(a, f.Connection)
		}
	}
	n, one, err := a.admin.Replay(ctx, f, cliAuthor, dryRun)
	if err != nil {
		return err
	}
	if dryRun {
		_, err = fmt.Fprintf(p.stdout, "%s would be processed again\n", rawEvents(n))
		return err
	}
	return p.followReplay(ctx, a, one.ID)
}

// followReplay waits until a replay is over and says what came of it.
func (p *program) followReplay(ctx context.Context, a *app, id int64) error {
	over, err := p.follow(ctx, a, id)
	if err != nil {
		return err
	}
	var done jobs.Replayed
	if err := json.Unmarshal([]byte(over.Result), &done); err != nil {
		return fmt.Errorf("job %d: %w", id, err)
	}
	fmt.Fprintf(p.stdout, "%s (job %d)\n", done.Summary, id)
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, e := range done.Events {
		fmt.Fprintf(w, "  %s\t%d added\t%d taken back\t%d changed\n", e.Name, e.Added, e.Removed, e.Changed)
	}
	for _, o := range done.Outcomes {
		fmt.Fprintf(w, "  %s before, now %s\t%s\n", o.From, o.To, rawEvents(o.RawEvents))
	}
	return w.Flush()
}

func rawEvents(n int64) string {
	if n == 1 {
		return "1 raw event"
	}
	return fmt.Sprintf("%d raw events", n)
}

func unknownConnection(a *app, id string) error {
	ids := a.registry.IDs()
	switch near := document.Nearest(id, ids); {
	case near != "":
		return fmt.Errorf("there is no connection %q; did you mean %s?", id, near)
	case len(ids) == 0:
		return fmt.Errorf("there is no connection %q, and no other yet", id)
	}
	return fmt.Errorf("there is no connection %q; there are %s", id, strings.Join(ids, ", "))
}

// moment reads a flag that names a time. A date alone is its beginning, or
// with end the last microsecond of it; zero for no text.
func moment(name, text string, now time.Time, end bool) (lifecycle.Instant, error) {
	if text == "" {
		return 0, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return lifecycle.At(at), nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			day = day.AddDate(0, 0, 1).Add(-time.Microsecond)
		}
		return lifecycle.At(day), nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return lifecycle.At(now.Add(-ago)), nil
	}
	return 0, fmt.Errorf("-%s is %q, want a date (2026-11-01), a time (2026-11-01T08:00:00Z) or how long ago (36h)", name, text)
}
