package bench

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/secret"
)

// arrivals notes when the message about each person reached a sink.
type arrivals struct {
	sink   *standin.Sink
	server *standin.Server
	mu     sync.Mutex
	at     map[string]time.Time
	more   chan struct{}
}

func newArrivals(name string) (*arrivals, error) {
	a := &arrivals{at: map[string]time.Time{}, more: make(chan struct{}, 1)}
	var err error
	if a.sink, err = standin.NewSink(standin.SinkOptions{Secrets: []secret.Text{secret.New(SigningKey)}, Accepted: a.note}); err != nil {
		return nil, err
	}
	a.server, err = standin.Start(standin.Options{Name: name, Handler: a.sink})
	return a, err
}

func (a *arrivals) note(m standin.Message) {
	customer := m.Customer.CustomerID
	a.mu.Lock()
	if _, again := a.at[customer]; !again {
		a.at[customer] = time.Now()
	}
	a.mu.Unlock()
	select {
	case a.more <- struct{}{}:
	default:
	}
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.at)
}

// wait returns once n customers have arrived.
func (a *arrivals) wait(ctx context.Context, n int, most time.Duration) error {
	deadline := time.After(most)
	for a.count() < n {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("%d of %d arrived within %s", a.count(), n, most)
		case <-a.more:
		}
	}
	return nil
}

// bridge is a running server that pushes to sinks.
type bridge struct {
	*child
	dir  string
	drop func()
}

// bridge starts a server; more is put into its environment.
func (b *bench) bridge(ctx context.Context, postgres bool, sinks map[string]string, more ...string) (*bridge, error) {
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return nil, err
	}
	env, drop, err := b.db.env(ctx, postgres)
	if err != nil {
		return nil, err
	}
	connections := map[string]string{"hook": connectionYAML("hook", "")}
	for id, url := range sinks {
		connections[id] = connectionYAML(id, url)
	}
	ws, err := workspace(dir, connections)
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, dir, append(append(env, more...), "STAGEBRIDGE_WORKSPACE="+ws), "serve")
	if err != nil {
		drop()
		return nil, err
	}
	return &bridge{child: c, dir: dir, drop: drop}, nil
}

func (br *bridge) end() {
	br.stop()
	br.drop()
	_ = os.RemoveAll(br.dir)
}

// latency is the time from a webhook to the vendor call on an idle system.
func (b *bench) latency(ctx context.Context) error {
	for _, postgres := range []bool{false, true} {
		if postgres && b.o.Postgres == "" {
			continue
		}
		sink, err := newArrivals("sink")
		if err != nil {
			return err
		}
		br, err := b.bridge(ctx, postgres, map[string]string{"sink": sink.server.URL()})
		if err != nil {
			return err
		}
		all, err := oneByOne(ctx, br.url+"/hooks/hook", sink, b.size(200, 20), 30*time.Millisecond)
		br.end()
		_ = sink.server.Close()
		if err != nil {
			return err
		}
		b.add(row{what: "(f) webhook to vendor call, idle, " + map[bool]string{false: "SQLite", true: "PostgreSQL + Redis"}[postgres], p50: short(percentile(all, 0.5)), p99: short(percentile(all, 0.99))})
	}
	return nil
}

// oneByOne sends one webhook after another and takes the time until each
// arrives.
func oneByOne(ctx context.Context, url string, sink *arrivals, n int, pause time.Duration) ([]time.Duration, error) {
	all := make([]time.Duration, n)
	for i := range all {
		now := time.Now()
		before := sink.count()
		if _, err := fire(ctx, url, 1, []shot{signed(fmt.Sprintf("one_%d_%d", now.UnixNano(), i), order(int(now.UnixNano()%1e12), i, now), now)}); err != nil {
			return nil, err
		}
		if err := sink.wait(ctx, before+1, 30*time.Second); err != nil {
			return nil, err
		}
		all[i] = time.Since(now)
		time.Sleep(pause)
	}
	return all, nil
}

// whole is the whole way under load: webhooks of distinct people in, one
// signed message each out.
func (b *bench) whole(ctx context.Context) error {
	for _, postgres := range []bool{false, true} {
		if postgres && b.o.Postgres == "" {
			continue
		}
		var rates []float64
		var cpu, peak float64
		n := b.size(30_000, 1_000)
		for run := range b.o.Runs {
			rate, perEvent, most, err := b.wholeOnce(ctx, postgres, n)
			if err != nil {
				return err
			}
			b.progress("run %d: (h) whole way, postgres=%t: %.0f arrivals/s", run+1, postgres, rate)
			rates, cpu, peak = append(rates, rate), perEvent, most
		}
		b.add(row{what: "(h) webhook to arrival under load, " + map[bool]string{false: "SQLite", true: "PostgreSQL + Redis"}[postgres],
			rate: fmt.Sprintf("%.0f", median(rates)), cpu: fmt.Sprintf("%.3f", cpu), memory: fmt.Sprintf("%.0f", peak)})
	}
	return nil
}

func (b *bench) wholeOnce(ctx context.Context, postgres bool, n int) (rate, cpu, peak float64, err error) {
	sink, err := newArrivals("sink")
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { _ = sink.server.Close() }()
	br, err := b.bridge(ctx, postgres, map[string]string{"sink": sink.server.URL()})
	if err != nil {
		return 0, 0, 0, err
	}
	defer br.end()
	now := time.Now()
	shots := make([]shot, n)
	for i := range shots {
		shots[i] = signed(fmt.Sprintf("whole_%d", i), order(i, i, now), now)
	}
	start := time.Now()
	f, err := fire(ctx, br.url+"/hooks/hook", 64, shots)
	if err != nil {
		return 0, 0, 0, err
	}
	b.progress("%d webhooks answered in %s, p99 %s; %d messages arrived by then", n, f.took.Round(time.Millisecond), short(f.p99), sink.count())
	if err := sink.wait(ctx, n, 2*time.Minute); err != nil {
		return 0, 0, 0, err
	}
	took := time.Since(start)
	return float64(n) / took.Seconds(), float64(br.cpu().Milliseconds()) / float64(n), float64(br.peak()) / 1e6, nil
}
