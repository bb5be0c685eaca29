package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// at once runs fn n times beside each other; an error fails the check.
func (b *bench) atOnce(n int, fn func(i int) error) {
	b.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	b.must(errors.Join(errs...))
}

func appendStorm(b *bench) {
	const keys, times = 20, 25
	var mu sync.Mutex
	receipts := map[int]map[int64]bool{}
	fresh := 0
	b.atOnce(keys*times, func(i int) error {
		r, err := b.Append("crm", 1, []store.NewEvent{raw(fmt.Sprint(i%keys), fmt.Sprint(i%keys))})
		mu.Lock()
		defer mu.Unlock()
		if receipts[i%keys] == nil {
			receipts[i%keys] = map[int64]bool{}
		}
		receipts[i%keys][r.ID] = true
		fresh += r.New
		return err
	})
	for key, ids := range receipts {
		if len(ids) != 1 {
			b.Errorf("key %d has the receipts %v", key, ids)
		}
	}
	if fresh != keys {
		b.Errorf("%d requests were told that they are new, want %d", fresh, keys)
	}
	b.take(keys).Release()
	counters, err := b.Counters(b.Context())
	b.must(err)
	if n := counters["crm"]["duplicates"]; n != keys*(times-1) {
		b.Errorf("%d duplicates counted, want %d", n, keys*(times-1))
	}
}

// takeStorm processes with several workers while events come in: each row is
// finished once.
func takeStorm(b *bench) {
	const events, workers = 400, 4
	var mu sync.Mutex
	done := map[int64]int{}
	finished := func() int { mu.Lock(); defer mu.Unlock(); return len(done) }
	b.atOnce(workers+4, func(i int) error {
		if i >= workers {
			for j := range events / 4 {
				if _, err := b.Append("crm", 1, []store.NewEvent{raw(fmt.Sprint(i, j), "{}")}); err != nil {
					return err
				}
			}
			return nil
		}
		for finished() < events {
			batch, err := b.Take(b.Context(), "", 17)
			if err != nil {
				return err
			}
			if batch == nil {
				if err := b.Context().Err(); err != nil {
					return err
				}
				continue
			}
			err = batch.Commit(b.Context(), func(t *store.Tx) error {
				return t.FinishTx(b.Context(), batch.Rows, make([]store.Outcome, len(batch.Rows)))
			})
			if errors.Is(err, store.ErrRetry) {
				continue
			}
			mu.Lock()
			for _, r := range batch.Rows {
				done[r.ID]++
			}
			mu.Unlock()
			if err != nil {
				return err
			}
		}
		return nil
	})
	for id, n := range done {
		if n != 1 {
			b.Errorf("row %d was finished %d times", id, n)
		}
	}
	b.take(0)
}

// leaseStorm: nobody is with two at once, whoever changes meanwhile goes out
// again, and all come to rest.
func leaseStorm(b *bench) {
	b.connect("crm")
	people := b.people(20)
	b.want("crm", people...)
	var mu sync.Mutex
	holder := map[lifecycle.ProfileID]bool{}
	changes := 40
	b.atOnce(6, func(i int) error {
		for {
			taken, err := b.Lease(b.Context(), "crm", 7, future, false)
			if err != nil {
				return err
			}
			if len(taken) == 0 {
				return nil
			}
			mu.Lock()
			change := changes > 0
			changes--
			for _, x := range taken {
				if holder[x.Person] {
					b.Errorf("%d is leased twice at once", x.Person)
				}
				holder[x.Person] = true
			}
			mu.Unlock()
			if change {
				who := people[i%len(people)]
				if err := b.Derived(b.Context(), func(t *store.Tx) error {
					return t.WantPushTx(b.Context(), []string{"crm"}, []lifecycle.ProfileID{who}, 1)
				}); err != nil {
					return err
				}
			}
			backs := make([]store.WriteBack, len(taken))
			mu.Lock()
			for j, x := range taken {
				delete(holder, x.Person)
				backs[j] = store.WriteBack{Sync: x.Sync}
				backs[j].State, backs[j].Known = store.SyncSynced, fmt.Sprint(x.Version)
			}
			mu.Unlock()
			if err := b.WriteBackAll(b.Context(), backs, nil); err != nil {
				return err
			}
		}
	})
	b.lease("crm", 0, future)
	for _, p := range people {
		if row, _ := b.row("crm", p); row.State != store.SyncSynced || row.Known != fmt.Sprint(row.Version) {
			b.Errorf("at rest: %+v", row)
		}
	}
}

// countStorm: counts add up whoever counts, in whatever order.
func countStorm(b *bench) {
	b.atOnce(8, func(i int) error {
		for j := range 15 {
			if err := b.Derived(b.Context(), func(t *store.Tx) error {
				for _, c := range []string{"crm", "news", ""} {
					t.CountTx(c, "moves", int64(1+(i+j)%2))
					t.CountTx(c, "moves", int64(-((i + j) % 2)))
				}
				return t.SavePeopleTx(b.Context(), nil)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	counters, err := b.Counters(context.WithoutCancel(b.Context()))
	b.must(err)
	for _, c := range []string{"crm", "news", ""} {
		if n := counters[c]["moves"]; n != 120 {
			b.Errorf("%q counted %d, want 120", c, n)
		}
	}
}
