package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// scoreCommand computes what customers are worth and writes it down as traits.
func scoreCommand() command {
	c := command{name: "score", summary: "compute traits.clv, traits.p_alive and traits.rfm of every customer"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		if _, err := p.parse(c, args, func(*flag.FlagSet) {}, 0, 0); err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.score(ctx, a) })
	}
	return c
}

func (p *program) score(ctx context.Context, a *app) error {
	one, err := a.works.StartScores(ctx, "stagebridge score")
	if err != nil {
		return err
	}
	one, err = a.works.Follow(ctx, one.ID, func(one store.Work) {
		fmt.Fprintf(p.stderr, "\r%s", scoreLine(&one))
	})
	fmt.Fprint(p.stderr, "\n")
	if err != nil {
		return err
	}
	if one.State != store.WorkDone {
		return fmt.Errorf("scores are not computed: job %d is %s: %s", one.ID, one.State, one.Error)
	}
	var out jobs.Scored
	if err := json.Unmarshal([]byte(one.Result), &out); err != nil {
		return fmt.Errorf("job %d: %w", one.ID, err)
	}
	fmt.Fprintf(p.stdout, "%d customers (%s), %d of them have other scores than before\n", out.Customers, out.Currency, out.Changed)
	for _, n := range out.Notes {
		fmt.Fprintf(p.stdout, "note: %s\n", n)
	}
	return nil
}

func scoreLine(one *store.Work) string {
	line := fmt.Sprintf("writing scores, %d of %d", one.Done, one.Total)
	if left, known := jobs.Remaining(one); known {
		line += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return line + strings.Repeat(" ", 4)
}
