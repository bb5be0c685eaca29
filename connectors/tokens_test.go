package connectors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

func TestTokensFetchOnceForAll(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	hold := make(chan struct{})
	tokens := NewTokens(time.Now, func(context.Context) (Token, error) {
		<-hold
		return Token{Value: secret.New(fmt.Sprint("token ", fetched.Add(1))), Life: time.Hour}, nil
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := tokens.Get(t.Context()); err != nil || got.Value.Reveal() != "token 1" {
				t.Errorf("got %q, %v", got.Value.Reveal(), err)
			}
		})
	}
	close(hold)
	wg.Wait()
	if n := fetched.Load(); n != 1 {
		t.Errorf("fetched %d times, want once", n)
	}
}

func TestTokensRenewAndForget(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_795_000_000, 0)
	n := 0
	tokens := NewTokens(func() time.Time { return now }, func(context.Context) (Token, error) {
		n++
		return Token{Value: secret.New(fmt.Sprint("token ", n)), Life: 10 * time.Minute}, nil
	})
	want := func(step, token string) {
		t.Helper()
		got, err := tokens.Get(t.Context())
		if err != nil || got.Value.Reveal() != token {
			t.Errorf("%s: %q, %v, want %q", step, got.Value.Reveal(), err, token)
		}
	}
	want("first", "token 1")
	now = now.Add(8 * time.Minute)
	want("while it lives", "token 1")
	now = now.Add(time.Minute)
	want("a minute before its end", "token 2")
	tokens.Forget(secret.New("token 1"))
	want("an old one was refused", "token 2")
	tokens.Forget(secret.New("token 2"))
	want("this one was refused", "token 3")
}

func TestTokensFailures(t *testing.T) {
	t.Parallel()
	answers := []struct {
		token Token
		err   error
	}{{err: &PushError{Reason: ReasonAuth}}, {}, {token: Token{Value: secret.New("at last")}}}
	tokens := NewTokens(time.Now, func(context.Context) (Token, error) {
		a := answers[0]
		answers = answers[1:]
		return a.token, a.err
	})
	for _, reason := range []Reason{ReasonAuth, ReasonBadAnswer} {
		var e *PushError
		if _, err := tokens.Get(t.Context()); !errors.As(err, &e) || e.Reason != reason {
			t.Errorf("error = %v, want %s", err, reason)
		}
	}
	if got, err := tokens.Get(t.Context()); err != nil || got.Value.Reveal() != "at last" {
		t.Errorf("after failures: %v, %v", got, err)
	}
}

func TestTokensWaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	hold, asked := make(chan struct{}), make(chan struct{})
	tokens := NewTokens(time.Now, func(context.Context) (Token, error) {
		close(asked)
		<-hold
		return Token{Value: secret.New("late")}, nil
	})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = tokens.Get(t.Context()) })
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var e *PushError
	if _, err := tokens.Get(ctx); !errors.As(err, &e) || e.Reason != ReasonTimeout || !e.Retryable {
		t.Errorf("error = %v, want a timeout worth a retry", err)
	}
	close(hold)
	wg.Wait()
}
