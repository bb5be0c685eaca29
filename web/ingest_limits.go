package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of failed requests: the window they are counted in, and how many
// addresses are remembered, so that a flood from everywhere cannot fill the
// memory.
const (
	failWindow = time.Minute
	failsKept  = 10_000
)

// limits slows down floods: verified requests per connection, failed ones per
// network, as network tells them apart.
type limits struct {
	mu      sync.Mutex
	fails   map[netip.Addr]int
	since   time.Time
	perConn sync.Map // connection id: *rate.Limiter
}

func (l *limits) mayFail(address string, most int) bool {
	if most <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.fails) == 0 || l.fails[network(address)] < most || time.Since(l.since) > failWindow
}

func (l *limits) failed(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails == nil || time.Since(l.since) > failWindow || len(l.fails) >= failsKept {
		l.fails, l.since = map[netip.Addr]int{}, time.Now()
	}
	l.fails[network(address)]++
}

// allow counts a verified request of a connection against its rate.
func (l *limits) allow(connection string, perSecond int) bool {
	if perSecond <= 0 {
		return true
	}
	of, ok := l.perConn.Load(connection)
	if !ok {
		of, _ = l.perConn.LoadOrStore(connection, rate.NewLimiter(rate.Limit(perSecond), perSecond))
	}
	return of.(*rate.Limiter).Allow()
}

// unpack reads through a content encoding. Only gzip is taken.
func unpack(encoding string, body io.Reader) (io.Reader, error) {
	if encoding == "identity" {
		return body, nil
	}
	if encoding != "gzip" {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Title: "Not supported", Detail: "the body's content encoding is not gzip"}
	}
	z, err := gzip.NewReader(body)
	if err != nil {
		return nil, unreadable(err)
	}
	return z, nil
}
