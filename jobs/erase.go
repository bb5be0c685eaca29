package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
	"github.com/stagebridge/stagebridge/store"
)

// Eraser carries out erasures here; what vendors are asked is in its
// certificates, which the connections' lanes see to.
type Eraser struct {
	Processor *Processor
	// Told is called with the connections whose vendors are to be asked; nil:
	// they are found within a minute.
	Told func(connections []string)
}

// Removed counts what an erasure took away, by kind.
type Removed struct {
	People      int64 `json:"people"`
	Events      int64 `json:"events"`
	RawEvents   int64 `json:"raw_events"`
	AuditBlanks int64 `json:"audit_entries"`
	// Found are raw events and texts by which the person was named elsewhere.
	// What one of them tells of others beside is in the events it was mapped to.
	Found map[string]int64 `json:"found,omitempty"`
	// Waiting are raw events that name the person and are not processed yet:
	// they lose their bytes when they are.
	Waiting int64 `json:"waiting,omitempty"`
	// Mend lists texts that name the person and that only somebody here can
	// change: versions of rules and plans, connections.
	Mend []string `json:"mend,omitempty"`
}

// Kind is the work that carries out every confirmed erasure, and those that a
// restored backup did not know of. It may be stopped and begun again anywhere.
func (x *Eraser) Kind() WorkKind {
	return WorkKind{Name: WorkErase, Unit: "steps", Run: x.run}
}

// erasingAtOnce is how many requests share one search through everything.
const erasingAtOnce = 100

func (x *Eraser) run(ctx context.Context, t *Task) (any, error) {
	s := x.Processor.Store
	var erased int64
	for {
		if err := x.Processor.Registry.Refresh(ctx); err != nil {
			return nil, err
		}
		requests, err := s.ConfirmedErasures(ctx, erasingAtOnce)
		if err != nil {
			return nil, err
		}
		fresh, err := s.Unapplied(ctx)
		if err != nil {
			return nil, err
		}
		if len(requests) == 0 && fresh == 0 {
			return map[string]int64{"erasures": erased}, nil
		}
		all := make([]Removed, len(requests))
		for i := range requests {
			if all[i], err = x.one(ctx, &requests[i]); err != nil {
				return nil, err
			}
		}
		if fresh > 0 {
			if err := x.again(ctx); err != nil {
				return nil, err
			}
		}
		found, err := x.search(ctx, t)
		if err != nil {
			return nil, err
		}
		if err := x.forgetSummaries(ctx); err != nil {
			return nil, err
		}
		for i := range requests {
			if err := x.end(ctx, &requests[i], all[i], found); err != nil {
				return nil, err
			}
		}
		if fresh > 0 {
			if err := s.NoteApplied(ctx, fresh); err != nil {
				return nil, err
			}
		}
		erased += int64(len(requests))
		if due, err := s.CertificatesDue(ctx); err == nil && x.Told != nil {
			x.Told(due)
		}
	}
}

// end writes down what became of a request. Requests that were searched for
// together share what was found elsewhere.
func (x *Eraser) end(ctx context.Context, e *store.Erasure, r Removed, found Removed) error {
	r.Found, r.Waiting, r.Mend = found.Found, found.Waiting, found.Mend
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("jobs: erasure %d: %w", e.ID, err)
	}
	reason := e.Reason
	if x.Processor.Registry.Config().Blocks.names([]byte(reason), e.Connection, 0) {
		reason = ""
	}
	return x.Processor.Store.EndErasure(ctx, e.ID, reason, string(b))
}

// one erases the person of a request; nobody is left where they were erased by
// a run before this one.
func (x *Eraser) one(ctx context.Context, e *store.Erasure) (Removed, error) {
	var r Removed
	p, err := x.Processor.Store.Person(ctx, e.Person)
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	err = x.person(ctx, p.ID, e, e.Decided, &r)
	return r, err
}

// again holds everybody against the hashes of erasures, as after the restore
// of a backup that is older than some of them.
func (x *Eraser) again(ctx context.Context) error {
	b := x.Processor.Registry.Config().Blocks
	type erased struct {
		who   lifecycle.ProfileID
		until lifecycle.Instant
	}
	var all []erased
	err := x.Processor.Store.EachKey(ctx, func(key string, owner lifecycle.ProfileID) error {
		if until, ok := b.erased(parseKeys([]string{key})[0]); ok {
			all = append(all, erased{owner, until})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, one := range all {
		var r Removed
		if err := x.person(ctx, one.who, nil, one.until, &r); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// person erases somebody up to a time. e is the request; nil where there is
// none here.
func (x *Eraser) person(ctx context.Context, id lifecycle.ProfileID, e *store.Erasure, until lifecycle.Instant, r *Removed) error {
	p := x.Processor
	for range decideTries {
		first, err := p.Store.PersonIDs(ctx, manyIDs)
		if err != nil {
			return err
		}
		w := &work{cfg: p.Registry.Config(), now: lifecycle.At(p.Now()), next: first, end: first + manyIDs}
		err = p.Store.Durable(ctx, func(t *store.Tx) error {
			w.next, w.pushed, *r = first, nil, Removed{}
			v := victim{t: t, w: w, p: p, until: until, removed: r}
			return v.erase(ctx, id, e)
		})
		p.Store.ReturnPersonIDs(w.next, w.end)
		if !errors.Is(err, store.ErrRetry) {
			if err == nil && len(w.pushed) > 0 && p.Due != nil {
				p.Due(w.pushed)
			}
			return err
		}
		if err := p.Registry.Refresh(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("jobs: erase person %d: %w", id, store.ErrAway)
}

// forgetSummaries has the reports' blocks follow at once: until then they
// still count the person.
func (x *Eraser) forgetSummaries(ctx context.Context) error {
	k := keeper(x.Processor.Store, x.Processor.Registry, x.Processor.Now)
	built, err := k.Built(ctx)
	if err != nil || !built {
		return err
	}
	return foldOnce(ctx, k)
}

// foldOnce folds until few are left, as those do who changed meanwhile.
func foldOnce(ctx context.Context, k *summary.Keeper) error {
	for {
		if n, err := k.Fold(ctx, foldStep); err != nil || n < foldStep {
			return err
		}
	}
}
