package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/secret"
)

// ErrGrows says that a soak found something that keeps growing, or that did
// not arrive.
var ErrGrows = errors.New("the soak did not hold")

// SoakOptions of Soak.
type SoakOptions struct {
	// For is how long the steady load lasts.
	For time.Duration
	// Every is how often the server is looked at; zero fits For.
	Every time.Duration
	// Rate is the load in events a second; zero measures the most that goes
	// the whole way first and takes half of it.
	Rate float64
	// Postgres and Redis are servers to run on; empty: SQLite and the embedded
	// Redis.
	Postgres, Redis string
	Out             io.Writer
}

// Every so often a server under a steady load is looked at, so that an hour
// gives 240 points; a shorter run is looked at at least sixty times.
const (
	soakEvery  = 15 * time.Second
	soakPoints = 60
	// soakClients send at once; soakMeasure is how long they send as fast as
	// they can to find the maximum.
	soakClients = 64
	soakMeasure = 20 * time.Second
	// soakRest is how long what is left over may take to arrive at the end.
	soakRest = 5 * time.Minute
)

// Soak keeps a server under a constant load and looks whether its memory, file
// descriptors and goroutines stay flat, and whether everything arrives. The
// error is ErrGrows when they do not. It reads /proc, so it runs on Linux.
func Soak(ctx context.Context, o SoakOptions) (err error) {
	if o.Every == 0 {
		o.Every = max(min(soakEvery, o.For/soakPoints), 100*time.Millisecond)
	}
	b := &bench{o: Options{Out: o.Out}, db: &databases{postgres: o.Postgres, redis: o.Redis}}
	told, err := newTold()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, told.server.Close()) }()
	metrics, err := freePort()
	if err != nil {
		return err
	}
	br, err := b.bridge(ctx, o.Postgres != "", map[string]string{"sink": told.server.URL()}, "STAGEBRIDGE_METRICS_ADDR="+metrics)
	if err != nil {
		return err
	}
	defer br.end()
	load := newPaced(br.url+"/hooks/hook", soakClients)
	defer load.close()
	if o.Rate == 0 {
		most, err := load.most(ctx, min(soakMeasure, o.For), told)
		if err != nil {
			return err
		}
		o.Rate = most / 2
		b.progress("the whole way takes %.0f events/s; half of that from now on", most)
	}
	b.progress("%.0f events/s for %s on %s, looked at each %s", o.Rate, o.For, map[bool]string{false: "SQLite", true: "PostgreSQL"}[o.Postgres != ""], o.Every)
	s := &soak{pid: br.cmd.Process.Pid, metrics: "http://" + metrics + "/metrics", load: load, told: told, sqlite: o.Postgres == ""}
	if err := s.run(ctx, o); err != nil {
		return err
	}
	return s.report(o)
}

// soak is one run.
type soak struct {
	pid     int
	metrics string
	load    *paced
	told    *told
	sqlite  bool
	before  int // events sent before the steady load
	points  []point
	took    time.Duration
	rested  time.Duration
}

// run loads and looks.
func (s *soak) run(ctx context.Context, o SoakOptions) error {
	s.before = s.load.sent()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	done := make(chan error, 1)
	began := time.Now()
	wg.Go(func() { done <- s.load.steady(ctx, o.Rate, o.For) })
	tick := time.NewTicker(o.Every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			s.took = time.Since(began)
			s.rested, err = s.told.rest(ctx, s.load.sent(), soakRest)
			return err
		case <-tick.C:
			p, err := look(ctx, s.pid, s.metrics)
			if err != nil {
				cancel()
				return fmt.Errorf("look at the server: %w", err)
			}
			p.at, p.sent = time.Since(began), s.load.sent()
			s.points = append(s.points, p)
		}
	}
}

// told is the stand-in at the far end, and how far it was told of everybody.
type told struct {
	server *standin.Server
	mu     sync.Mutex
	last   map[int]bool // people by whether their last stage arrived
	more   chan struct{}
}

func newTold() (*told, error) {
	t := &told{last: map[int]bool{}, more: make(chan struct{}, 1)}
	sink, err := standin.NewSink(standin.SinkOptions{Secrets: []secret.Text{secret.New(SigningKey)}, Accepted: t.note})
	if err != nil {
		return nil, err
	}
	t.server, err = standin.Start(standin.Options{Name: "sink", Handler: sink})
	return t, err
}

func (t *told) note(m standin.Message) {
	person, err := strconv.Atoi(strings.TrimPrefix(m.Customer.CustomerID, "u"))
	if err != nil || m.Customer.Stage != soakLastStage {
		return
	}
	t.mu.Lock()
	t.last[person] = true
	t.mu.Unlock()
	select {
	case t.more <- struct{}{}:
	default:
	}
}

func (t *told) arrived() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.last)
}

// rest waits until the last stage of everybody arrived whose events were all
// sent, and gives how long that took.
func (t *told) rest(ctx context.Context, sent int, most time.Duration) (time.Duration, error) {
	began, want := time.Now(), finished(sent)
	deadline := time.After(most)
	for t.arrived() < want {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-deadline:
			return 0, fmt.Errorf("%w: the last stage of %d of %d people arrived within %s", ErrGrows, t.arrived(), want, most)
		case <-t.more:
		}
	}
	return time.Since(began), nil
}
