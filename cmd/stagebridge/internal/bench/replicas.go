package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Sizes of the part that measures replicas.
const (
	mostReplicas   = 3
	replicaVendor  = 100 * time.Millisecond // what a slow vendor takes for a request
	replicaPatient = 5 * time.Minute
)

// replicas measures what one, two and three workers over one PostgreSQL and
// one Redis do, each held to one processor as a small machine of its own would
// be: first a backlog, which the processors bound, then pushes to a slow
// vendor, which its latency bounds. At last one of two dies on the way.
func (b *bench) replicas(ctx context.Context) error {
	if b.o.Postgres == "" || b.o.Redis == "" {
		b.note("replicas were left out: they want PostgreSQL and Redis ('make bench' starts them)")
		return nil
	}
	events, people := b.size(40_000, 4_000), b.size(3_000, 600)
	var alone [2]float64
	for n := 1; n <= mostReplicas; n++ {
		for i, one := range []struct {
			what    string
			measure func(context.Context, int, int) (float64, error)
			size    int
		}{{"backlog", b.replicasProcess, events}, {"pushes to a slow vendor", b.replicasPush, people}} {
			var rates []float64
			for range b.o.Runs {
				rate, err := one.measure(ctx, n, one.size)
				if err != nil {
					return err
				}
				rates = append(rates, rate)
			}
			if n == 1 {
				alone[i] = median(rates)
			}
			b.progress("workers: %d, %s: %.0f/s", n, one.what, median(rates))
			b.add(row{what: fmt.Sprintf("(i) %s, workers of one processor each: %d", one.what, n), rate: fmt.Sprintf("%.0f", median(rates)),
				ratio: fmt.Sprintf("%.2f × one", median(rates)/alone[i])})
		}
	}
	return b.replicaDies(ctx, events)
}

// crew is some workers over one database.
type crew struct {
	dir     string
	env     []string
	drop    func()
	db      *sql.DB
	workers []*child
}

// newCrew makes a database with a connection that takes events and, where url
// is not empty, one that pushes there; no worker runs yet.
func (b *bench) newCrew(ctx context.Context, url string) (*crew, error) {
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return nil, err
	}
	c := &crew{dir: dir, drop: func() {}}
	if c.env, c.drop, err = b.db.env(ctx, true); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	all := map[string]string{"hook": connectionYAML("hook", "")}
	if url != "" {
		all["sink"] = connectionYAML("sink", url)
	}
	ws, err := workspace(dir, all)
	if err == nil {
		c.env = append(c.env, "STAGEBRIDGE_WORKSPACE="+ws, "GOMAXPROCS=1")
		c.db, err = sql.Open("pgx", strings.TrimPrefix(c.env[0], "STAGEBRIDGE_DATABASE_URL="))
	}
	if err == nil { // makes the schema and the connections
		_, err = backlogChild(ctx, append(c.env, "STAGEBRIDGE_DATA_DIR="+dir, "STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS=true", "STAGEBRIDGE_LOG_LEVEL=warn"))
	}
	if err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// work starts so many workers and returns once all run.
func (c *crew) work(ctx context.Context, n int) error {
	for range n {
		port, err := freePort()
		if err != nil {
			return err
		}
		w, err := startAt(ctx, c.dir, port, append([]string{"STAGEBRIDGE_METRICS_ADDR=" + port}, c.env...), "serve", "-role", "worker")
		if err != nil {
			return err
		}
		c.workers = append(c.workers, w)
	}
	return nil
}

func (c *crew) end() {
	for _, w := range c.workers {
		w.stop()
	}
	if c.db != nil {
		_ = c.db.Close()
	}
	c.drop()
	_ = os.RemoveAll(c.dir)
}

func (c *crew) count(ctx context.Context, query string) (n int, err error) {
	return n, c.db.QueryRowContext(ctx, query).Scan(&n)
}

// until waits until at most so many events wait to be processed.
func (c *crew) until(ctx context.Context, left int) error {
	ctx, cancel := context.WithTimeout(ctx, replicaPatient)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := c.count(ctx, "select count(*) from pending")
		if err != nil || n <= left {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d events still wait: %w", n, ctx.Err())
		case <-tick.C:
		}
	}
}

// all fails unless every event was processed, once.
func (c *crew) all(ctx context.Context, events int) error {
	done, err := c.count(ctx, "select count(*) from outcomes where status = 1")
	if err != nil {
		return err
	}
	counted, err := c.count(ctx, "select coalesce(sum(value), 0) from counters where name = 'done'")
	if err == nil && (done != events || counted != events) {
		err = fmt.Errorf("%d events: %d were processed, %d were counted", events, done, counted)
	}
	return err
}

// replicasProcess gives the rate at which workers that all run work off what is
// left of a backlog.
func (b *bench) replicasProcess(ctx context.Context, n, events int) (float64, error) {
	c, err := b.newCrew(ctx, "")
	if err != nil {
		return 0, err
	}
	defer c.end()
	if err := fill(ctx, c.env, c.dir, events, events/4, 0); err != nil {
		return 0, err
	}
	if err := c.work(ctx, n); err != nil {
		return 0, err
	}
	left, err := c.count(ctx, "select count(*) from pending")
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := c.until(ctx, 0); err != nil {
		return 0, err
	}
	took := time.Since(start)
	return float64(left) / took.Seconds(), c.all(ctx, events)
}

// replicasPush gives the rate at which a slow vendor is told of people whose
// events wait, which are processed much faster than it answers.
func (b *bench) replicasPush(ctx context.Context, n, people int) (float64, error) {
	sink, err := newArrivals("sink")
	if err != nil {
		return 0, err
	}
	defer func() { _ = sink.server.Close() }()
	sink.server.Slow(replicaVendor)
	c, err := b.newCrew(ctx, sink.server.URL())
	if err != nil {
		return 0, err
	}
	defer c.end()
	if err := fill(ctx, c.env, c.dir, people, people, 0); err != nil {
		return 0, err
	}
	if err := c.work(ctx, n); err != nil {
		return 0, err
	}
	before, start := sink.count(), time.Now()
	if err := sink.wait(ctx, people, replicaPatient); err != nil {
		return 0, err
	}
	return float64(people-before) / time.Since(start).Seconds(), nil
}

// replicaDies kills one of two workers in the middle of a backlog.
func (b *bench) replicaDies(ctx context.Context, events int) error {
	c, err := b.newCrew(ctx, "")
	if err != nil {
		return err
	}
	defer c.end()
	if err := fill(ctx, c.env, c.dir, events, events/4, 0); err != nil {
		return err
	}
	start := time.Now()
	if err := c.work(ctx, 2); err != nil {
		return err
	}
	if err := c.until(ctx, events/2); err != nil {
		return err
	}
	if err := c.workers[0].cmd.Process.Kill(); err != nil {
		return err
	}
	if err := c.until(ctx, 0); err != nil {
		return err
	}
	took := time.Since(start)
	if err := c.all(ctx, events); err != nil {
		return fmt.Errorf("after one of two workers died: %w", err)
	}
	b.add(row{what: fmt.Sprintf("(i) backlog of %d, one of two workers dies half-way: all processed, once", events), rate: fmt.Sprintf("%.0f", float64(events)/took.Seconds())})
	return nil
}
