package jobs

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
)

// Limiter spaces the calls to each vendor as its limits ask, across replicas
// through Redis (GCRA). While Redis is away each replica keeps the limit by
// itself.
type Limiter struct {
	shared *redis_rate.Limiter
	mu     sync.Mutex
	local  map[string]*rate.Limiter
}

// NewLimiter makes a limiter over a Redis client; nil limits this process only.
func NewLimiter(rdb redis.UniversalClient) *Limiter {
	l := &Limiter{local: map[string]*rate.Limiter{}}
	if rdb != nil {
		l.shared = redis_rate.NewLimiter(rdb)
	}
	return l
}

// Wait returns when a call may be made; the error is ctx's.
func (l *Limiter) Wait(ctx context.Context, connection string, limits connectors.Limits) error {
	if limits.Rate <= 0 || limits.Per <= 0 {
		return nil
	}
	own := l.own(connection, limits)
	for l.shared != nil {
		res, err := l.shared.Allow(ctx, "rate:"+connection, redis_rate.Limit{Rate: limits.Rate, Burst: limits.Rate, Period: limits.Per})
		if err != nil {
			break // Redis is away
		}
		if res.Allowed > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(res.RetryAfter, time.Millisecond)):
		}
	}
	return own.Wait(ctx)
}

func (l *Limiter) own(connection string, limits connectors.Limits) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.local[connection]
	if r == nil {
		r = rate.NewLimiter(rate.Limit(float64(limits.Rate)/limits.Per.Seconds()), limits.Rate)
		l.local[connection] = r
	}
	return r
}

// Breakers holds one circuit breaker per connection: after repeated failures
// of the whole call a vendor is left alone for a while, then one call tries.
type Breakers struct {
	mu  sync.Mutex
	all map[string]*gobreaker.TwoStepCircuitBreaker[struct{}]
}

// Settings of the breakers.
const (
	breakerTrips = 5
	breakerRests = 10 * time.Second
)

// OpenError says that a connection's breaker is open.
type OpenError struct {
	Connection string
	After      time.Duration
}

// Error implements error.
func (e *OpenError) Error() string {
	return fmt.Sprintf("%s: the breaker is open after %d failures in a row, next try in %s", e.Connection, breakerTrips, e.After)
}

// Allow asks to make a call; done must be told how it went (nil: well).
func (b *Breakers) Allow(connection string) (done func(error), err error) {
	done, err = b.of(connection).Allow()
	if err != nil {
		return nil, &OpenError{connection, breakerRests}
	}
	return done, nil
}

// State is closed, half-open or open.
func (b *Breakers) State(connection string) string { return b.of(connection).State().String() }

// All gives the states of all breakers by the name they were asked for under.
// Of nil there are none.
func (b *Breakers) All() map[string]string {
	all := map[string]string{}
	if b == nil {
		return all
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, cb := range b.all {
		all[name] = cb.State().String()
	}
	return all
}

func (b *Breakers) of(connection string) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string]*gobreaker.TwoStepCircuitBreaker[struct{}]{}
	}
	cb := b.all[connection]
	if cb == nil {
		cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
			Name: connection, Timeout: breakerRests, MaxRequests: 1,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerTrips },
		})
		b.all[connection] = cb
	}
	return cb
}
