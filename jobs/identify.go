package jobs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// identityNote holds under which guards everybody is who they are: their
// fingerprint, and the last person that was held against them, or done.
const identityNote = "identity guards"

const identityDone = "done"

// IdentifyAll holds everybody against the guards of identity in force, when
// these are others than before: people whom the new ones would not have joined
// are taken apart, those that only the old ones kept apart are joined, and each
// of them is derived anew and pushed with everything. It goes on where a run
// before it ended. told, when not nil, hears of the last person after each step.
func (p *Processor) IdentifyAll(ctx context.Context, told func(lifecycle.ProfileID)) error {
	for ctx.Err() == nil {
		guards := p.Registry.Config().Guards
		after, done, err := p.identified(ctx, guards)
		if err != nil || done {
			return err
		}
		last, err := p.identifyNext(ctx, after)
		if errors.Is(err, store.ErrRetry) {
			if err := p.Registry.Refresh(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := p.noteIdentified(ctx, guards, last); err != nil {
			return err
		}
		if told != nil && last != 0 {
			told(last)
		}
	}
	return ctx.Err()
}

// Identified reports whether everybody is who the guards in force say.
func (p *Processor) Identified(ctx context.Context) (bool, error) {
	_, done, err := p.identified(ctx, p.Registry.Config().Guards)
	return done, err
}

// identified reads how far everybody was held against guards. Where nothing is
// noted, the guards that a new installation has held so far.
func (p *Processor) identified(ctx context.Context, guards lifecycle.Guards) (after lifecycle.ProfileID, done bool, err error) {
	note, err := p.Store.Note(ctx, identityNote)
	if errors.Is(err, store.ErrNotFound) {
		note, err = fingerprint(lifecycle.DefaultGuards())+" "+identityDone, nil
	}
	if err != nil {
		return 0, false, err
	}
	of, at, _ := strings.Cut(note, " ")
	switch {
	case of != fingerprint(guards):
		return 0, false, nil
	case at == identityDone:
		return 0, true, nil
	}
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("jobs: identity: note %q: %w", note, err)
	}
	return lifecycle.ProfileID(n), false, nil
}

func (p *Processor) noteIdentified(ctx context.Context, guards lifecycle.Guards, last lifecycle.ProfileID) error {
	at := identityDone
	if last != 0 {
		at = strconv.FormatInt(int64(last), 10)
	}
	return p.Store.SetNote(ctx, identityNote, fingerprint(guards)+" "+at)
}

func fingerprint(g lifecycle.Guards) string {
	print := g.Fingerprint()
	return hex.EncodeToString(print[:16])
}

// identifyNext looks at up to a batch of people after one; it answers the last,
// zero at the end.
func (p *Processor) identifyNext(ctx context.Context, after lifecycle.ProfileID) (lifecycle.ProfileID, error) {
	last, err := p.identifyBatch(ctx, after, clockBatch)
	if errors.Is(err, errFewIDs) {
		return p.identifyBatch(ctx, after, manyIDs)
	}
	return last, err
}

func (p *Processor) identifyBatch(ctx context.Context, after lifecycle.ProfileID, ids int) (lifecycle.ProfileID, error) {
	first, err := p.Store.PersonIDs(ctx, ids)
	if err != nil {
		return 0, err
	}
	w := &work{cfg: p.Registry.Config(), now: lifecycle.At(p.Now())}
	var last lifecycle.ProfileID
	err = p.Store.Derived(ctx, func(t *store.Tx) error {
		w.next, w.end, w.pushed, last = first, first+lifecycle.ProfileID(ids), nil, 0
		version, err := t.ConfigVersionTx(ctx)
		if err != nil {
			return err
		}
		if version != w.cfg.Version {
			return store.ErrRetry
		}
		rows, err := t.AfterTx(ctx, after, clockBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		people := make([]lifecycle.ProfileID, 0, len(rows))
		for id := range rows {
			people = append(people, id)
		}
		slices.Sort(people)
		last = people[len(people)-1]
		return p.identify(ctx, t, w, people)
	})
	p.Store.ReturnPersonIDs(w.next, w.end)
	if err == nil && len(w.pushed) > 0 && p.Due != nil {
		p.Due(w.pushed)
	}
	return last, err
}

// identify connects people by all that their events say, and has whoever the
// guards see differently by now made anew.
func (p *Processor) identify(ctx context.Context, t *store.Tx, w *work, people []lifecycle.ProfileID) error {
	stored, err := t.EventsTx(ctx, people)
	if err != nil {
		return err
	}
	var events []*lifecycle.Event
	for _, id := range people {
		for i := range stored[id] {
			events = append(events, &stored[id][i])
		}
	}
	r := newResolver(t, w)
	if err := r.load(ctx, events, people); err != nil {
		return err
	}
	for _, id := range people {
		for i := range stored[id] {
			if of := r.people[id]; of != nil {
				r.connectStored(of, &stored[id][i])
			}
		}
	}
	for _, s := range r.sets() {
		s.rebuild = s.rebuild || r.disputed(s)
	}
	if err := r.decide(ctx); err != nil {
		return err
	}
	return p.apply(ctx, t, w, r)
}

// disputed reports a set that the guards do not accept as it stands.
func (r *resolver) disputed(s *keySet) bool {
	if s.contested != 0 || r.guards.Allows(s.sum, lifecycle.KeySet{}) != "" {
		return true
	}
	return slices.ContainsFunc(s.people, func(p *person) bool { return len(r.guards.Usable(p.keys)) != len(p.keys) })
}

// connectStored unites a person's set with those of the keys that one of their
// events names.
func (r *resolver) connectStored(p *person, e *lifecycle.Event) {
	edge := e.Edge()
	s := p.set.root()
	for _, k := range slices.Concat(r.guards.Usable(edge.Keys), r.guards.Usable(edge.Apart)) {
		if of := r.setOf(k); of != s {
			s = r.unite(s, of)
		}
	}
	s.rebuild = s.rebuild || e.DecidesIdentity()
}

// WorkIdentity is the kind of long work that holds everybody against guards of
// identity that changed.
const WorkIdentity = "identity"

func (p *Pipeline) identityKind() WorkKind {
	return WorkKind{Name: WorkIdentity, Unit: "people", Run: func(ctx context.Context, t *Task) (any, error) {
		last, err := p.o.Store.LastPerson(ctx)
		if err != nil {
			return nil, err
		}
		err = p.processor.IdentifyAll(ctx, func(at lifecycle.ProfileID) {
			_ = t.At(int64(at), int64(last), nil) // without a place nothing can go wrong
		})
		return nil, err
	}}
}

// identifyAll has everybody held against the guards in force when these
// changed.
func (p *Pipeline) identifyAll(ctx context.Context) error {
	if p.o.Works == nil {
		return p.processor.IdentifyAll(ctx, nil)
	}
	done, err := p.processor.Identified(ctx)
	if err != nil || done {
		return err
	}
	_, _, err = p.o.Works.Start(ctx, WorkIdentity, "", nil, "stagebridge", "what the plan says about identity changed")
	return err
}
