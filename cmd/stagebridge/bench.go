package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/bench"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// benchCommand measures the whole against a bare HTTP handler.
func benchCommand() command {
	c := command{name: "bench", operands: "[-runs N] [-quick] [PART…]", summary: "measure ingest, processing and pushing on this machine: " + strings.Join(bench.Parts(), ", "), words: bench.Parts}
	c.run = func(ctx context.Context, p *program, args []string) error {
		o := bench.Options{Runs: 3, Out: p.stdout, Postgres: p.env["STAGEBRIDGE_TEST_POSTGRES_URL"], Redis: p.env["STAGEBRIDGE_TEST_REDIS_URL"]}
		child, people := "", 0
		parts, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.IntVar(&o.Runs, "runs", o.Runs, "how often each is measured; medians are shown")
			f.BoolVar(&o.Quick, "quick", false, "a small run, to see that it works; its figures mean little")
			f.StringVar(&child, "child", "", "what a measured process does; for bench's own use")
			f.IntVar(&people, "people", 1_000_000, "how many people that process stores; for bench's own use")
		}, 0, -1)
		if err != nil {
			return err
		}
		if child != "" {
			return p.benchChild(ctx, child, people, o.Runs)
		}
		for _, part := range parts {
			if !slices.Contains(bench.Parts(), part) {
				return &usageError{c, fmt.Errorf("there is no part %q, only %s", part, strings.Join(bench.Parts(), ", "))}
			}
		}
		o.Parts = parts
		return bench.Run(ctx, o)
	}
	return c
}

// benchChild is a process that bench measures.
func (p *program) benchChild(ctx context.Context, what string, people, runs int) (err error) {
	cfg, _, err := loadConfig(p.env)
	if err != nil {
		return err
	}
	if what == "bare" {
		return bench.Bare(ctx, cfg.Addr)
	}
	moments, momentsErr := bench.MomentsArgs(what)
	if what != "backlog" && what != "reports" && what != "preview" && momentsErr != nil {
		return fmt.Errorf("there is no child %q", what)
	}
	p.tuneMemory()
	a, err := openApp(ctx, cfg, logTo(cfg, p.stderr))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	if what == "reports" {
		r, err := bench.Reports(ctx, bench.ReportsOptions{Store: a.store, Plan: a.registry.Config().Plan, People: people, Runs: runs,
			Sum: func() error { return p.summarise(ctx, a) }})
		if err != nil {
			return err
		}
		return json.NewEncoder(p.stdout).Encode(r)
	}
	if what == "preview" {
		r, err := p.benchPreview(ctx, a, people, runs)
		if err != nil {
			return err
		}
		return json.NewEncoder(p.stdout).Encode(r)
	}
	if err := a.applyWorkspace(ctx, p); err != nil {
		return err
	}
	if momentsErr == nil {
		moments.Store, moments.Registry = a.store, a.registry
		r, err := bench.Moments(ctx, moments)
		if err != nil {
			return err
		}
		return json.NewEncoder(p.stdout).Encode(r)
	}
	worker := &jobs.Processor{Store: a.store, Registry: a.registry, Batch: cfg.ProcessBatch, Now: time.Now, Log: a.log}
	r, err := bench.Worked(func() error { return worker.Run(ctx) })
	if err != nil {
		return err
	}
	return json.NewEncoder(p.stdout).Encode(r)
}

// benchPreview puts people under a plan and tries drafts of it.
func (p *program) benchPreview(ctx context.Context, a *app, people, runs int) (bench.PreviewsResult, error) {
	now, err := a.admin.Plan(ctx)
	if err == nil {
		_, err = a.admin.PublishPlan(ctx, now.Version, store.Versioned{Source: bench.PreviewPlan, Author: "bench"})
	}
	if err != nil {
		return bench.PreviewsResult{}, err
	}
	return bench.Previews(ctx, a.store, a.registry.Config().Plan, people, runs, func(source string) (bench.Dry, error) {
		d, err := a.admin.PreviewPlan(ctx, []byte(source), jobs.PreviewOptions{})
		if err != nil {
			return bench.Dry{}, err
		}
		return bench.Dry{People: d.People, Decided: d.Decided, Events: d.Events, Seconds: d.Took.Seconds()}, nil
	})
}
