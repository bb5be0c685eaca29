package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

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

// victim is an erasure under way inside its transaction.
type victim struct {
	t       *store.Tx
	w       *work
	p       *Processor
	until   lifecycle.Instant
	removed *Removed

	row *store.Person
	// gone are the person and whoever became them; others are contested with
	// them, so that taking the keys away decides about them, too.
	gone   []lifecycle.ProfileID
	others []lifecycle.ProfileID
	blocks *Blocks
}

func (v *victim) erase(ctx context.Context, id lifecycle.ProfileID, e *store.Erasure) error {
	if err := v.load(ctx, id); err != nil {
		return err
	}
	if e == nil {
		if due, err := v.due(ctx); err != nil || !due {
			return err
		}
	}
	if err := v.block(ctx); err != nil {
		return err
	}
	if e != nil {
		if err := v.certify(ctx, e.ID); err != nil {
			return err
		}
	}
	rest, err := v.events(ctx)
	if err != nil {
		return err
	}
	if err := v.forget(ctx); err != nil {
		return err
	}
	if len(rest)+len(v.others) == 0 {
		return nil
	}
	return v.rejoin(ctx, rest)
}

// rejoin tells anew what the person did since, which makes a new person, and
// finds out who the others are by what is left of their events: the set that
// they were contested in may fall apart, or be contested no more.
func (v *victim) rejoin(ctx context.Context, rest []*lifecycle.Event) error {
	stored, err := v.t.EventsTx(ctx, v.others)
	if err != nil {
		return err
	}
	events := slices.Clone(rest)
	for _, id := range v.others {
		for i := range stored[id] {
			events = append(events, &stored[id][i])
		}
	}
	r := newResolver(v.t, v.w)
	if err := r.load(ctx, events, v.others); err != nil {
		return err
	}
	r.touch(v.others)
	for _, id := range v.others {
		for i := range stored[id] {
			r.connectStored(r.people[id], &stored[id][i])
		}
	}
	for _, e := range rest {
		r.connect(e)
	}
	for _, s := range r.sets() {
		s.rebuild = s.rebuild || r.disputed(s)
	}
	if err := r.decide(ctx); err != nil {
		return err
	}
	return v.p.apply(ctx, v.t, v.w, r)
}

// load locks the person, and finds who else is concerned.
func (v *victim) load(ctx context.Context, id lifecycle.ProfileID) error {
	rows, err := v.t.PeopleTx(ctx, []lifecycle.ProfileID{id})
	if err != nil {
		return err
	}
	if v.row = rows[id]; v.row == nil || v.row.State == nil {
		return store.ErrNotFound
	}
	if v.row.Merged != 0 {
		return fmt.Errorf("%w: %d was merged", store.ErrRetry, id)
	}
	if v.row.Contested != 0 {
		set, err := v.t.ContestedTx(ctx, []int64{v.row.Contested})
		if err != nil {
			return err
		}
		for other := range set {
			if other != id {
				v.others = append(v.others, other)
			}
		}
		slices.Sort(v.others)
	}
	merged, err := v.t.MergedTx(ctx, id)
	v.gone = append([]lifecycle.ProfileID{id}, merged...)
	return err
}

// due tells whether anything of the person is from before the erasure. Whoever
// came back since is left alone.
func (v *victim) due(ctx context.Context) (bool, error) {
	stored, err := v.t.EventsTx(ctx, v.gone[:1])
	return slices.ContainsFunc(stored[v.row.ID], func(e lifecycle.Event) bool { return v.w.cfg.Blocks.drops(&e) }), err
}

// block keeps the hashes of the person's keys. Batches under way see that the
// configuration changed and begin again.
func (v *victim) block(ctx context.Context) error {
	hashes := v.w.cfg.Blocks.of(parseKeys(v.row.Keys), v.until)
	if err := v.t.AddBlocksTx(ctx, hashes, true); err != nil {
		return err
	}
	version, err := v.t.ConfigVersionTx(ctx)
	if err != nil {
		return err
	}
	if version != v.w.cfg.Version+1 {
		return fmt.Errorf("%w: the configuration changed", store.ErrRetry)
	}
	v.blocks = v.w.cfg.Blocks.with(hashes, 0)
	return nil
}

// events takes away what may not stay, the raw events included, and gives what
// the person did since.
func (v *victim) events(ctx context.Context) (rest []*lifecycle.Event, err error) {
	id := v.row.ID
	stored, err := v.t.EventsTx(ctx, append([]lifecycle.ProfileID{id}, v.others...))
	if err != nil {
		return nil, err
	}
	var out []store.Stored
	var rows []int64
	for owner, events := range stored {
		for i := range events {
			e := &events[i]
			drop := v.blocks.drops(e)
			if owner == id && !drop {
				rest = append(rest, e)
			}
			if owner != id && !drop {
				continue
			}
			out = append(out, store.Stored{Person: owner, Event: *e})
			if drop {
				v.removed.Events++
				rows = append(rows, e.Inbox)
			}
		}
	}
	slices.SortFunc(rest, compareEvents)
	if err := v.t.RemoveEventsTx(ctx, out); err != nil {
		return nil, err
	}
	slices.Sort(rows)
	rows = slices.DeleteFunc(slices.Compact(rows), func(id int64) bool { return id == 0 })
	v.removed.RawEvents, err = v.t.EraseRowsTx(ctx, rows)
	return rest, err
}

// forget takes the person out of everything that is kept beside the events.
func (v *victim) forget(ctx context.Context) error {
	if v.row.Contested != 0 {
		if err := v.t.SettleTx(ctx, v.row.Contested); err != nil {
			return err
		}
	}
	f := &effects{t: v.t, cfg: v.w.cfg, now: v.w.now, pushed: map[string]bool{}, people: []*person{
		{id: v.row.ID, row: v.row, gone: true, derive: true, kind: lifecycle.KindCorrection},
	}}
	if err := f.run(ctx); err != nil {
		return err
	}
	for c := range f.pushed {
		v.w.pushed = append(v.w.pushed, c)
	}
	if err := v.t.ForgetPeopleTx(ctx, v.gone, v.row.Keys); err != nil {
		return err
	}
	v.removed.People = int64(len(v.gone))
	var err error
	v.removed.AuditBlanks, err = v.t.ForgetDecisionsTx(ctx, v.gone)
	return err
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
