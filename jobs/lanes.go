package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// lane is a connection's own small server, so that its retries stand by
// themselves in asynq's page and one sick vendor holds up nobody else (rule 7).
type lane struct {
	server *asynq.Server
	queues []string
	polled bool // there is a queue for fetching from a source that is asked
}

// lanesFor starts and stops lanes so that every connection has one.
func (p *Pipeline) lanesFor(cfg *Config) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return
	}
	for id, l := range p.lanes {
		// Mended settings may make a connection one that has to be asked.
		if conn := cfg.Connections[id]; conn == nil || isPolled(conn) && !l.polled {
			delete(p.lanes, id)
			p.wg.Go(func() { p.close(l) })
		}
	}
	for id, conn := range cfg.Connections {
		if p.lanes[id] == nil {
			queues := map[string]int{pushQueue(id): 2, enrichQueue(id): 1}
			if isPolled(conn) {
				queues[fetchQueue(id)] = 1
			}
			p.lanes[id] = &lane{server: p.server(queues, 2), queues: slices.Collect(maps.Keys(queues)), polled: isPolled(conn)}
		}
		p.triggers.hit(pushQueue(id))
	}
}

func isPolled(conn *Conn) bool {
	_, polled := conn.Open.(connectors.Poller)
	return polled
}

// close ends the lane of a removed connection and deletes its queues.
func (p *Pipeline) close(l *lane) {
	l.server.Shutdown()
	for _, q := range l.queues {
		if err := p.inspector.DeleteQueue(q, true); err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
			p.o.Log.Debug("queue not deleted", "queue", q, "error", err)
		}
	}
}

// serve starts a server for shared queues.
func (p *Pipeline) serve(queues map[string]int, concurrency int) {
	s := p.server(queues, concurrency)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers = append(p.servers, s)
}

// How often a server looks into Redis: where one may have to wait for it, and
// where work is handed over inside the process anyway.
const (
	checkRedis    = 50 * time.Millisecond
	checkEmbedded = time.Second
)

func (p *Pipeline) server(queues map[string]int, concurrency int) *asynq.Server {
	check := checkRedis
	if p.embedded != nil {
		check = checkEmbedded
	}
	s := asynq.NewServerFromRedisClient(p.rdb, asynq.Config{
		Concurrency: concurrency, Queues: queues, TaskCheckInterval: check, DelayedTaskCheckInterval: time.Second,
		RetryDelayFunc: retryDelay, ShutdownTimeout: 10 * time.Second, Logger: p.asynqLog, LogLevel: asynq.WarnLevel,
		BaseContext: func() context.Context { return p.ctx },
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc(KindProcess, func(ctx context.Context, _ *asynq.Task) error { return p.runner(QueueIngest).do(ctx) })
	mux.HandleFunc(KindClock, func(ctx context.Context, _ *asynq.Task) error { return p.runner(QueueClock).do(ctx) })
	mux.HandleFunc(KindReconcile, func(ctx context.Context, _ *asynq.Task) error { return p.runner(QueueMaintenance).do(ctx) })
	mux.HandleFunc(KindEnrich, p.laneHandler(enrichQueue))
	mux.HandleFunc(KindFetch, p.laneHandler(fetchQueue))
	mux.HandleFunc(KindRetry, p.laneHandler(pushQueue))
	mux.HandleFunc(KindPush, func(ctx context.Context, t *asynq.Task) error {
		if err := p.laneHandler(pushQueue)(ctx, t); errors.Is(err, asynq.SkipRetry) {
			return err
		}
		return nil // it never waits in retry itself: push:retry does, see runner
	})
	if err := s.Start(mux); err != nil {
		p.o.Log.Warn("asynq server", "error", err)
	}
	return s
}

func (p *Pipeline) laneHandler(queue func(string) string) func(context.Context, *asynq.Task) error {
	return func(ctx context.Context, t *asynq.Task) error {
		a, err := laneArgs(t)
		if err != nil {
			return err
		}
		return p.runner(queue(a.Connection)).do(ctx)
	}
}

// runner gives the one runner of a queue in this process.
func (p *Pipeline) runner(queue string) *runner {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.runners[queue]; r != nil {
		return r
	}
	kind, id, _ := strings.Cut(queue, ":")
	r := &runner{work: p.work(kind, id)}
	r.fail = func(err error) {
		p.o.Log.Warn("work failed", "queue", queue, "error", err)
		if kind == "push" {
			p.retryLater(id, err)
		}
	}
	p.runners[queue] = r
	return r
}

func (p *Pipeline) work(kind, id string) func(context.Context) error {
	switch kind {
	case QueueIngest:
		return p.processor.Run
	case QueueClock:
		return p.processor.Tick
	case QueueMaintenance:
		return p.maintain
	case "fetch":
		return func(ctx context.Context) error { return p.fetcher.Fetch(ctx, id) }
	case "enrich":
		return func(ctx context.Context) error {
			err := p.pusher.Enrich(ctx, id)
			p.triggers.hit(QueueIngest)
			return err
		}
	}
	return func(ctx context.Context) error { return errors.Join(p.pusher.Send(ctx, id), p.eraseAt(ctx, id)) }
}

// enqueue puts one trigger into Redis and, where this process works, starts
// the work at once, so that nothing waits for a poll or for Redis.
func (p *Pipeline) enqueue(queue string) {
	if p.ctx.Err() != nil {
		return
	}
	if p.o.Work {
		p.runner(queue).kick(p.ctx, &p.wg)
	}
	// Redis may be slow to say that it is away; work never waits for it.
	if _, under := p.enqueuing.LoadOrStore(queue, true); under {
		return
	}
	p.wg.Go(func() {
		defer p.enqueuing.Delete(queue)
		p.tell(queue)
	})
}

// tell puts a queue's trigger into Redis.
func (p *Pipeline) tell(queue string) {
	kind, id, _ := strings.Cut(queue, ":")
	t, opts := asynq.NewTask(KindProcess, nil), []asynq.Option{asynq.Queue(queue), asynq.MaxRetry(3), asynq.Timeout(10 * time.Minute)}
	switch kind {
	case QueueClock:
		t = asynq.NewTask(KindClock, nil)
	case QueueMaintenance:
		t = asynq.NewTask(KindReconcile, nil)
	case "fetch":
		t = laneTask(KindFetch, id)
	case "enrich":
		t = laneTask(KindEnrich, id)
	case "push":
		t = laneTask(KindPush, id)
	}
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
	defer cancel()
	if _, err := p.client.EnqueueContext(ctx, t, opts...); err != nil && p.ctx.Err() == nil {
		p.o.Log.Debug("redis is away, reconcile will find the work", "queue", queue, "error", err)
	}
}

// retryLater makes a vendor's failure a push:retry task, so that its error,
// its pause and its tries are what asynq's page shows.
func (p *Pipeline) retryLater(connection string, cause error) {
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
	defer cancel()
	next, err := p.o.Store.NextDue(ctx, connection)
	if err != nil || next == 0 {
		return
	}
	_, err = p.client.EnqueueContext(ctx, laneTask(KindRetry, connection), asynq.Queue(pushQueue(connection)), asynq.TaskID("retry:"+connection),
		asynq.ProcessAt(max(next, lifecycle.At(p.o.Now())).Time()), asynq.MaxRetry(1000), asynq.Timeout(10*time.Minute))
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) && p.ctx.Err() == nil {
		p.o.Log.Debug("redis is away, reconcile will find the work", "connection", connection, "error", err, "cause", cause)
	}
}
