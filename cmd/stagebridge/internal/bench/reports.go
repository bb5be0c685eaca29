package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
)

// ReportsResult is what a process that stored people and asked every report
// says of itself.
type ReportsResult struct {
	People int   `json:"people"`
	Events int64 `json:"events"`
	// Stored and Summed are seconds: of writing people and events, and of
	// summing them up.
	Stored  float64        `json:"stored"`
	Summed  float64        `json:"summed"`
	Reports []ReportResult `json:"reports"`
	Peak    int64          `json:"peak"`
}

// ReportResult is what one report took, in seconds, each time.
type ReportResult struct {
	Name  string    `json:"name"`
	Took  []float64 `json:"took"`
	Error string    `json:"error,omitempty"`
}

// ReportsOptions of Reports.
type ReportsOptions struct {
	Store  *store.Store
	Plan   *lifecycle.Plan
	People int
	Runs   int
	// Sum sums everybody up.
	Sum func() error
}

// Reports stores people and asks every report about them, with a period and a
// source: the connection that told of what it is about or, where that has no
// meaning, that told of people first. The first answer is not counted.
func Reports(ctx context.Context, o ReportsOptions) (ReportsResult, error) {
	r := ReportsResult{People: o.People}
	now := lifecycle.At(time.Now())
	began := time.Now()
	var err error
	if r.Events, err = Populate(ctx, o.Store, o.Plan, o.People, now); err != nil {
		return r, err
	}
	r.Stored = time.Since(began).Seconds()
	began = time.Now()
	if err := o.Sum(); err != nil {
		return r, err
	}
	r.Summed = time.Since(began).Seconds()
	from := now.Time().AddDate(-1, 0, 0).Format(time.DateOnly)
	for _, info := range live.Reports() {
		options, err := live.ParseOptions(func(name string) string {
			return map[string]string{"from": from, "connection": connectionOf(info.Name), "source": sourceOf(info.Name)}[name]
		})
		if err != nil {
			return r, err
		}
		options.Now = now
		one := ReportResult{Name: info.Name}
		for range 1 + o.Runs {
			began := time.Now()
			if _, err := live.Run(ctx, o.Store, o.Plan, info.Name, options); err != nil {
				one.Error = err.Error()
				break
			}
			one.Took = append(one.Took, time.Since(began).Seconds())
		}
		if len(one.Took) > 1 {
			one.Took = one.Took[1:]
		}
		r.Reports = append(r.Reports, one)
	}
	r.Peak = peakOf(os.Getpid())
	return r, nil
}

// connectionOf is the filter by connection of a report: the one that tells most
// of what it is about, and none where stages are concerned or everything is
// compared with everything.
func connectionOf(report string) string {
	switch report {
	case "clv", "cohorts", "concentration", "rfm":
		return "shop"
	case "winrate", "velocity", "cycle":
		return "crm"
	case "mrr":
		return "billing"
	}
	return ""
}

// sourceOf is the filter by source of a report that has none by connection.
func sourceOf(report string) string {
	if connectionOf(report) != "" {
		return ""
	}
	return "site" // of everybody, so that nobody is left out and saves time
}

// slow is what a report over a million people may take.
const slow = time.Second

// reports measures every report over a million people.
func (b *bench) reports(ctx context.Context) error {
	for _, postgres := range []bool{false, true} {
		if postgres && b.o.Postgres == "" {
			continue
		}
		if err := b.reportsOn(ctx, postgres); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) reportsOn(ctx context.Context, postgres bool) error {
	name := map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres]
	people := b.size(1_000_000, 10_000)
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env, drop, err := b.db.env(ctx, postgres)
	if err != nil {
		return err
	}
	defer drop()
	env = append(env, "STAGEBRIDGE_DATA_DIR="+dir, "STAGEBRIDGE_LOG_LEVEL=warn")
	b.progress("(r) storing %d people on %s", people, name)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "-runs", fmt.Sprint(max(5, b.o.Runs)), "-people", fmt.Sprint(people), "-child", "reports")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the child that asks the reports: %w", err)
	}
	var r ReportsResult
	if err := json.Unmarshal(out, &r); err != nil {
		return err
	}
	b.add(row{what: fmt.Sprintf("(r) people summed up, %.1f events each, %s", float64(r.Events)/float64(r.People), name),
		rate: fmt.Sprintf("%.0f", float64(r.People)/r.Summed), memory: fmt.Sprintf("%.0f", float64(r.Peak)/1e6)})
	for _, one := range r.Reports {
		if one.Error != "" {
			b.note("report %s over %d people on %s: %s", one.Name, r.People, name, one.Error)
			continue
		}
		if m := median(one.Took); m > slow.Seconds() {
			b.note("report %s over %d people on %s takes %s, more than %s", one.Name, r.People, name, seconds(m), slow)
		}
		b.add(row{what: fmt.Sprintf("(r) report %s over %d people, %s", one.Name, r.People, name), p50: seconds(median(one.Took)), p99: seconds(slices.Max(one.Took))})
	}
	return nil
}

func seconds(s float64) string { return short(time.Duration(s * float64(time.Second))) }
