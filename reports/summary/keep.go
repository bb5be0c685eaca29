package summary

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// blockPeople is how many ids share a block. A block that is written for one
// person is written for all of them.
const blockPeople = 1024

// blocksAtOnce are written in one transaction.
const blocksAtOnce = 16

// Keeper makes summaries and keeps them up to date. Two at a time, in whatever
// processes, do no harm: who read a block that another wrote meanwhile reads again.
type Keeper struct {
	Store *store.Store
	// Plans gives the plans in force at the moment.
	Plans func() PlanOf
	Now   func() lifecycle.Instant
}

// Built tells whether everybody has a summary, who changed lately aside.
func (k *Keeper) Built(ctx context.Context) (bool, error) {
	version, next, err := k.Store.SummariesBuilt(ctx)
	return version == Version && next < 0, err
}

// Behind tells whether Each could not tell of everybody as they are now.
func (k *Keeper) Behind(ctx context.Context) (bool, error) {
	built, err := k.Built(ctx)
	if err != nil {
		return false, err
	}
	if !built {
		last, err := k.Store.LastPerson(ctx)
		return last > overlayMost, err
	}
	waiting, _, err := k.Store.ChangesWaiting(ctx)
	return waiting > overlayMost, err
}

// Build sums up everybody, from where an earlier run ended. tell, when not nil,
// hears after every few thousand people up to which id there are summaries and
// which id is the last. Who changes meanwhile is for Fold.
func (k *Keeper) Build(ctx context.Context, tell func(done, total int64) error) error {
	if err := k.Store.StartSummaries(ctx, Version); err != nil {
		return err
	}
	_, next, err := k.Store.SummariesBuilt(ctx)
	if err != nil || next < 0 {
		return err
	}
	last, err := k.Store.LastPerson(ctx)
	if err != nil {
		return err
	}
	for end := int64(last)/blockPeople + 1; next < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		numbers := make([]int64, 0, blocksAtOnce)
		for n := next; n < min(end, next+blocksAtOnce); n++ {
			numbers = append(numbers, n)
		}
		if err := k.write(ctx, numbers, k.whole); err != nil {
			return err
		}
		next += int64(len(numbers))
		if err := k.Store.NoteSummaries(ctx, Version, next); err != nil {
			return err
		}
		if tell != nil {
			if err := tell(min(int64(last), next*blockPeople), int64(last)); err != nil {
				return err
			}
		}
	}
	return k.Store.NoteSummaries(ctx, Version, -1)
}

// Fold takes summaries of up to about so many people who changed to what is
// true now. It answers how many it did; zero: nobody changed.
func (k *Keeper) Fold(ctx context.Context, most int) (int, error) {
	changes, err := k.Store.Changes(ctx, most)
	if err != nil || len(changes.Rows) == 0 {
		return 0, err
	}
	of := map[int64][]lifecycle.ProfileID{}
	var numbers []int64
	for _, id := range changes.People {
		n := int64(id) / blockPeople
		if of[n] == nil {
			numbers = append(numbers, n)
		}
		of[n] = append(of[n], id)
	}
	for some := range slices.Chunk(numbers, blocksAtOnce) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		err := k.write(ctx, some, func(ctx context.Context, m *Maker, old store.SummaryBlock) ([]byte, error) {
			return k.patched(ctx, m, old, of[old.Number])
		})
		if err != nil {
			return 0, err
		}
	}
	return len(changes.People), k.Store.DropChanges(ctx, changes.Rows)
}

// writeTries bounds how often blocks that somebody else writes too are made.
const writeTries = 10

// write makes blocks and saves them. The revisions are read before the people,
// so whoever wins is as new as what it was made from.
func (k *Keeper) write(ctx context.Context, numbers []int64, body func(context.Context, *Maker, store.SummaryBlock) ([]byte, error)) error {
	var err error
	for range writeTries {
		var old map[int64]store.SummaryBlock
		if old, err = k.Store.SummaryBlocks(ctx, numbers); err != nil {
			return err
		}
		blocks, errs := make([]store.SummaryBlock, len(numbers)), make([]error, len(numbers))
		var wg sync.WaitGroup
		turns := make(chan struct{}, runtime.GOMAXPROCS(0))
		planOf, now := k.Plans(), k.Now()
		for i, n := range numbers {
			wg.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				blocks[i] = store.SummaryBlock{Number: n, Revision: old[n].Revision, AsOf: now, Body: old[n].Body}
				blocks[i].Body, errs[i] = body(ctx, NewMaker(planOf), blocks[i])
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("summary: %w", err)
		}
		if err = k.Store.SaveSummaryBlocks(ctx, blocks); !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	return err
}

// scanBatch is how many people are read at once, with all their events.
const scanBatch = 256

// whole sums up all people of a block.
func (k *Keeper) whole(ctx context.Context, m *Maker, old store.SummaryBlock) ([]byte, error) {
	var people []*Person
	after, last := lifecycle.ProfileID(old.Number*blockPeople-1), lifecycle.ProfileID((old.Number+1)*blockPeople-1)
	for {
		some, err := k.Store.Scan(ctx, after, last, scanBatch)
		if err != nil || len(some) == 0 {
			return encode(people), err
		}
		after = some[len(some)-1].Person.ID
		if people, err = sumUp(m, some, k.Now(), people); err != nil {
			return nil, err
		}
	}
}

// patched replaces some people of a block, who may be gone or new.
func (k *Keeper) patched(ctx context.Context, m *Maker, old store.SummaryBlock, changed []lifecycle.ProfileID) ([]byte, error) {
	all := All()
	var b block
	if old.Revision == 0 {
		old.Body = encode(nil)
	}
	if err := b.decode(old.Body, &all); err != nil {
		return k.whole(ctx, m, old) // another version wrote it
	}
	var people []*Person
	for some := range slices.Chunk(changed, scanBatch) {
		now, err := k.Store.PeopleByID(ctx, some)
		if err != nil {
			return nil, err
		}
		if people, err = sumUp(m, now, k.Now(), people); err != nil {
			return nil, err
		}
	}
	for i := range b.people {
		if _, again := slices.BinarySearch(changed, b.people[i].ID); !again {
			people = append(people, &b.people[i])
		}
	}
	slices.SortFunc(people, func(a, b *Person) int { return int(a.ID - b.ID) })
	return encode(people), nil
}

// sumUp appends the summaries of those who have one.
func sumUp(m *Maker, some []store.Whole, now lifecycle.Instant, to []*Person) ([]*Person, error) {
	for i := range some {
		p, err := m.Of(&some[i], now)
		if err != nil {
			return to, err
		}
		if p != nil {
			to = append(to, p)
		}
	}
	return to, nil
}
