package web

import (
	"context"
	"sync"
)

// beside runs what a page need not wait for. It ends with the Web. The zero
// value is ready.
type beside struct {
	mu     sync.Mutex
	ctx    context.Context // of what runs, not of a request
	cancel context.CancelFunc
	closed bool
	wg     sync.WaitGroup
}

// run runs fn, unless everything is ending.
func (b *beside) run(fn func(context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	if b.ctx == nil {
		b.ctx, b.cancel = context.WithCancel(context.Background())
	}
	b.wg.Go(func() { fn(b.ctx) })
}

// close ends what runs and waits for it.
func (b *beside) close() {
	b.mu.Lock()
	b.closed = true
	if b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	b.wg.Wait()
}
