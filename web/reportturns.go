package web

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// reportWait is how long a report waits for its turn.
	reportWait = 20 * time.Second
	// reportQueue is how many reports wait for theirs at most.
	reportQueue = 16
)

// reportTurns lets few reports run at a time, since each of them takes all
// processors, which events need as well. The zero value is ready.
type reportTurns struct {
	once    sync.Once
	slots   chan struct{}
	waiting atomic.Int32
}

// take waits for a turn and gives what ends it. The error is a *Problem that
// says when to ask again, or the context's.
func (t *reportTurns) take(ctx context.Context, wait time.Duration) (func(), error) {
	t.once.Do(func() { t.slots = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) })
	done := func() { <-t.slots }
	select {
	case t.slots <- struct{}{}:
		return done, nil
	default:
	}
	busy := &Problem{Status: http.StatusServiceUnavailable, Title: "Too many reports", RetryAfter: 10,
		Detail: "other reports are under way; ask again, or send Prefer: respond-async to have this one computed in its turn"}
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > reportQueue {
		return nil, busy
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case t.slots <- struct{}{}:
		return done, nil
	case <-timer.C:
		return nil, busy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
