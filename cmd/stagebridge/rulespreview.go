package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// previewRules says what replaying raw events under draft rules would do.
func (p *program) previewRules(ctx context.Context, a *app, file string, f store.InboxFilter) error {
	source, err := readText(file)
	if err != nil {
		return err
	}
	one, err := a.admin.StartRulesPreview(ctx, jobs.RulesPreviewArgs{Connection: f.Connection, Rules: string(source), Filter: f}, cliAuthor)
	if errors.Is(err, store.ErrNotFound) {
		return unknownConnection(a, f.Connection)
	}
	if err != nil {
		return err
	}
	over, err := p.follow(ctx, a, one.ID)
	if err != nil {
		return err
	}
	var r jobs.RulesPreview
	if err := json.Unmarshal([]byte(over.Result), &r); err != nil {
		return fmt.Errorf("job %d: %w", over.ID, err)
	}
	return tellRulesPreview(p.stdout, &r)
}

func tellRulesPreview(out io.Writer, r *jobs.RulesPreview) error {
	fmt.Fprintf(out, "%d of %d raw events would give something else; nothing was written\n\n", r.Differ, r.RawEvents)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EVENT\tADDED\tREMOVED\tCHANGED")
	for _, e := range r.Events {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", e.Name, e.Added, e.Removed, e.Changed)
	}
	for _, o := range r.Outcomes {
		fmt.Fprintf(w, "%s raw events, then %s\t%d\t\t\n", o.From, o.To, o.RawEvents)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, e := range r.Events {
		for _, s := range e.Samples {
			fmt.Fprintf(out, "\nraw event %d\n", s.RawEvent)
			for _, side := range []struct {
				sign string
				text *jobs.EventText
			}{{"-", s.Was}, {"+", s.Is}} {
				if b, err := json.Marshal(side.text); err == nil && side.text != nil {
					fmt.Fprintf(out, "  %s %s\n", side.sign, b)
				}
			}
		}
	}
	e := &r.Effect
	fmt.Fprintf(out, "\n%d people have other events by it, %d of them another stage or other segments; %d people are new\n", e.People, e.Changed, e.New)
	for _, f := range e.Stages {
		fmt.Fprintf(out, "  %s to %s: %d\n", stageName(lifecycle.Stage(f.From)), stageName(lifecycle.Stage(f.To)), f.People)
	}
	for _, s := range e.Parts {
		fmt.Fprintf(out, "  %s: %d enter, %d leave\n", s.Segment, s.Gained, s.Lost)
	}
	if e.Joined > 0 {
		fmt.Fprintf(out, "  %d events name several people, who may be joined; what that does is not foretold\n", e.Joined)
	}
	if !e.Whole {
		fmt.Fprintln(out, "  looked at the newest raw events that differ only")
	}
	return nil
}
