package jobs

import (
	"context"
	"sync"
	"time"
)

// runner runs one piece of work at a time: a call while it runs makes it run
// once more afterwards, so no trigger is ever missed and none piles up.
type runner struct {
	work  func(context.Context) error
	fail  func(error)
	mu    sync.Mutex
	busy  bool
	again bool
}

// kick runs the work in a goroutine of wg unless it runs already.
func (r *runner) kick(ctx context.Context, wg *sync.WaitGroup) {
	r.mu.Lock()
	if r.busy {
		r.again = true
		r.mu.Unlock()
		return
	}
	r.busy = true
	r.mu.Unlock()
	wg.Go(func() { r.loop(ctx) })
}

// do runs the work and waits; when it runs already, it runs once more after
// this and do returns at once.
func (r *runner) do(ctx context.Context) error {
	r.mu.Lock()
	if r.busy {
		r.again = true
		r.mu.Unlock()
		return nil
	}
	r.busy = true
	r.mu.Unlock()
	return r.loop(ctx)
}

func (r *runner) loop(ctx context.Context) error {
	for {
		err := r.work(ctx)
		if err != nil && ctx.Err() == nil && r.fail != nil {
			r.fail(err)
		}
		r.mu.Lock()
		if !r.again || err != nil || ctx.Err() != nil {
			r.busy, r.again = false, false
			r.mu.Unlock()
			return err
		}
		r.again = false
		r.mu.Unlock()
	}
}

// coalescer lets at most one call per key through in a span, with a call at
// its end whenever another was asked for meanwhile.
type coalescer struct {
	span time.Duration
	call func(key string)
	mu   sync.Mutex
	open map[string]bool // key: asked for again within the span
}

func newCoalescer(span time.Duration, call func(string)) *coalescer {
	return &coalescer{span: span, call: call, open: map[string]bool{}}
}

func (c *coalescer) hit(key string) {
	c.mu.Lock()
	if _, within := c.open[key]; within {
		c.open[key] = true
		c.mu.Unlock()
		return
	}
	c.open[key] = false
	c.mu.Unlock()
	go c.fire(key)
}

func (c *coalescer) fire(key string) {
	for {
		c.call(key)
		time.Sleep(c.span)
		c.mu.Lock()
		if !c.open[key] {
			delete(c.open, key)
			c.mu.Unlock()
			return
		}
		c.open[key] = false
		c.mu.Unlock()
	}
}
