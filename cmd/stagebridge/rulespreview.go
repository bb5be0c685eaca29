package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
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
	fmt.Fprintln(out)
	if err := tellEffect(out, &r.Effect); err != nil {
		return err
	}
	if t := r.ReplayTime(); t > 0 {
		_, err := fmt.Fprintf(out, "\na replay of them takes about %s, at %.0f raw events a second as measured the last time\n", t.Round(time.Second), r.ReplayRate)
		return err
	}
	_, err := fmt.Fprintf(out, "\na replay of them takes longer than %s that this look took, since it writes as well; how long is not known before one was measured here\n", atLeast(r.Took))
	return err
}
