package web

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// Only some reports run at a time; one more waits, and is told to come back where
// that takes too long, or too many wait already.
func TestReportsTakeTurns(t *testing.T) {
	t.Parallel()
	var turns reportTurns
	ctx := t.Context()
	var ends []func()
	first, err := turns.take(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ends = append(ends, first)
	for len(ends) < cap(turns.slots) {
		end, err := turns.take(ctx, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	var busy *Problem
	if _, err := turns.take(ctx, time.Millisecond); !errors.As(err, &busy) || busy.Status != http.StatusServiceUnavailable || busy.RetryAfter == 0 {
		t.Fatalf("no turn was free: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := turns.take(canceled, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v", err)
	}
	got := make(chan error, reportQueue)
	for range reportQueue {
		go func() {
			end, err := turns.take(ctx, time.Hour)
			if err == nil {
				end()
			}
			got <- err
		}()
	}
	for turns.waiting.Load() < reportQueue {
		runtime.Gosched()
	}
	if _, err := turns.take(ctx, time.Hour); !errors.As(err, &busy) {
		t.Errorf("one too many: %v", err)
	}
	for _, end := range ends {
		end()
	}
	for range reportQueue {
		if err := <-got; err != nil {
			t.Errorf("who waited: %v", err)
		}
	}
}
