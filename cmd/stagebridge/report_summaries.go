package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// summarise brings the summaries that reports read up to date, here or, where
// a server is at it already, by waiting for that.
func (p *program) summarise(ctx context.Context, a *app) error {
	behind, err := jobs.SummariesBehind(ctx, a.store)
	if err != nil || !behind {
		return err
	}
	one, err := a.works.StartSummaries(ctx, "stagebridge report")
	if err != nil {
		return err
	}
	one, err = a.works.Follow(ctx, one.ID, func(one store.Work) {
		fmt.Fprintf(p.stderr, "\r%s", summaryBar(&one))
	})
	if err != nil {
		fmt.Fprintln(p.stderr)
		return err
	}
	fmt.Fprintf(p.stderr, "\r%s\n", summaryBar(&one))
	if one.State != store.WorkDone {
		return fmt.Errorf("people are not summed up: job %d is %s: %s", one.ID, one.State, one.Error)
	}
	return nil
}

// barWidth is that of a full bar, in characters.
const barWidth = 30

func summaryBar(one *store.Work) string {
	full := 0
	if one.Total > 0 {
		full = int(min(one.Done, one.Total) * barWidth / one.Total)
	}
	line := fmt.Sprintf("summing people up [%s%s] %d of %d", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), one.Done, one.Total)
	if left, known := jobs.Remaining(one); known {
		line += fmt.Sprintf(", %s left  ", left.Round(time.Second))
	}
	return line
}
