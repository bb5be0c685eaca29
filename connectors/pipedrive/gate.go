package pipedrive

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxHold is the longest that a request waits for the burst limit; its window
// is 2 seconds long (rate limiting page of the developer documentation).
const maxHold = 3 * time.Second

// gate holds requests back once the burst limit of this moment is used up, as
// the last answer told. Going on into refusals may get the user blocked.
type gate struct {
	mu    sync.Mutex
	until time.Time
}

// note reads what an answer says of the limit.
func (g *gate) note(h http.Header) {
	left, err := strconv.Atoi(h.Get("X-Ratelimit-Remaining"))
	// Others may be under way that this answer does not count yet.
	if err != nil || left >= concurrency {
		return
	}
	seconds, err := strconv.Atoi(h.Get("X-Ratelimit-Reset"))
	if err != nil || seconds <= 0 {
		return
	}
	until := time.Now().Add(min(time.Duration(seconds)*time.Second, maxHold))
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
	}
}

// wait ends when the next request may go out, or with the context.
func (g *gate) wait(ctx context.Context, act string) error {
	g.mu.Lock()
	hold := time.Until(g.until)
	g.mu.Unlock()
	if hold <= 0 {
		return nil
	}
	timer := time.NewTimer(hold)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &connectors.PushError{
			Act: act, Reason: connectors.ReasonNotDone, Retryable: true,
			Message: "the burst limit is used up, and the time of this batch too", RetryAfter: hold,
		}
	}
}
