package web

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of attempts to log in: some at once and then one every few seconds
// from one address, and a bound for all addresses together, so that many of
// them do not keep the hashing busy.
const (
	attemptsBurst  = 5
	attemptsEvery  = 10 * time.Second
	attemptsAll    = 40
	attemptsAllPer = time.Second
	throttledMost  = 10_000 // addresses remembered
)

// throttle limits attempts by address. A success is not counted.
type throttle struct {
	mu   sync.Mutex
	now  func() time.Time
	each map[netip.Addr]*rate.Limiter
	all  *rate.Limiter
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, each: map[netip.Addr]*rate.Limiter{}, all: rate.NewLimiter(rate.Every(attemptsAllPer), attemptsAll)}
}

// may takes one attempt of an address, if it has any left.
func (t *throttle) may(address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	return t.of(address).AllowN(now, 1) && t.all.AllowN(now, 1)
}

// forgive gives an address all its attempts back.
func (t *throttle) forgive(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.each, network(address))
}

func (t *throttle) of(address string) *rate.Limiter {
	from := network(address)
	l := t.each[from]
	if l == nil {
		if len(t.each) >= throttledMost {
			t.forgetRested()
		}
		l = rate.NewLimiter(rate.Every(attemptsEvery), attemptsBurst)
		t.each[from] = l
	}
	return l
}

// forgetRested makes room: first those that have all their attempts, and if
// there are none, all of them; the bound for everybody still holds.
func (t *throttle) forgetRested() {
	for from, l := range t.each {
		if l.TokensAt(t.now()) >= attemptsBurst {
			delete(t.each, from)
		}
	}
	if len(t.each) >= throttledMost {
		clear(t.each)
	}
}

// network is what counts as one sender: an IPv4 address, or the /64 that a
// provider gives to one customer.
func network(address string) netip.Addr {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Addr{}
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
