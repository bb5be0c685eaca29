package connectors

import (
	"context"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// Bounds of a token's life, whatever the vendor says about it.
const (
	// tokenEarly is how long before its end a token is renewed.
	tokenEarly   = time.Minute
	tokenMinLife = 2 * tokenEarly
	tokenMaxLife = 24 * time.Hour
)

// Token is an access token as a vendor gave it out.
type Token struct {
	Value secret.Text
	// Base is the address to call with it, without a trailing slash, where the
	// vendor names one with the token; else empty.
	Base string
	// Life is how long it is valid from now; zero where the vendor does not
	// say: then it is used until it is refused, a day at most.
	Life time.Duration
}

// Tokens keeps one access token and fetches the next before it ends. However
// many calls ask at once, one fetch is in flight; the others wait for it. It is
// safe for concurrent use.
type Tokens struct {
	now   func() time.Time
	fetch func(context.Context) (Token, error)
	// turn guards the fields below; a channel, so that waiting ends with the
	// caller's context.
	turn chan struct{}

	current Token
	ends    time.Time
}

// NewTokens makes an empty keeper. fetch asks the vendor for a token; its
// errors are *PushError, and a fault is not remembered: the next Get asks anew.
func NewTokens(now func() time.Time, fetch func(context.Context) (Token, error)) *Tokens {
	return &Tokens{now: now, fetch: fetch, turn: make(chan struct{}, 1)}
}

// Get gives a token that is worth trying. Any error is a *PushError.
func (t *Tokens) Get(ctx context.Context) (Token, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return Token{}, &PushError{Act: "wait for an access token", Reason: ReasonTimeout, Retryable: true, Err: context.Cause(ctx)}
	}
	defer func() { <-t.turn }()
	if !t.current.Value.Empty() && t.now().Before(t.ends) {
		return t.current, nil
	}
	got, err := t.fetch(ctx)
	if err != nil {
		return Token{}, err
	}
	if got.Value.Empty() {
		return Token{}, &PushError{Act: "fetch an access token", Reason: ReasonBadAnswer, Retryable: true, Message: "the answer holds no access token"}
	}
	life := got.Life
	if life <= 0 {
		life = tokenMaxLife
	}
	t.current = got
	t.ends = t.now().Add(min(max(life, tokenMinLife), tokenMaxLife) - tokenEarly)
	return got, nil
}

// Forget drops a token that the vendor refused, so that the next Get fetches
// another, unless it was replaced meanwhile.
func (t *Tokens) Forget(refused secret.Text) {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.current.Value.Equal(refused.Reveal()) {
		t.current = Token{}
	}
}
