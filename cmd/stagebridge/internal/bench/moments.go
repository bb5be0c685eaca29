package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// MomentsOptions of Moments.
type MomentsOptions struct {
	Store    *store.Store
	Registry *jobs.Registry
	// People whose conditions flip at one moment; Pairs of people with Events
	// each that are joined.
	People, Pairs, Events int
}

// MomentsResult is what a process measured of itself.
type MomentsResult struct {
	Flips   BacklogResult   `json:"flips"`
	Merges  []time.Duration `json:"merges"`
	Joining BacklogResult   `json:"joining"`
}

// Moments measures, in a child, what comes all at once: people whose conditions
// time alone changes at one moment, and people with a long past who are joined.
func Moments(ctx context.Context, o MomentsOptions) (MomentsResult, error) {
	var r MomentsResult
	now := time.Now()
	worker := &jobs.Processor{Store: o.Store, Registry: o.Registry, Now: func() time.Time { return now }}
	if err := keepOrders(o.Store, 0, o.People, 1, now.Add(-time.Hour)); err != nil {
		return r, err
	}
	if err := worker.Run(ctx); err != nil {
		return r, err
	}
	// Thirty days after their one order everybody is at risk and no longer new.
	later := &jobs.Processor{Store: o.Store, Registry: o.Registry, Now: func() time.Time { return now.Add(30 * 24 * time.Hour) }}
	var err error
	if r.Flips, err = Worked(func() error { return later.Tick(ctx) }); err != nil {
		return r, err
	}
	counters, err := o.Store.Counters(ctx)
	if err != nil {
		return r, err
	}
	if at := counters[""]["segment:at_risk"]; at != int64(o.People) {
		return r, fmt.Errorf("%d of %d people are at risk", at, o.People)
	}
	if err := keepOrders(o.Store, o.People, 2*o.Pairs, o.Events, now.Add(-20*24*time.Hour)); err != nil {
		return r, err
	}
	if err := worker.Run(ctx); err != nil {
		return r, err
	}
	admin := &jobs.Admin{Registry: o.Registry}
	r.Joining, err = Worked(func() error {
		for pair := range o.Pairs {
			one, other := o.People+2*pair, o.People+2*pair+1
			p, err := o.Store.PersonByKey(ctx, fmt.Sprintf("user:u%d", one))
			if err != nil {
				return err
			}
			start := time.Now()
			if _, err := admin.Join(ctx, p.ID, lifecycle.Key{Namespace: lifecycle.NamespaceUser, Value: fmt.Sprintf("u%d", other)}, "", "bench"); err != nil {
				return err
			}
			r.Merges = append(r.Merges, time.Since(start))
		}
		return nil
	})
	return r, err
}

// keepOrders keeps orders of people numbered from first, each as many; those of
// one order all at the same moment.
func keepOrders(s *store.Store, first, people, each int, at time.Time) error {
	group := make([]store.NewEvent, 0, 2000)
	for i := range people * each {
		person, when := first+i%people, at.Add(time.Duration(i/people)*time.Minute)
		e := store.NewEvent{Type: "order.completed", At: lifecycle.At(when), Body: order(person, first*1000+i, when)}
		copy(e.Dedupe[:], fmt.Appendf(nil, "moment %d %d", first, i))
		if group = append(group, e); len(group) < cap(group) && i < people*each-1 {
			continue
		}
		if _, err := s.Append("hook", lifecycle.At(time.Now()), group); err != nil {
			return err
		}
		group = group[:0]
	}
	return nil
}

// moments measures what comes all at once.
func (b *bench) moments(ctx context.Context) error {
	people, pairs, events := b.size(100_000, 4_000), b.size(5, 2), b.size(10_000, 500)
	for _, postgres := range []bool{false, true} {
		if postgres && b.o.Postgres == "" {
			continue
		}
		name := map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres]
		var flips, cpu, peak, merge, slowest []float64
		for run := range b.o.Runs {
			r, err := b.momentsOn(ctx, postgres, people, pairs, events)
			if err != nil {
				return err
			}
			flips, cpu, peak = append(flips, float64(people)/r.Flips.Seconds), append(cpu, r.Flips.CPU*1000/float64(people)), append(peak, float64(r.Joining.Peak)/1e6)
			merge, slowest = append(merge, float64(percentile(r.Merges, 0.5))), append(slowest, float64(percentile(r.Merges, 0.99)))
			b.progress("run %d: %s: %.0f flips/s, a merge in %s", run+1, name, flips[run], short(time.Duration(merge[run])))
		}
		b.add(row{what: fmt.Sprintf("(f) conditions of %d people that flip at one moment, %s", people, name), rate: fmt.Sprintf("%.0f", median(flips)),
			cpu: fmt.Sprintf("%.3f", median(cpu)), memory: fmt.Sprintf("%.0f", median(peak))})
		b.add(row{what: fmt.Sprintf("(g) two people with %d events each become one, %s", events, name),
			p50: short(time.Duration(median(merge))), p99: short(time.Duration(median(slowest)))})
	}
	return nil
}

func (b *bench) momentsOn(ctx context.Context, postgres bool, people, pairs, events int) (MomentsResult, error) {
	var r MomentsResult
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	env, drop, err := b.db.env(ctx, postgres)
	if err != nil {
		return r, err
	}
	defer drop()
	ws, err := workspace(dir, map[string]string{"hook": connectionYAML("hook", ""), "away": connectionYAML("away", "http://127.0.0.1:9/")})
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "-child", fmt.Sprintf("moments %d %d %d", people, pairs, events))
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "STAGEBRIDGE_WORKSPACE=" + ws, "STAGEBRIDGE_DATA_DIR=" + dir, "STAGEBRIDGE_LOG_LEVEL=warn"}, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("the child that lets time pass: %w", err)
	}
	return r, json.Unmarshal(out, &r)
}

// MomentsArgs reads what a child is told to measure.
func MomentsArgs(text string) (MomentsOptions, error) {
	var o MomentsOptions
	if n, err := fmt.Sscanf(text, "moments %d %d %d", &o.People, &o.Pairs, &o.Events); err != nil || n != 3 {
		return o, errors.New("want moments PEOPLE PAIRS EVENTS")
	}
	return o, nil
}
