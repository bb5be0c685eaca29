package salesforce

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// quota watches the requests that the organization has used of the last 24
// hours. They are shared by everything that calls its API, so that a bridge
// which uses them up stops other people's work.
type quota struct {
	// reserve is the part of the requests, in percent, that is left to others.
	reserve int64

	mu    sync.Mutex
	low   bool
	until time.Time
	words string
}

// note reads Sforce-Limit-Info: api-usage=18/5000 (REST API Developer Guide,
// "Limit Info Header").
func (q *quota) note(h http.Header, now time.Time) {
	for part := range strings.SplitSeq(h.Get("Sforce-Limit-Info"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "api-usage") {
			continue
		}
		usedText, allText, _ := strings.Cut(value, "/")
		used, err := strconv.ParseInt(strings.TrimSpace(usedText), 10, 64)
		all, wrong := strconv.ParseInt(strings.TrimSpace(allText), 10, 64)
		if err != nil || wrong != nil || all <= 0 || used < 0 || used > 1<<50 || all > 1<<50 {
			return
		}
		q.mu.Lock()
		q.low = used*100 >= all*(100-q.reserve)
		q.until = now.Add(quotaPause)
		q.words = fmt.Sprintf("%d of the organization's %d requests of the last 24 hours are used; the rest is left to others", used, all)
		q.mu.Unlock()
		return
	}
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
	return &connectors.PushError{Act: "salesforce: " + act, Reason: connectors.ReasonRateLimit, Retryable: true, RetryAfter: q.until.Sub(now), Message: q.words}
}
