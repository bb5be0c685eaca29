package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// person is somebody that a batch touches.
type person struct {
	id lifecycle.ProfileID
	// row is nil for somebody new.
	row  *store.Person
	prof *lifecycle.Profile
	keys []lifecycle.Key
	// contested is the number of the contested set the person is in.
	contested int64
	// fresh events of this batch, in order.
	fresh []*lifecycle.Event
	// derive asks for the person to be made anew from all events; kind is what
	// a change that comes of it is called.
	derive bool
	kind   lifecycle.Kind
	// merged are people who became this one in this batch.
	merged []*person
	gone   bool // merged into another, or nothing is left of it
	// decided: somebody decided in this batch who this person is.
	decided bool
	// known are fresh events that tell again of what was told already.
	known  map[lifecycle.EventID]bool
	before before
	// member is what the person is to an account by now.
	member lifecycle.Member
	set    *keySet
}

// keySet is a connected set: everybody whose keys were seen together.
type keySet struct {
	people []*person
	// unowned keys that nobody has yet, in order of appearance.
	unowned []lifecycle.Key
	sum     lifecycle.KeySet
	events  []*lifecycle.Event
	// rebuild: the guards, a split or a retraction make the partition depend on
	// all edges of the set.
	rebuild bool
	// number of the contested set as stored; zero for none.
	contested int64
	into      *keySet
}

func (s *keySet) root() *keySet {
	for s.into != nil {
		if s.into.into != nil {
			s.into = s.into.into
		}
		s = s.into
	}
	return s
}

// resolver finds out, inside a transaction, whose events a batch holds.
type resolver struct {
	t      *store.Tx
	guards lifecycle.Guards
	byKey  map[string]*keySet
	owner  map[string]*person
	people map[lifecycle.ProfileID]*person
	// next and end are the ids reserved for new people.
	next, end lifecycle.ProfileID

	claimed   map[string]lifecycle.ProfileID // new keys
	moved     map[string]lifecycle.ProfileID // keys that change hands
	orphaned  []string
	merges    []merge
	moves     []store.MovedEvent
	refusals  []store.Refusal
	contested []int64 // sets whose refusals are written anew
	stored    map[lifecycle.ProfileID][]lifecycle.Event
	// past of people in sets that are rebuilt, as it was read.
	past map[lifecycle.ProfileID][]lifecycle.Event
}

func newResolver(t *store.Tx, w *work) *resolver {
	return &resolver{
		t: t, guards: w.cfg.Guards, byKey: map[string]*keySet{}, owner: map[string]*person{}, people: map[lifecycle.ProfileID]*person{},
		next: w.next, end: w.end, claimed: map[string]lifecycle.ProfileID{}, moved: map[string]lifecycle.ProfileID{},
		stored: map[lifecycle.ProfileID][]lifecycle.Event{}, past: map[lifecycle.ProfileID][]lifecycle.Event{},
	}
}

type merge struct {
	loser, survivor *person
	cause           *lifecycle.Event
}

// resolve attaches every event to its person. touched are people to be derived
// anew although no event names them (a replay took events away from them).
func (r *resolver) resolve(ctx context.Context, events []*lifecycle.Event, touched []lifecycle.ProfileID) error {
	if err := r.load(ctx, events, touched); err != nil {
		return err
	}
	r.touch(touched)
	for _, e := range events {
		r.connect(e)
	}
	return r.decide(ctx)
}

// decide finds out, for every connected set, who its people are.
func (r *resolver) decide(ctx context.Context) error {
	if err := r.close(ctx); err != nil {
		return err
	}
	for _, s := range r.sets() {
		var err error
		if s.rebuild {
			err = r.rebuild(s)
		} else {
			err = r.join(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// load reads the owners of all keys and everybody contested with them, and more
// people by id.
func (r *resolver) load(ctx context.Context, events []*lifecycle.Event, more []lifecycle.ProfileID) error {
	owners, err := r.t.OwnersTx(ctx, usableKeys(&r.guards, events))
	if err != nil {
		return err
	}
	ids := slices.Clone(more)
	for _, id := range owners {
		ids = append(ids, id)
	}
	return r.loadPeople(ctx, ids)
}

// loadPeople reads people and everybody contested with them.
func (r *resolver) loadPeople(ctx context.Context, ids []lifecycle.ProfileID) error {
	slices.Sort(ids)
	rows, err := r.t.PeopleTx(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	var sets []int64
	for _, row := range rows {
		if row.Merged != 0 {
			return fmt.Errorf("%w: %d was merged", store.ErrRetry, row.ID)
		}
		if row.Contested != 0 {
			sets = append(sets, row.Contested)
		}
	}
	if len(sets) > 0 {
		slices.Sort(sets)
		more, err := r.t.ContestedTx(ctx, slices.Compact(sets))
		if err != nil {
			return err
		}
		for id, row := range more {
			rows[id] = row
		}
	}
	r.adopt(rows)
	return nil
}

// touch asks for people to be derived anew of whom events were taken away.
func (r *resolver) touch(people []lifecycle.ProfileID) {
	for _, id := range people {
		if p := r.people[id]; p != nil {
			p.derive, p.kind = true, lifecycle.KindCorrection
			p.set.rebuild = p.set.rebuild || len(p.keys) > 1 || p.row.Contested != 0
		}
	}
}

// adopt makes people and their sets of rows.
func (r *resolver) adopt(rows map[lifecycle.ProfileID]*store.Person) {
	ids := make([]lifecycle.ProfileID, 0, len(rows))
	for id := range rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	byContested := map[int64]*keySet{}
	for _, id := range ids {
		row := rows[id]
		p := &person{id: id, row: row, keys: parseKeys(row.Keys), contested: row.Contested}
		r.people[id] = p
		s := byContested[row.Contested]
		if s == nil {
			s = &keySet{contested: row.Contested}
			if row.Contested != 0 {
				byContested[row.Contested] = s
			}
		}
		p.set = s
		s.people = append(s.people, p)
		for _, text := range row.Keys {
			r.byKey[text], r.owner[text] = s, p
		}
		s.sum = s.sum.Union(r.guards.KeySet(p.keys...))
	}
}

func parseKeys(texts []string) []lifecycle.Key {
	keys := make([]lifecycle.Key, len(texts))
	for i, text := range texts {
		ns, value, _ := strings.Cut(text, ":")
		keys[i] = lifecycle.Key{Namespace: ns, Value: value}
	}
	return keys
}

// connect unites the sets of an event's keys.
func (r *resolver) connect(e *lifecycle.Event) {
	keys := concerned(&r.guards, e)
	var s *keySet
	for _, k := range keys {
		of := r.setOf(k)
		if s == nil || s == of {
			s = of
			continue
		}
		s = r.unite(s, of)
	}
	// One key says nothing about others; several, in a contested set, may.
	if len(keys) > 1 && s.contested != 0 || e.DecidesIdentity() {
		s.rebuild = true
	}
	s.events = append(s.events, e)
}

// setOf gives the connected set of a key, which may be nobody's yet.
func (r *resolver) setOf(k lifecycle.Key) *keySet {
	text := k.String()
	s := r.byKey[text]
	if s == nil {
		s = &keySet{unowned: []lifecycle.Key{k}, sum: r.guards.KeySet(k)}
		r.byKey[text] = s
	}
	return s.root()
}

// unite joins two connected sets. Where the guards accept their union, plain
// union is what Partition would answer; else the set is rebuilt.
func (r *resolver) unite(a, b *keySet) *keySet {
	if len(a.people) < len(b.people) {
		a, b = b, a
	}
	if a.contested != 0 || b.contested != 0 || r.guards.Allows(a.sum, b.sum) != "" {
		a.rebuild = true
	}
	a.rebuild = a.rebuild || b.rebuild
	a.sum = a.sum.Union(b.sum)
	a.people = append(a.people, b.people...)
	a.unowned = append(a.unowned, b.unowned...)
	a.events = append(a.events, b.events...)
	b.into = a
	return a
}

// sets lists the connected sets that have anything to do, in a fixed order.
func (r *resolver) sets() []*keySet {
	seen := map[*keySet]bool{}
	var all []*keySet
	texts := make([]string, 0, len(r.byKey))
	for text := range r.byKey {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	for _, text := range texts {
		s := r.byKey[text].root()
		if !seen[s] {
			seen[s] = true
			slices.SortFunc(s.events, compareEvents)
			all = append(all, s)
		}
	}
	return all
}

func compareEvents(a, b *lifecycle.Event) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// errFewIDs asks for the batch to be done again with more ids: a late event can
// take apart more people than the batch has events.
var errFewIDs = errors.New("jobs: resolve: more new people than ids were reserved")

// newPerson makes somebody with a reserved id.
func (r *resolver) newPerson() (*person, error) {
	if r.next == r.end {
		return nil, errFewIDs
	}
	p := &person{id: r.next, prof: lifecycle.NewProfile(r.next)}
	r.next++
	r.people[p.id] = p
	return p, nil
}

// join handles a set in which nothing is contested: everybody in it is one
// person, the oldest id survives.
func (r *resolver) join(s *keySet) error {
	if s.contested != 0 { // only single keys were named: each keeps its person
		for _, e := range s.events {
			p := r.owner[r.guards.Usable(e.Identity)[0].String()]
			p.fresh = append(p.fresh, e)
		}
		return nil
	}
	if len(s.people) == 0 && len(s.events) == 0 {
		return nil
	}
	slices.SortFunc(s.people, func(a, b *person) int { return int(a.id - b.id) })
	if len(s.people) == 0 {
		p, err := r.newPerson()
		if err != nil {
			return err
		}
		p.set = s
		s.people = []*person{p}
	}
	survivor := s.people[0]
	for _, loser := range s.people[1:] {
		r.merge(survivor, loser, s.events)
	}
	for _, k := range s.unowned {
		survivor.keys = append(survivor.keys, k)
		r.claimed[k.String()] = survivor.id
	}
	if len(s.unowned) > 0 || len(s.people) > 1 {
		survivor.keys = lifecycle.SortKeys(survivor.keys)
		if len(s.events) == 0 && !survivor.derive { // keys that the guards let through by now
			survivor.derive, survivor.kind = true, lifecycle.KindMerge
		}
	}
	survivor.fresh = append(survivor.fresh, s.events...)
	return nil
}

// merge makes loser part of survivor, who is derived anew.
func (r *resolver) merge(survivor, loser *person, events []*lifecycle.Event) {
	survivor.derive, survivor.kind = true, lifecycle.KindMerge
	survivor.merged = append(survivor.merged, loser)
	survivor.keys = append(survivor.keys, loser.keys...)
	for _, k := range loser.keys {
		r.moved[k.String()] = survivor.id
	}
	loser.gone = true
	m := merge{loser: loser, survivor: survivor}
	for _, e := range events {
		if slices.ContainsFunc(e.Identity, func(k lifecycle.Key) bool { return slices.Contains(loser.keys, k) }) && len(e.Identity) > 1 {
			m.cause = e
			break
		}
	}
	r.merges = append(r.merges, m)
}
