//go:build !race

package chaos_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// clients send a story as vendors do: at full speed, each delivery again under
// its id until it is answered with a 2xx.
type clients struct {
	t     *testing.T
	url   string
	story []event
	n     int
	every time.Duration // between two events; zero: as fast as they are taken
	http  *http.Client

	mu       sync.Mutex
	receipts map[string]int64 // by delivery id
	refused  map[string]int   // answers that were not 2xx
	wrong    []string
}

func newClients(t *testing.T, url string, story []event, n int) *clients {
	transport := &http.Transport{MaxIdleConnsPerHost: n, MaxConnsPerHost: n}
	t.Cleanup(transport.CloseIdleConnections)
	return &clients{
		t: t, url: url + "/hooks/app", story: story, n: n, http: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		receipts: map[string]int64{}, refused: map[string]int{},
	}
}

// send begins and gives a channel that is closed when everything was
// acknowledged, or the patience is at its end.
func (c *clients) send(r *rand.Rand, patience time.Duration) <-chan struct{} {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	queue := make(chan *event)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range c.n {
		wg.Go(func() {
			for e := range queue {
				c.deliver(ctx, e)
			}
		})
	}
	go func() {
		defer close(done)
		defer cancel()
		began := time.Now()
		for i := range c.story {
			if wait := time.Until(began.Add(time.Duration(i) * c.every)); wait > 0 {
				pause(wait)
			}
			queue <- &c.story[i]
			if r.IntN(20) == 0 { // vendors send twice, too
				queue <- &c.story[r.IntN(i+1)]
			}
		}
		close(queue)
		wg.Wait()
	}()
	return done
}

// deliver sends until it is taken.
func (c *clients) deliver(ctx context.Context, e *event) {
	for ctx.Err() == nil {
		receipt, refusal := c.post(ctx, e)
		if refusal == "" {
			c.note(e.id, receipt)
			return
		}
		c.mu.Lock()
		c.refused[refusal]++
		c.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func (c *clients) post(ctx context.Context, e *event) (receipt int64, refusal string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(e.body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header = sign(e, time.Now())
	res, err := c.http.Do(req)
	if err != nil {
		return 0, "no answer"
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode/100 != 2 {
		if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
			return 0, "503 without Retry-After"
		}
		return 0, res.Status
	}
	receipt, err = strconv.ParseInt(res.Header.Get("Stagebridge-Receipt"), 10, 64)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wrong = append(c.wrong, fmt.Sprintf("%s: a %d without a receipt", e.id, res.StatusCode))
	}
	return receipt, ""
}

// note keeps a receipt; a second one of the same delivery must be the same.
func (c *clients) note(id string, receipt int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, again := c.receipts[id]; again && before != receipt {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: receipts %d and %d", id, before, receipt))
	}
	c.receipts[id] = receipt
}

func (c *clients) acked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.receipts)
}

// acknowledged fails the test unless every event was taken, and each had one
// receipt.
func (c *clients) acknowledged() {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.receipts) != len(c.story) {
		c.t.Fatalf("%d of %d events were acknowledged; refusals: %v", len(c.receipts), len(c.story), c.refused)
	}
	for _, w := range c.wrong {
		c.t.Error(w)
	}
	if n := c.refused["503 without Retry-After"]; n > 0 {
		c.t.Errorf("%d answers 503 without Retry-After", n)
	}
}

func (c *clients) refusals() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.refused)
}

func (c *clients) refusedCount() (n int) {
	for _, k := range c.refusals() {
		n += k
	}
	return n
}
