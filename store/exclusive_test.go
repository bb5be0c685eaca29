package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

func TestExclusive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var inside, most, runs atomic.Int64
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				err := s.Exclusive(t.Context(), "test", func(ctx context.Context) error {
					n := inside.Add(1)
					most.Store(max(most.Load(), n))
					runs.Add(1)
					defer inside.Add(-1)
					return s.SetNote(ctx, "in a claim", "the store can be used")
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most.Load() != 1 || runs.Load() != 3 {
			t.Errorf("%d ran, %d at once; want 3, one at a time", runs.Load(), most.Load())
		}
		broken := errors.New("broken")
		err := s.Exclusive(t.Context(), "test", func(context.Context) error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := s.Exclusive(ctx, "test", func(context.Context) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("within a claim = %v, want it to wait until its time is over", err)
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("Exclusive = %v, want the error of what it ran", err)
		}
	})
}

func TestNotes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, name := range []string{"applied rules a", "applied rules b", "applied plan"} {
			if err := s.SetNote(t.Context(), name, "old "+name); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(s.SetNote(t.Context(), "applied rules b", "new"), s.DropNote(t.Context(), "applied rules a"), s.DropNote(t.Context(), "never")); err != nil {
			t.Fatal(err)
		}
		got, err := s.Notes(t.Context(), "applied rules ")
		if diff := cmp.Diff(map[string]string{"applied rules b": "new"}, got); err != nil || diff != "" {
			t.Errorf("Notes: %v (-want +got):\n%s", err, diff)
		}
		if _, err := s.Note(t.Context(), "applied rules a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Note of what was dropped = %v", err)
		}
	})
}
