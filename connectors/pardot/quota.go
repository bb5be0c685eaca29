package pardot

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Headers by which the API tells how many of the day's requests are used
// ("Version 5 Overview", usage); the answer is "used/maximum".
const (
	askUsageHeader = "X-Return-Api-Usage"
	usageHeader    = "X-Api-Usage"
)

// quota watches the requests that the business unit has used today. They are
// shared by everything that calls its API.
type quota struct {
	// reserve is the part of the requests, in percent, that is left to others.
	reserve int64

	mu    sync.Mutex
	low   bool
	until time.Time
	words string
}

// note reads the usage that came with an answer; none, or one of another form,
// says nothing.
func (q *quota) note(h http.Header, now time.Time) {
	usedText, allText, ok := strings.Cut(h.Get(usageHeader), "/")
	used, err := strconv.ParseInt(strings.TrimSpace(usedText), 10, 64)
	all, wrong := strconv.ParseInt(strings.TrimSpace(allText), 10, 64)
	if !ok || err != nil || wrong != nil || all <= 0 || used < 0 || used > 1<<50 || all > 1<<50 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.low = used*100 >= all*(100-q.reserve)
	q.until = now.Add(dailyPause)
	q.words = fmt.Sprintf("%d of the business unit's %d requests of the day are used; the rest is left to others", used, all)
}

// mayAsk is asked before work that takes requests, not before each of them:
// what was begun is brought to its end. The error says when to come back; after
// the pause one is let through, to see how it stands.
func (c *Connector) mayAsk(act string) error {
	q, now := c.quota, c.cfg.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.low || !now.Before(q.until) {
		return nil
	}
	return &connectors.PushError{Act: "pardot: " + act, Reason: connectors.ReasonRateLimit, Retryable: true, RetryAfter: q.until.Sub(now), Message: q.words}
}
