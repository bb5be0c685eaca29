package web

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits of attempts at one user from everywhere, so that many addresses guess
// no faster than one.
const (
	accountBurst = 10
	accountEvery = 30 * time.Second
	knownMost    = 10_000 // addresses remembered by whom was let in from there
)

// accountThrottle limits attempts by the name that is tried, whether somebody
// has it or not. Where a user has logged in from lately, attempts at that user
// are not counted here: so a stranger cannot lock the user out.
type accountThrottle struct {
	mu    sync.Mutex
	now   func() time.Time
	each  map[[32]byte]*rate.Limiter
	known map[knownPlace]struct{}
}

type knownPlace struct {
	name [32]byte
	from netip.Addr
}

func newAccountThrottle(now func() time.Time) *accountThrottle {
	return &accountThrottle{now: now, each: map[[32]byte]*rate.Limiter{}, known: map[knownPlace]struct{}{}}
}

// may takes one attempt at a name, if it has any left.
func (t *accountThrottle) may(name, address string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	// Of a name as long as somebody likes no more is kept than its hash.
	key := sha256.Sum256([]byte(name))
	if _, ok := t.known[knownPlace{key, network(address)}]; ok {
		return true
	}
	l := t.each[key]
	if l == nil {
		if len(t.each) >= throttledMost {
			t.forgetRested()
		}
		l = rate.NewLimiter(rate.Every(accountEvery), accountBurst)
		t.each[key] = l
	}
	return l.AllowN(t.now(), 1)
}

// letIn remembers from where a user was let in.
func (t *accountThrottle) letIn(name, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= knownMost {
		clear(t.known)
	}
	t.known[knownPlace{sha256.Sum256([]byte(name)), network(address)}] = struct{}{}
}

// forgetRested makes room. Attempts are bounded for all names together, so
// there are never many that have not rested.
func (t *accountThrottle) forgetRested() {
	for key, l := range t.each {
		if l.TokensAt(t.now()) >= accountBurst {
			delete(t.each, key)
		}
	}
	if len(t.each) >= throttledMost {
		clear(t.each)
	}
}
