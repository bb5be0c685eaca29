package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// BacklogResult is what a process that worked off a backlog says of itself.
type BacklogResult struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"` // seconds
	Peak    int64   `json:"peak"`
}

// Worked measures, in a child, the working off of a backlog.
func Worked(work func() error) (BacklogResult, error) {
	start, before := time.Now(), cpuOf(os.Getpid())
	err := work()
	return BacklogResult{Seconds: time.Since(start).Seconds(), CPU: (cpuOf(os.Getpid()) - before).Seconds(), Peak: peakOf(os.Getpid())}, err
}

// backlog works off mapped events of people who are new, and again of people
// who come to a store that holds a million others.
func (b *bench) backlog(ctx context.Context) error {
	for _, postgres := range []bool{false, true} {
		if postgres && b.o.Postgres == "" {
			continue
		}
		if err := b.backlogOn(ctx, postgres); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) backlogOn(ctx context.Context, postgres bool) error {
	name := map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres]
	events, people, others := b.size(200_000, 8_000), b.size(50_000, 2_000), b.size(1_000_000, 10_000)
	var d, e []BacklogResult
	for run := range b.o.Runs {
		r, err := b.workOff(ctx, postgres, events, people, 0)
		if err != nil {
			return err
		}
		b.progress("run %d: (d) backlog, %s: %.0f events/s, peak %.0f MB", run+1, name, float64(events)/r.Seconds, float64(r.Peak)/1e6)
		d = append(d, r)
	}
	r, err := b.workOff(ctx, postgres, events, people, others)
	if err != nil {
		return err
	}
	e = append(e, r)
	b.backlogRow(fmt.Sprintf("(d) backlog of %d events over %d people, %s", events, people, name), events, d, "")
	rate := func(all []BacklogResult) float64 {
		rates := make([]float64, len(all))
		for i := range all {
			rates[i] = float64(events) / all[i].Seconds
		}
		return median(rates)
	}
	b.backlogRow(fmt.Sprintf("(e) the same with %d people stored, %s", others, name), events, e, fmt.Sprintf("%.2f × (d)", rate(e)/rate(d)))
	return nil
}

func (b *bench) backlogRow(what string, events int, all []BacklogResult, ratio string) {
	rates, cpu, peak := make([]float64, len(all)), make([]float64, len(all)), make([]float64, len(all))
	for i, r := range all {
		rates[i], cpu[i], peak[i] = float64(events)/r.Seconds, r.CPU*1000/float64(events), float64(r.Peak)/1e6
	}
	b.add(row{what: what, rate: fmt.Sprintf("%.0f", median(rates)), ratio: ratio, cpu: fmt.Sprintf("%.3f", median(cpu)), memory: fmt.Sprintf("%.0f", median(peak))})
}

// workOff fills an inbox and has a process of its own work it off. others is
// how many people are there before.
func (b *bench) workOff(ctx context.Context, postgres bool, events, people, others int) (BacklogResult, error) {
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return BacklogResult{}, err
	}
	defer os.RemoveAll(dir)
	env, drop, err := b.db.env(ctx, postgres)
	if err != nil {
		return BacklogResult{}, err
	}
	defer drop()
	ws, err := workspace(dir, map[string]string{"hook": connectionYAML("hook", ""), "away": connectionYAML("away", "http://127.0.0.1:9/")})
	if err != nil {
		return BacklogResult{}, err
	}
	env = append(env, "STAGEBRIDGE_WORKSPACE="+ws, "STAGEBRIDGE_DATA_DIR="+dir, "STAGEBRIDGE_LOG_LEVEL=warn")
	if _, err := backlogChild(ctx, env); err != nil { // makes the schema and the connections
		return BacklogResult{}, err
	}
	if others > 0 {
		b.progress("storing %d people first", others)
		const part = 200_000
		for from := 0; from < others; from += part {
			if err := fill(ctx, env, dir, min(part, others-from), min(part, others-from), people+from); err != nil {
				return BacklogResult{}, err
			}
			if _, err := backlogChild(ctx, env); err != nil {
				return BacklogResult{}, err
			}
		}
	}
	if err := fill(ctx, env, dir, events, people, 0); err != nil {
		return BacklogResult{}, err
	}
	return backlogChild(ctx, env)
}

// fill keeps events of people numbered from first in the inbox, as ingest
// would.
func fill(ctx context.Context, env []string, dir string, events, people, first int) error {
	url := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "STAGEBRIDGE_DATABASE_URL="); ok {
			url = v
		}
	}
	s, err := store.Open(ctx, store.Options{URL: url, Dir: dir})
	if err != nil {
		return err
	}
	start := time.Now().Add(-30 * 24 * time.Hour)
	group := make([]store.NewEvent, 0, 2000)
	for i := range events {
		at := start.Add(time.Duration(i) * 10 * time.Second)
		e := store.NewEvent{Type: "order.completed", At: lifecycle.At(at), Body: order(first+i%people, first+i, at)}
		copy(e.Dedupe[:], fmt.Appendf(nil, "%d-%d", first, i))
		group = append(group, e)
		if len(group) == cap(group) || i == events-1 {
			if _, err := s.Append("hook", lifecycle.At(time.Now()), group); err != nil {
				return err
			}
			group = group[:0]
		}
	}
	return s.Close()
}

// backlogChild runs a process that works everything off.
func backlogChild(ctx context.Context, env []string) (BacklogResult, error) {
	self, err := os.Executable()
	if err != nil {
		return BacklogResult{}, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "-child", "backlog")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return BacklogResult{}, fmt.Errorf("the child that works off the backlog: %w", err)
	}
	var r BacklogResult
	return r, json.Unmarshal(out, &r)
}
