package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/jobs/observe"
	"github.com/stagebridge/stagebridge/store"
)

// Pipeline runs the work: asynq servers for the shared queues, a lane per
// connection, and the loops that find what is due.
type Pipeline struct {
	o         PipelineOptions
	rdb       redis.UniversalClient
	embedded  *miniredis.Miniredis
	client    *asynq.Client
	asynqLog  *asynqLog
	inspector *asynq.Inspector
	processor *Processor
	pusher    *Pusher
	fetcher   *Fetcher
	watch     *Watch
	notices   *Notices
	triggers  *coalescer
	enqueuing sync.Map // queues with a trigger on its way into Redis
	asking    sync.Map // connections with a vendor to be asked to erase somebody

	mu      sync.Mutex
	runners map[string]*runner // by queue
	lanes   map[string]*lane
	servers []*asynq.Server

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// PipelineOptions are what a Pipeline needs.
type PipelineOptions struct {
	Store    *store.Store
	Registry *Registry
	// RedisURL names a Redis (redis://, rediss://, redis-sentinel://,
	// redis-socket://); empty runs one inside this process, which keeps nothing on disk.
	RedisURL string
	// Work is false where this process only triggers others (role web).
	Work bool
	// Works does long work; nil: none is done here.
	Works *Works
	// Batch is the rows of a processing transaction; zero is a sensible size.
	Batch int
	// VendorTimeout of one request to a vendor; zero is 15 s. What a replica
	// that died had taken is free again after 20 times that.
	VendorTimeout time.Duration
	// Retain is how long raw bodies are kept; zero keeps them.
	Retain time.Duration
	// RetainClasses is how long other classes of data are kept; one that is not
	// named, or zero, stays.
	RetainClasses map[store.Class]time.Duration
	// Metrics and Tracer watch; nil: nobody does.
	Metrics *observe.Metrics
	Tracer  *observe.Tracer
	Now     func() time.Time
	Log     *slog.Logger
}

// triggerSpan is how often at most one process triggers one queue.
const triggerSpan = 20 * time.Millisecond

// NewPipeline connects to Redis, or starts the embedded one.
func NewPipeline(o PipelineOptions) (*Pipeline, error) {
	if o.Now == nil {
		o.Now = o.Store.Now // on which replicas agree
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Pipeline{o: o, asynqLog: &asynqLog{log: o.Log, now: o.Now}, runners: map[string]*runner{}, lanes: map[string]*lane{}}
	if err := p.connect(); err != nil {
		return nil, fmt.Errorf("jobs: redis: %w", err)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.client, p.inspector = asynq.NewClientFromRedisClient(p.rdb), asynq.NewInspectorFromRedisClient(p.rdb)
	p.triggers = newCoalescer(triggerSpan, p.enqueue)
	p.processor = &Processor{Store: o.Store, Registry: o.Registry, Batch: o.Batch, Due: p.duePushes, Metrics: o.Metrics, Tracer: o.Tracer, Now: o.Now, Log: o.Log}
	p.pusher = &Pusher{Store: o.Store, Registry: o.Registry, Limiter: NewLimiter(p.rdb), Breakers: &Breakers{}, Request: o.VendorTimeout, Metrics: o.Metrics, Tracer: o.Tracer,
		Now: o.Now, Log: o.Log}
	watched := WatchOptions{Store: o.Store, Registry: o.Registry, Ping: p.PingRedis, Queues: p.queueSizes, Now: o.Now, Log: o.Log}
	if o.Work {
		watched.Breakers = p.pusher.Breakers
	}
	p.watch = NewWatch(watched)
	p.notices = p.newNotices()
	if o.Works != nil {
		o.Works.Add(p.identityKind())
		o.Works.Add(ReplayKind(p.processor))
		puller := &Puller{Store: o.Store, Registry: o.Registry, Limiter: p.pusher.Limiter, Received: p.Received, Request: o.VendorTimeout, Now: o.Now}
		o.Works.Add(puller.Kind())
		o.Works.Add((&Eraser{Processor: p.processor, Told: p.askToErase}).Kind())
	}
	p.fetcher = &Fetcher{Store: o.Store, Registry: o.Registry, Breakers: p.pusher.Breakers, Received: p.Received, Request: o.VendorTimeout, Metrics: o.Metrics,
		Now: o.Now, Log: o.Log}
	return p, nil
}

func (p *Pipeline) connect() error {
	if p.o.RedisURL == "" {
		p.embedded = miniredis.NewMiniRedis()
		if err := p.embedded.Start(); err != nil {
			return err
		}
		p.rdb = redis.NewClient(&redis.Options{Addr: p.embedded.Addr(), Protocol: 2})
		return nil
	}
	opt, err := ParseRedisURL(p.o.RedisURL)
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return errors.New("REDIS_URL gives a client that is not supported")
	}
	p.rdb = client
	return nil
}

// Start begins to work and returns. Redis need not be there.
func (p *Pipeline) Start() {
	p.wg.Go(func() { p.o.Registry.Watch(p.ctx) })
	p.wg.Go(func() { p.watch.Run(p.ctx) })
	p.wg.Go(func() { p.notices.Run(p.ctx) })
	if p.embedded != nil {
		p.wg.Go(p.ageRedis)
	}
	if !p.o.Work {
		return
	}
	if err := p.o.Store.FreeLeases(p.ctx); err != nil {
		p.o.Log.Warn("what a process before this one had taken is free when its leases end", "error", err)
	}
	p.serve(map[string]int{QueueIngest: 1}, 1)
	p.serve(map[string]int{QueueClock: 1, QueueMaintenance: 1}, 2)
	p.o.Registry.OnChange(p.lanesFor)
	p.wg.Go(p.watchDue)
	p.wg.Go(p.keepSummaries)
	if p.o.Works != nil {
		p.wg.Go(func() { p.o.Works.Serve(p.ctx) })
	}
}

// Stop ends all work; what is under way is finished or will be found again.
func (p *Pipeline) Stop() {
	p.cancel()
	p.mu.Lock()
	servers, lanes := p.servers, p.lanes
	p.servers, p.lanes = nil, map[string]*lane{}
	p.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(s.Shutdown)
	}
	for _, l := range lanes {
		wg.Go(l.server.Shutdown)
	}
	wg.Wait()
	p.wg.Wait()
	if err := p.rdb.Close(); err != nil {
		p.o.Log.Debug("redis client", "error", err)
	}
	if p.embedded != nil {
		p.embedded.Close()
	}
}

// Redis is the connection that asynq's web page needs.
func (p *Pipeline) Redis() redis.UniversalClient { return p.rdb }

// PingRedis answers whether Redis can be reached.
func (p *Pipeline) PingRedis(ctx context.Context) error { return p.rdb.Ping(ctx).Err() }

// Watch is what looks at the pipeline.
func (p *Pipeline) Watch() *Watch { return p.watch }

// Notices is what tells people.
func (p *Pipeline) Notices() *Notices { return p.notices }

func (p *Pipeline) newNotices() *Notices {
	r := &p.o.Registry.o
	all := newLately()
	p.processor.lately, p.pusher.lately = all, all
	p.processor.parked, p.pusher.refused = &seldom{}, &seldom{}
	n := &Notices{Store: p.o.Store, Registry: p.o.Registry, Watch: p.watch, Vault: r.Vault, Sender: &notify.Sender{HTTP: r.HTTP, Now: p.o.Now},
		Metrics: p.o.Metrics, PublicURL: r.PublicURL, Now: p.o.Now, Log: p.o.Log, begun: p.o.Now()}
	n.Listen(p.processor, p.pusher)
	return n
}

// Breaker gives the state of a connection's breaker.
func (p *Pipeline) Breaker(connection string) string { return p.pusher.Breakers.State(connection) }

// Received tells that raw events of a connection wait. It returns at once.
func (p *Pipeline) Received(connection string, needRecord bool) {
	p.triggers.hit(QueueIngest)
	if needRecord {
		p.triggers.hit(enrichQueue(connection))
	}
}

// DuePush tells that people are due at a connection.
func (p *Pipeline) DuePush(connection string) { p.triggers.hit(pushQueue(connection)) }

func (p *Pipeline) duePushes(connections []string) {
	for _, c := range connections {
		p.DuePush(c)
	}
}

// ageRedis lets time pass in the embedded Redis, which does not do so itself.
func (p *Pipeline) ageRedis() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
			p.embedded.FastForward(time.Second)
			p.embedded.SetTime(time.Now())
		}
	}
}

// watchDue looks once a second for what became due by time, and once a minute
// for everything: whatever was lost in Redis is found here (rule 1).
func (p *Pipeline) watchDue() {
	p.reconcile(true)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-p.ctx.Done():
			return
		case <-tick.C:
			p.reconcile(n%60 == 0)
		}
	}
}

// reconcile triggers what is due. all also looks at lanes of connections that
// are gone, whose rows nobody else would touch.
func (p *Pipeline) reconcile(all bool) {
	cfg := p.o.Registry.Config()
	ids := make([]string, 0, len(cfg.Connections))
	for id := range cfg.Connections {
		ids = append(ids, id)
	}
	if all {
		lanes, err := p.o.Store.Lanes(p.ctx)
		if err != nil && p.ctx.Err() == nil {
			p.o.Log.Warn("reconcile", "error", err)
		}
		ids = append(ids, lanes...)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		p.triggers.hit(QueueMaintenance)
	}
	due, err := p.o.Store.DueNow(p.ctx, ids)
	if err != nil {
		if p.ctx.Err() == nil {
			p.o.Log.Warn("reconcile", "error", err)
		}
		return
	}
	if due.Process {
		p.triggers.hit(QueueIngest)
	}
	if due.Clock {
		p.triggers.hit(QueueClock)
	}
	for _, c := range due.Enrich {
		if cfg.Connections[c] == nil {
			p.orphans(c)
			continue
		}
		p.triggers.hit(enrichQueue(c))
	}
	for _, c := range due.Push {
		p.triggers.hit(pushQueue(c))
	}
	for _, c := range p.fetcher.Due(cfg) {
		p.triggers.hit(fetchQueue(c))
	}
}

// orphans passes on rows that waited for the records of a connection that is
// gone.
func (p *Pipeline) orphans(connection string) {
	if err := p.pusher.Enrich(p.ctx, connection); err != nil && p.ctx.Err() == nil {
		p.o.Log.Warn("reconcile", "connection", connection, "error", err)
	}
	p.triggers.hit(QueueIngest)
}

// RedisOption is how asynq's web page reaches the same Redis.
func (p *Pipeline) RedisOption() asynq.RedisConnOpt {
	if p.embedded != nil {
		return asynq.RedisClientOpt{Addr: p.embedded.Addr()}
	}
	opt, err := ParseRedisURL(p.o.RedisURL)
	if err != nil {
		return nil // NewPipeline has read it before
	}
	return opt
}
