package summary

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// ErrNotBuilt says that the summaries have to be made first: see Keeper.Build.
var ErrNotBuilt = errors.New("summary: not everybody is summed up yet")

// overlayMost is how many people who changed since their summary was made are
// summed up while somebody reads, which takes a fraction of a second.
const overlayMost = 4096

// Fresh says how new an answer is.
type Fresh struct {
	// AsOf is the moment that everything told is true for: that of reading, or
	// earlier where too many people changed since.
	AsOf lifecycle.Instant
	// Waiting is how many people changed after AsOf; zero: none.
	Waiting int64
}

// Each gives everybody's summary to fn, by id, as of one moment: the blocks,
// and above them whoever changed since, summed up under the plans in force. The Person is
// fn's until it returns; its texts may be kept. Blocks are unpacked on all
// processors while fn looks at earlier ones, and memory is bounded by a few of
// them.
func Each(ctx context.Context, s *store.Store, planOf PlanOf, now lifecycle.Instant, want Want, fn func(*Person) error) (Fresh, error) {
	fresh := Fresh{AsOf: now}
	err := s.Snapshot(ctx, func(n *store.Snapshot) error {
		over, built, err := overlay(ctx, n, planOf, now, &fresh)
		if err != nil {
			return err
		}
		if !built {
			return over.rest(fn)
		}
		return eachBlock(ctx, n, &want, over, fn)
	})
	return fresh, err
}

// above holds people whose blocks are behind, sorted by id; nil stands for
// somebody who is no more.
type above struct {
	ids    []lifecycle.ProfileID
	people map[lifecycle.ProfileID]*Person
}

// overlay sums up who changed since the blocks were written. Where there are
// no blocks yet and few people, that is everybody.
func overlay(ctx context.Context, n *store.Snapshot, planOf PlanOf, now lifecycle.Instant, fresh *Fresh) (_ *above, built bool, err error) {
	version, next, err := n.SummariesBuilt(ctx)
	if err != nil {
		return nil, false, err
	}
	built = version == Version && next < 0
	over := &above{people: map[lifecycle.ProfileID]*Person{}}
	if built {
		changes, err := n.Changes(ctx, overlayMost+1)
		if err != nil {
			return nil, false, err
		}
		if changes.More || len(changes.People) > overlayMost {
			fresh.Waiting, fresh.AsOf, err = n.ChangesWaiting(ctx)
			return over, true, err
		}
		over.ids = changes.People
	} else if over.ids, err = n.FirstPeople(ctx, overlayMost+1); err != nil || len(over.ids) > overlayMost {
		return nil, false, errors.Join(err, ErrNotBuilt)
	}
	people, err := n.People(ctx, over.ids)
	if err != nil {
		return nil, false, err
	}
	maker := NewMaker(planOf)
	for i := range people {
		if over.people[people[i].Person.ID], err = maker.Of(&people[i], now); err != nil {
			return nil, false, err
		}
	}
	return over, built, nil
}

// before gives the people with ids below an end that were not given yet.
func (a *above) before(end lifecycle.ProfileID, fn func(*Person) error) error {
	for len(a.ids) > 0 && a.ids[0] < end {
		p := a.people[a.ids[0]]
		a.ids = a.ids[1:]
		if p != nil {
			if err := fn(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *above) rest(fn func(*Person) error) error { return a.before(1<<63-1, fn) }

// replaces tells whether somebody's summary is not the one in the block.
func (a *above) replaces(id lifecycle.ProfileID) bool { return len(a.ids) > 0 && a.ids[0] == id }

// job is one block on its way from the database to the report.
type job struct {
	number int64
	body   []byte
	block  block
	done   chan error
}

// eachBlock reads, unpacks and looks at blocks beside each other, in order.
func eachBlock(ctx context.Context, n *store.Snapshot, want *Want, over *above, fn func(*Person) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	free, packed, ordered := make(chan *job, 3*workers), make(chan *job, 3*workers), make(chan *job, 3*workers)
	for range cap(free) {
		free <- &job{done: make(chan error, 1)}
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range packed {
				j.done <- j.block.decode(j.body, want)
			}
		})
	}
	var reading error
	wg.Go(func() {
		reading = n.EachSummaryBlock(ctx, func(b store.SummaryBlock) error {
			select {
			case j := <-free:
				j.number, j.body = b.Number, append(j.body[:0], b.Body...)
				packed <- j
				ordered <- j
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		close(packed)
		close(ordered)
	})
	var looking error
	for j := range ordered {
		err := <-j.done
		if looking == nil && err != nil {
			looking = fmt.Errorf("%w: block %d: %w", ErrNotBuilt, j.number, err)
		}
		if looking == nil {
			looking = over.block(&j.block, fn)
		}
		if looking != nil {
			cancel() // the rest is only drained
		}
		free <- j
	}
	wg.Wait()
	if looking != nil {
		return looking
	}
	if reading != nil {
		return reading
	}
	return over.rest(fn)
}

// block gives a block's people, each as new as is known.
func (a *above) block(b *block, fn func(*Person) error) error {
	for i := range b.people {
		p := &b.people[i]
		if err := a.before(p.ID, fn); err != nil {
			return err
		}
		if a.replaces(p.ID) {
			if err := a.before(p.ID+1, fn); err != nil {
				return err
			}
			continue
		}
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}
