package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestARedisClusterCarriesTheTriggers of two processes: one that only takes
// webhooks, and one that works. Then a node dies, and what comes in is worked
// off all the same.
func TestARedisClusterCarriesTheTriggers(t *testing.T) {
	t.Parallel()
	url, nodes := redisCluster(t)
	p := newPair(t, url)
	p.arrives("before")
	p.carried()
	if err := p.limiter().Wait(t.Context(), "lab", connectors.Limits{Rate: 100, Per: time.Second}); err != nil {
		t.Errorf("the shared limit: %v", err)
	}
	nodes[2].kill()
	p.arrives("after")
}

// TestAFailoverBySentinelsLosesNothing: the master dies under load.
func TestAFailoverBySentinelsLosesNothing(t *testing.T) {
	t.Parallel()
	url, master := redisSentinel(t)
	p := newPair(t, url)
	p.arrives("before")
	p.carried()
	master.kill()
	for i := range 20 {
		p.arrives(fmt.Sprintf("during%d", i))
	}
	if !eventually(t, time.Minute, func() bool { return p.worker.PingRedis(t.Context()) == nil }) {
		t.Fatal("the replica does not take over")
	}
	p.arrives("after")
	p.carried()
}

// pair is a process that takes webhooks and one that works, over one Redis.
type pair struct {
	*faults
	url         string
	web, worker *jobs.Pipeline
}

func newPair(t *testing.T, url string) *pair {
	t.Helper()
	s := storetest.SQLite(t)
	p := &pair{faults: newFaults(t, s), url: url}
	p.connect("lab", connectors.PushConfig{Enabled: true})
	for _, work := range []bool{false, true} {
		one, err := jobs.NewPipeline(jobs.PipelineOptions{Store: s, Registry: p.registry, RedisURL: url, Work: work})
		if err != nil {
			t.Fatal(err)
		}
		one.Start()
		t.Cleanup(one.Stop)
		if work {
			p.worker = one
		} else {
			p.web = one
		}
	}
	return p
}

func (p *pair) limiter() *jobs.Limiter { return jobs.NewLimiter(p.worker.Redis()) }

// arrives lets somebody buy and waits until the vendor knows.
func (p *pair) arrives(who string) {
	p.t.Helper()
	email := who + "@example.com"
	p.tell("crm", told{"order", p.now.Add(-time.Hour), fmt.Sprintf(`{"email":%q,"order":%q,"amount":"5"}`, email, who)})
	p.web.Received("crm", false)
	var held connectors.State
	if !eventually(p.t.(*testing.T), time.Minute, func() bool {
		p.vendor.mu.Lock()
		defer p.vendor.mu.Unlock()
		held = p.vendor.held[email]
		return held.Stage == "Customer"
	}) {
		p.t.Fatalf("the vendor holds %+v of %s", held, who)
	}
}

// carried wants the task of a trigger to have gone through Redis, where asynq
// counts it.
func (p *pair) carried() {
	p.t.Helper()
	opt, err := jobs.ParseRedisURL(p.url)
	if err != nil {
		p.t.Fatal(err)
	}
	inspector := asynq.NewInspector(opt)
	defer func() { _ = inspector.Close() }()
	var seen string
	if !eventually(p.t.(*testing.T), time.Minute, func() bool {
		p.web.Received("crm", false)
		info, err := inspector.GetQueueInfo(jobs.QueueIngest)
		seen = fmt.Sprintf("%+v, %v", info, err)
		return err == nil && info.Processed > 0 && info.Failed == 0
	}) {
		p.t.Fatalf("no task was processed: %s", seen)
	}
	if err := p.worker.PingRedis(context.WithoutCancel(p.t.(*testing.T).Context())); err != nil {
		p.t.Errorf("ping: %v", err)
	}
}
