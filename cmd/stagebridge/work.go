package main

import (
	"context"
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// cliAuthor stands as author of what this command line publishes.
const cliAuthor = "command line"

// follow does a piece of long work here, or waits for the server that is at
// it, and shows its progress. Whoever interrupts it leaves it to the server
// that runs or the next that starts.
func (p *program) follow(ctx context.Context, a *app, id int64) (store.Work, error) {
	told := time.Now()
	one, err := a.works.Follow(ctx, id, func(w store.Work) {
		if time.Since(told) < time.Second {
			return
		}
		told = time.Now()
		fmt.Fprintln(p.stderr, progressLine(&w, a.works.Unit(w.Kind)))
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return one, fmt.Errorf("job %d is not done; the server that runs, or the next that starts, goes on with it", id)
	case err != nil:
		return one, err
	case one.State == store.WorkFailed:
		return one, fmt.Errorf("job %d: %s", id, one.Error)
	case one.State == store.WorkCanceled:
		return one, fmt.Errorf("job %d was canceled", id)
	}
	return one, nil
}

func progressLine(w *store.Work, unit string) string {
	line := fmt.Sprintf("job %d: %d %s", w.ID, w.Done, unit)
	if w.Total > 0 {
		line = fmt.Sprintf("job %d: %d of %d %s (%d %%)", w.ID, w.Done, w.Total, unit, 100*w.Done/w.Total)
	}
	if w.Rate > 0 {
		line += fmt.Sprintf(", %.0f/s", w.Rate)
	}
	if left, known := jobs.Remaining(w); known {
		line += ", " + left.Round(time.Second).String() + " left"
	}
	return line
}
