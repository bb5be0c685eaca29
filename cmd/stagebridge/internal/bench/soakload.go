package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The load of a soak: people come, buy, use the product and buy again, so that
// each event is kept, half of them move somebody, and every move is told to the
// vendor. People come in blocks, so that several are under way at once.
const (
	soakBlock     = 1000 // people of a block
	soakEach      = 4    // events of a person
	soakLastStage = "Retained Customer"
)

// soakEvent is the nth event of the load.
func soakEvent(n int, at time.Time) []byte {
	block, within := n/(soakBlock*soakEach), n%(soakBlock*soakEach)
	person := block*soakBlock + within%soakBlock
	switch within / soakBlock {
	case 0:
		return fmt.Appendf(nil, `{"type":"user.created","timestamp":%q,"data":{"user_id":"u%d","email":"person%d@example.com","company":"Company %d"}}`,
			at.UTC().Format(time.RFC3339Nano), person, person, person%1000)
	case 2:
		return fmt.Appendf(nil, `{"type":"product.used","timestamp":%q,"data":{"user_id":"u%d"}}`, at.UTC().Format(time.RFC3339Nano), person)
	}
	return order(person, n, at)
}

// finished is how many people had all their events among the first n.
func finished(n int) int {
	block, within := n/(soakBlock*soakEach), n%(soakBlock*soakEach)
	return block*soakBlock + max(0, within-soakBlock*(soakEach-1))
}

// paced sends the events of the load one after the other from many clients.
type paced struct {
	url     string
	clients int
	http    *http.Client
	next    atomic.Int64
	failed  atomic.Int64
	first   atomic.Pointer[error]
}

func newPaced(url string, clients int) *paced {
	transport := &http.Transport{MaxIdleConns: clients, MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients, DisableCompression: true}
	return &paced{url: url, clients: clients, http: &http.Client{Transport: transport, Timeout: time.Minute}}
}

func (p *paced) close()    { p.http.CloseIdleConnections() }
func (p *paced) sent() int { return int(p.next.Load()) }

func (p *paced) one(ctx context.Context) {
	n, now := int(p.next.Add(1))-1, time.Now()
	s := signed(fmt.Sprintf("soak_%d", n), soakEvent(n, now), now)
	if err := send(ctx, p.http, p.url, &s); err != nil {
		p.failed.Add(1)
		p.first.CompareAndSwap(nil, &err)
	}
}

func (p *paced) failure() error {
	if n := p.failed.Load(); n > 0 {
		return fmt.Errorf("%w: %d of %d webhooks were not answered with a 2xx, the first with: %w", ErrGrows, n, p.sent(), *p.first.Load())
	}
	return nil
}

// most sends as fast as it can for a while and gives the rate at which all of
// it went the whole way.
func (p *paced) most(ctx context.Context, span time.Duration, t *told) (float64, error) {
	began := time.Now()
	var wg sync.WaitGroup
	for range p.clients {
		wg.Go(func() {
			for time.Since(began) < span && ctx.Err() == nil {
				p.one(ctx)
			}
		})
	}
	wg.Wait()
	if err := p.failure(); err != nil {
		return 0, err
	}
	if _, err := t.rest(ctx, p.sent(), soakRest); err != nil {
		return 0, err
	}
	return float64(p.sent()) / time.Since(began).Seconds(), ctx.Err()
}

// steady sends at a rate. A server that is behind for more than a second is
// not made to catch up, so that the load stays what was asked for.
func (p *paced) steady(ctx context.Context, rate float64, span time.Duration) error {
	work := make(chan struct{})
	var wg sync.WaitGroup
	for range p.clients {
		wg.Go(func() {
			for range work {
				p.one(context.WithoutCancel(ctx))
			}
		})
	}
	began := time.Now()
	given, tick := 0.0, time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for time.Since(began) < span && ctx.Err() == nil {
		due := rate * time.Since(began).Seconds()
		given = max(given, due-rate)
		for ; given < due; given++ {
			work <- struct{}{}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	close(work)
	wg.Wait()
	if err := p.failure(); err != nil {
		return err
	}
	return ctx.Err()
}
