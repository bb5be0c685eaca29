package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// countTo is work that counts to Upto and stops once at Pause until told on.
type countTo struct{ Upto, Pause int64 }

// counter gives a kind that counts, and tells at each pause.
func counter(name string, paused chan<- int64) jobs.WorkKind {
	return jobs.WorkKind{Name: name, Unit: "numbers", Run: func(ctx context.Context, t *jobs.Task) (any, error) {
		var args countTo
		if err := t.Args(&args); err != nil {
			return nil, err
		}
		at := int64(0)
		t.Place(&at)
		for ; at < args.Upto; at++ {
			if args.Pause != 0 && at == args.Pause {
				paused <- at
				<-ctx.Done()
				return nil, ctx.Err()
			}
			if err := t.At(at+1, args.Upto, at+1); err != nil {
				return nil, err
			}
		}
		return map[string]int64{"counted": at}, nil
	}}
}

// TestWorkIsDoneOnceAndTold: several replicas at once do each piece once, and
// the record holds progress and result.
func TestWorkIsDoneOnceAndTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var mu sync.Mutex
		ran := map[int64]int{}
		replicas := make([]*jobs.Works, 3)
		for i := range replicas {
			replicas[i] = jobs.NewWorks(s, nil, nil)
			k := counter("count", nil)
			run := k.Run
			k.Run = func(ctx context.Context, t *jobs.Task) (any, error) {
				mu.Lock()
				defer mu.Unlock()
				ran[t.Record().ID]++
				return run(ctx, t)
			}
			replicas[i].Add(k)
		}
		var ids []int64
		for i := range 6 {
			one, fresh, err := replicas[0].Start(t.Context(), "count", fmt.Sprint(i), countTo{Upto: int64(10 * i)}, "ann", "because")
			if err != nil || !fresh {
				t.Fatal(one, fresh, err)
			}
			ids = append(ids, one.ID)
		}
		again, fresh, err := replicas[1].Start(t.Context(), "count", "3", countTo{}, "", "")
		if err != nil || fresh || again.ID != ids[3] || again.Author != "ann" {
			t.Errorf("a second start: %+v, fresh %v, %v", again, fresh, err)
		}
		var wg sync.WaitGroup
		for _, w := range replicas {
			wg.Go(func() {
				if err := w.Run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i, id := range ids {
			one, err := s.WorkByID(t.Context(), id)
			if err != nil || one.State != store.WorkDone || one.Done != int64(10*i) || one.Result != fmt.Sprintf(`{"counted":%d}`, 10*i) || one.Finished == 0 || ran[id] != 1 {
				t.Errorf("%+v, ran %d times, %v", one, ran[id], err)
			}
		}
		if page, err := s.Works(t.Context(), store.WorkFilter{State: store.WorkDone, Limit: 4}); err != nil || len(page) != 4 || page[0].ID != ids[5] {
			t.Errorf("newest first: %+v, %v", page, err)
		}
		if _, fresh, err := replicas[2].Start(t.Context(), "count", "3", countTo{}, "", ""); err != nil || !fresh {
			t.Errorf("once it is over it can be started again: %v, %v", fresh, err)
		}
	})
}

// TestWorkGoesOnAfterARestart: a process that stops leaves its work where it
// was, and the next one goes on there.
func TestWorkGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		paused := make(chan int64)
		first := jobs.NewWorks(s, nil, nil)
		first.Add(counter("count", paused))
		one, _, err := first.Start(t.Context(), "count", "", countTo{Upto: 100, Pause: 40}, "ann", "")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- first.Run(ctx) }()
		<-paused
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if one, err = s.WorkByID(t.Context(), one.ID); err != nil || one.State != store.WorkQueued || one.Place != "40" || one.Done != 40 {
			t.Fatalf("%+v, %v", one, err)
		}
		from := int64(-1)
		second := jobs.NewWorks(s, nil, nil)
		k := counter("count", nil)
		k.Run = func(_ context.Context, t *jobs.Task) (any, error) { t.Place(&from); return "done", nil }
		second.Add(k)
		if one, err = second.Follow(t.Context(), one.ID, nil); err != nil || one.State != store.WorkDone || from != 40 {
			t.Errorf("%+v from %d, %v", one, from, err)
		}
	})
}

// TestWorkIsCanceled: before it began, and while it runs elsewhere; both times
// what the kind promises is done.
func TestWorkIsCanceled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		paused, undone := make(chan int64), make(chan int64, 2)
		w := jobs.NewWorks(s, nil, nil)
		k := counter("count", paused)
		k.Canceled = func(_ context.Context, t *jobs.Task) error { undone <- t.Record().Done; return nil }
		w.Add(k)
		one, _, err := w.Start(t.Context(), "count", "", countTo{Upto: 9, Pause: 5}, "", "")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan store.Work, 1)
		go func() {
			over, err := w.Follow(t.Context(), one.ID, nil)
			if err != nil {
				t.Error(err)
			}
			ended <- over
		}()
		<-paused
		if _, err := jobs.NewWorks(s, nil, nil).Cancel(t.Context(), one.ID); err != nil {
			t.Fatal(err)
		}
		if over := <-ended; over.State != store.WorkCanceled || <-undone != 5 {
			t.Errorf("%+v", over)
		}
		if one, _, err = w.Start(t.Context(), "count", "", countTo{Upto: 9}, "", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Cancel(t.Context(), one.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if over, err := w.Cancel(t.Context(), one.ID); err != nil || over.State != store.WorkCanceled || <-undone != 0 {
			t.Errorf("%+v, %v", over, err)
		}
	})
}

// TestWorkThatFails is tried again, unless that would not help.
func TestWorkThatFails(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := jobs.NewWorks(s, nil, nil)
		hopeless := fmt.Errorf("no such thing: %w", jobs.ErrPermanent)
		w.Add(jobs.WorkKind{Name: "hopeless", Run: func(context.Context, *jobs.Task) (any, error) { return nil, hopeless }})
		w.Add(jobs.WorkKind{Name: "unlucky", Run: func(context.Context, *jobs.Task) (any, error) { return nil, errors.New("bad luck") }})
		for kind, state := range map[string]store.WorkState{"hopeless": store.WorkFailed, "unlucky": store.WorkQueued} {
			one, _, err := w.Start(t.Context(), kind, "", nil, "", "")
			if err == nil {
				err = w.Run(t.Context())
			}
			if err == nil {
				one, err = s.WorkByID(t.Context(), one.ID)
			}
			if err != nil || one.State != state || one.Attempts != 1 || one.Error == "" {
				t.Errorf("%+v, %v", one, err)
			}
		}
		if _, _, err := w.Start(t.Context(), "unheard of", "", nil, "", ""); err == nil {
			t.Error("a kind that nobody knows was started")
		}
		if err := s.DropWork(t.Context(), 1<<62); err != nil {
			t.Fatal(err)
		}
		if left, err := s.Works(t.Context(), store.WorkFilter{}); err != nil || len(left) != 1 || left[0].Kind != "unlucky" {
			t.Errorf("what is over is forgotten, and nothing else: %+v, %v", left, err)
		}
	})
}

// TestWorkTellsHowLong: the rest follows from the rate of the present run.
func TestWorkTellsHowLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		work store.Work
		left time.Duration
		ok   bool
	}{
		{store.Work{State: store.WorkRunning, Done: 25, Total: 100, Rate: 5}, 15 * time.Second, true},
		{store.Work{State: store.WorkRunning, Done: 25, Total: 100}, 0, false},
		{store.Work{State: store.WorkRunning, Done: 25, Rate: 5}, 0, false},
		{store.Work{State: store.WorkDone, Done: 25, Total: 100, Rate: 5}, 0, false},
	} {
		if left, ok := jobs.Remaining(&c.work); left != c.left || ok != c.ok {
			t.Errorf("%+v: %s, %v", c.work, left, ok)
		}
	}
}
