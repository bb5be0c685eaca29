package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/bench"
)

// benchQueueingCommand simulates how shards bear a rate that one does not.
func benchQueueingCommand() command {
	c := command{name: "bench queueing", operands: "[-rate N] [-shards N,N] [flags]", summary: "simulate how many shards bear a rate, from what one was measured to bear"}
	c.run = func(_ context.Context, p *program, args []string) error {
		q := bench.Queueing{Seed: 1}
		shards := ""
		if _, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.Float64Var(&q.Rate, "rate", 100_000, "events a second at all shards together")
			f.StringVar(&shards, "shards", "8,10,12,16,20", "how many shards, separated by commas")
			f.Float64Var(&q.Uneven, "uneven", 0.10, "how much more than its part the fullest shard gets")
			f.DurationVar(&q.Commit, "commit", 1200*time.Microsecond, "what a group commit costs, however many share it")
			f.DurationVar(&q.CommitEvent, "commit-event", 40*time.Microsecond, "what each event adds to a commit")
			f.IntVar(&q.Batch, "batch", 2000, "events of a processing transaction")
			f.DurationVar(&q.Process, "process", 10*time.Millisecond, "what a processing transaction costs, however few it holds")
			f.DurationVar(&q.ProcessEvent, "process-event", 140*time.Microsecond, "what each event adds to it")
			f.IntVar(&q.Workers, "workers", 2, "processing transactions under way at once")
			f.DurationVar(&q.For, "for", 2*time.Minute, "how long is simulated")
			f.DurationVar(&q.Outage, "outage", 15*time.Second, "how long nothing is processed in the second simulation")
		}, 0, 0); err != nil {
			return err
		}
		var counts []int
		for text := range strings.SplitSeq(shards, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || n < 1 {
				return &usageError{c, fmt.Errorf("-shards has %q, want whole numbers separated by commas", text)}
			}
			counts = append(counts, n)
		}
		err := bench.QueueingTable(p.stdout, q, counts)
		if errors.Is(err, bench.ErrQueueing) {
			return &usageError{c, err}
		}
		return err
	}
	return c
}
