package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Options of Run.
type Options struct {
	// Parts to measure, of Parts(); empty: all.
	Parts []string
	// Runs is how often each is measured; medians are shown.
	Runs int
	// Quick makes everything smaller, to see that it works.
	Quick bool
	// Postgres and Redis are servers to measure on; empty: SQLite and the
	// embedded Redis only.
	Postgres, Redis string
	Out             io.Writer
}

// Parts lists what can be measured, in the order in which it is. Backlog and
// reports come last: the disk and PostgreSQL are busy for minutes with the million people
// that they store, and what is measured idle must be.
func Parts() []string {
	return []string{"ingest", "latency", "whole", "isolation", "replicas", "moments", "backlog", "reports", "preview"}
}

// row is one line of the table.
type row struct{ what, rate, ratio, p50, p99, cpu, memory string }

// Run measures and prints one table.
func Run(ctx context.Context, o Options) error {
	if o.Runs == 0 {
		o.Runs = 3
	}
	b := &bench{o: o, db: &databases{postgres: o.Postgres, redis: o.Redis}}
	parts := map[string]func(context.Context) error{
		"ingest": b.ingest, "backlog": b.backlog, "latency": b.latency, "whole": b.whole, "isolation": b.isolation, "replicas": b.replicas, "moments": b.moments, "reports": b.reports, "preview": b.preview,
	}
	for _, name := range Parts() {
		if len(o.Parts) > 0 && !slices.Contains(o.Parts, name) {
			continue
		}
		if err := parts[name](ctx); err != nil {
			return fmt.Errorf("bench %s: %w", name, err)
		}
	}
	if o.Postgres == "" {
		b.note("PostgreSQL was left out: set STAGEBRIDGE_TEST_POSTGRES_URL ('make bench' starts one)")
	}
	return b.print()
}

type bench struct {
	o     Options
	db    *databases
	rows  []row
	notes []string
}

func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}
func (b *bench) add(r row) { b.rows = append(b.rows, r) }

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(b.o.Out, "# "+format+"\n", args...)
}

func (b *bench) size(full, quick int) int {
	if b.o.Quick {
		return quick
	}
	return full
}

func (b *bench) print() error {
	w := tabwriter.NewWriter(b.o.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tper second\tratio\tp50\tp99\tCPU ms/event\tpeak MB\t")
	for _, r := range b.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.what, r.rate, r.ratio, r.p50, r.p99, r.cpu, r.memory)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, n := range b.notes {
		fmt.Fprintln(b.o.Out, n)
	}
	return nil
}

// manyEvents of a request are what HubSpot sends at most.
const manyEvents = 100

// ingest measures the targets in turn, several times, since a machine drifts.
func (b *bench) ingest(ctx context.Context) error {
	const clients = 64
	targets := []target{bareTarget(), serveTarget("(b) durable ingest, SQLite", b.db, false, 1)}
	many := serveTarget(fmt.Sprintf("(b) with %d events per request", manyEvents), b.db, false, manyEvents)
	many.than, many.letter = 1, "b"
	if b.o.Postgres != "" {
		targets = append(targets, serveTarget("(c) durable ingest, PostgreSQL", b.db, true, 1))
	}
	targets = append(targets, many)
	if b.o.Postgres != "" {
		many = serveTarget(fmt.Sprintf("(c) with %d events per request", manyEvents), b.db, true, manyEvents)
		many.than, many.letter = 2, "c"
		targets = append(targets, many)
	}
	all := make([][]measured, len(targets))
	ratios := make([][]float64, len(targets))
	for run := range b.o.Runs {
		for i, t := range targets {
			m, err := volley(ctx, t, clients, b.size(100_000, 5_000)/min(t.events, 50))
			if err != nil {
				return err
			}
			b.progress("run %d: %s: %.0f/s, p99 %s", run+1, t.name, m.rate, short(m.p99))
			all[i] = append(all[i], m)
			ratios[i] = append(ratios[i], m.rate/all[t.than][run].rate)
		}
	}
	for i, t := range targets {
		b.add(row{
			what: t.name, rate: fmt.Sprintf("%.0f", median(pick(all[i], func(m measured) float64 { return m.rate }))), ratio: fmt.Sprintf("%.2f × (%s)", median(ratios[i]), t.letter),
			p50:    short(time.Duration(median(pick(all[i], func(m measured) float64 { return float64(m.p50) })))),
			p99:    short(time.Duration(median(pick(all[i], func(m measured) float64 { return float64(m.p99) })))),
			cpu:    fmt.Sprintf("%.3f", median(pick(all[i], func(m measured) float64 { return float64(m.cpu) / 1e6 }))),
			memory: fmt.Sprintf("%.0f", median(pick(all[i], func(m measured) float64 { return float64(m.peak) / 1e6 }))),
		})
	}
	b.note("CPU is that of the measured process alone; on PostgreSQL the server's own comes on top. 64 clients, one event per request where nothing else is said, load generator on the same machine.")
	return nil
}

func pick(all []measured, of func(measured) float64) []float64 {
	values := make([]float64, len(all))
	for i := range all {
		values[i] = of(all[i])
	}
	return values
}

func short(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.0f ms", float64(d)/1e6)
}
