package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// effects brings people up to date inside a transaction and writes everything
// that changes with them: this is the one place where a profile is changed.
type effects struct {
	t   *store.Tx
	cfg *Config
	now lifecycle.Instant

	people []*person
	// stored events of people whose events are loaded already.
	stored map[lifecycle.ProfileID][]lifecycle.Event
	// ahead are derivations under way.
	ahead map[*person]derived

	transitions []store.Transition
	added, left []store.Membership
	// conflicts that are new, and those that are no more.
	conflicting, settled []store.Conflict
	// standings in lifecycles beside the main one, and those that are no more.
	standings, unstanding []store.Standing
	wantConns             []string
	wantPeople            []lifecycle.ProfileID
	pushed                map[string]bool // connections with somebody newly due
	forget                []lifecycle.ProfileID
	parted                []lifecycle.ProfileID // whose record at a vendor may be another by now
	dropped               []lifecycle.ProfileID
}

// run applies or derives every person, then writes.
func (f *effects) run(ctx context.Context) error {
	for _, p := range f.people {
		if err := f.open(p); err != nil {
			return err
		}
	}
	if err := f.evidence(ctx); err != nil {
		return err
	}
	var again []*person
	for _, p := range f.people {
		if !p.derive && !f.apply(p) {
			p.derive, p.kind = true, lifecycle.KindCorrection
		}
		if p.derive && !p.gone {
			again = append(again, p)
		}
	}
	if err := f.derive(ctx, again); err != nil {
		return err
	}
	return f.write(ctx)
}

// open decodes a person's profile and remembers what it was.
func (f *effects) open(p *person) error {
	if p.row == nil {
		if p.prof == nil {
			p.prof = lifecycle.NewProfile(p.id)
		}
		return nil
	}
	prof, err := lifecycle.DecodeProfile(p.row.State)
	if err != nil {
		return fmt.Errorf("jobs: profile %d: %w", p.id, err)
	}
	p.prof, p.before = prof, remember(f.cfg, prof)
	if prof.PlanVersion != f.cfg.PlanOf(p.id).Version() {
		p.derive, p.kind = true, f.cfg.changeKind(p.id, prof.PlanVersion)
	}
	return nil
}

// evidence drops fresh events whose business key the person has already, and
// asks for derivation where the news is the earlier one.
func (f *effects) evidence(ctx context.Context) error {
	var ask []store.Evidence
	for _, p := range f.people {
		if p.derive || p.row == nil {
			continue
		}
		for _, e := range p.fresh {
			if e.BusinessKey != "" {
				ask = append(ask, store.Evidence{Person: p.id, Name: e.Name, Key: e.BusinessKey})
			}
		}
	}
	found, err := f.t.EvidenceTx(ctx, ask)
	if err != nil || len(found) == 0 {
		return err
	}
	for _, p := range f.people {
		if p.derive || p.row == nil {
			continue
		}
		p.known = map[lifecycle.EventID]bool{}
		for _, e := range p.fresh {
			old, ok := found[store.Evidence{Person: p.id, Name: e.Name, Key: e.BusinessKey}]
			switch {
			case e.BusinessKey == "" || !ok:
			case store.EarlierEvidence(e, &old):
				p.derive, p.kind = true, lifecycle.KindCorrection
			default:
				p.known[e.ID] = true
			}
		}
	}
	return nil
}

// apply goes forward with fresh events; false when one of them is late.
func (f *effects) apply(p *person) bool {
	events := make([]lifecycle.Event, 0, len(p.fresh))
	for _, e := range p.fresh {
		if !p.known[e.ID] {
			events = append(events, *e)
		}
	}
	if len(events) > 1 {
		events = lifecycle.Effective(events)
	}
	moves, err := f.cfg.PlanOf(p.id).Apply(p.prof, f.own(p, events), f.now)
	if err != nil {
		return false
	}
	f.note(p, moves, true, true)
	f.changed(p, len(moves) > 0)
	return true
}

// derive makes people anew from all their events. What changes is called p.kind.
func (f *effects) derive(ctx context.Context, people []*person) error {
	var load, ids []lifecycle.ProfileID
	for _, p := range people {
		ids = append(ids, p.id)
		if f.stored[p.id] == nil && p.row != nil {
			load = append(load, p.id)
		}
		for _, m := range p.merged {
			if m.row != nil && f.stored[p.id] == nil {
				load = append(load, m.id)
			}
		}
	}
	stored, err := f.t.EventsTx(ctx, load)
	if err != nil {
		return err
	}
	for _, p := range f.people {
		if p.gone && p.derive { // no key is left to it
			f.drop(p)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	last, err := f.t.LastSeqTx(ctx, ids)
	if err != nil {
		return err
	}
	var forget []*person
	for _, p := range people {
		d := f.ahead[p]
		if d == nil {
			d = f.derivation(p, stored)
		}
		prof, moves := d()
		if prof == nil { // a replay took away all that was known of it
			f.drop(p)
			continue
		}
		if f.replace(p, prof, moves, last[p.id]) && p.row != nil {
			forget = append(forget, p)
		}
	}
	if len(forget) == 0 {
		return nil
	}
	return f.forgetHistory(ctx, forget)
}

// drop takes somebody of whom no event is left out of everything.
func (f *effects) drop(p *person) {
	p.gone = true
	f.dropped = append(f.dropped, p.id)
	if !p.before.known {
		return
	}
	f.t.CountTx("", "people", -1)
	f.t.CountTx("", "stage:"+string(p.before.stage), -1)
	for _, m := range p.before.segments {
		f.t.CountTx("", "segment:"+string(m.Name), -1)
	}
	f.leave(p.id, p.before.lifecycles)
}

// replace puts a derived profile in the place of the old one. It reports
// whether the history is a new one.
func (f *effects) replace(p *person, prof *lifecycle.Profile, moves []lifecycle.Transition, last int64) bool {
	old := p.prof
	p.prof = prof
	if p.before.known && len(p.merged) == 0 && sameHistory(old, prof) {
		prof.Moves = old.Moves
		f.changed(p, false)
		return false
	}
	for i := range moves {
		last++
		moves[i].Seq = last
	}
	anew := !p.before.known && !f.another(p)
	f.note(p, moves, true, anew)
	announced := anew && len(moves) > 0
	if !anew {
		if x := difference(&p.before, prof, p.kind, f.now); x != nil {
			last++
			x.Seq = last
			f.note(p, []lifecycle.Transition{*x}, false, true)
			announced = true
		}
		for _, x := range elsewhere(&p.before, prof, p.kind, f.now) {
			last++
			x.Seq = last
			f.note(p, []lifecycle.Transition{x}, false, true)
			announced = true
		}
	}
	prof.Moves = last
	f.changed(p, announced)
	return true
}

// another tells of somebody new whose past was another's until now, and was told
// as such: who takes events hears where they stand, and not all of it again.
func (f *effects) another(p *person) bool { return p.row == nil && len(f.stored[p.id]) > 0 }

// sameHistory compares what two profiles say of the way so far.
func sameHistory(a, b *lifecycle.Profile) bool {
	return a.History() == b.History() && a.Stage == b.Stage && a.Since == b.Since && slices.Equal(a.Segments, b.Segments) &&
		slices.Equal(slices.Collect(a.Visits()), slices.Collect(b.Visits())) && sameElsewhere(a, b)
}

// difference is the one announced change from the stage and segments told so
// far to those that are derived; nil for none.
func difference(b *before, prof *lifecycle.Profile, kind lifecycle.Kind, now lifecycle.Instant) *lifecycle.Transition {
	x := lifecycle.Transition{From: b.stage, To: prof.Stage, Kind: kind, At: prof.Since, Decided: now, PlanVersion: prof.PlanVersion, Event: prof.StageEvent, Inbox: prof.StageInbox}
	var entered lifecycle.Instant
	for _, m := range prof.Segments {
		if !b.in(string(m.Name)) {
			x.Entered = append(x.Entered, m.Name)
			entered = max(entered, m.Since)
		}
	}
	for _, m := range b.segments {
		if !prof.In(m.Name) {
			x.Exited = append(x.Exited, m.Name)
		}
	}
	switch {
	case x.From != x.To:
	case len(x.Exited) > 0: // since when is not kept
		x.At = now
	case len(x.Entered) > 0:
		x.At = entered
	default:
		return nil
	}
	return &x
}

// note keeps transitions to be written.
func (f *effects) note(p *person, moves []lifecycle.Transition, history, announce bool) {
	for i := range moves {
		m := &moves[i]
		x := store.Transition{
			Person: p.id, Seq: m.Seq, Lifecycle: m.Lifecycle, History: history, Announce: announce, From: m.From, To: m.To, Kind: string(m.Kind), At: m.At, Decided: m.Decided,
			Cause: store.Cause{Inbox: m.Inbox, Condition: m.Condition, Plan: m.PlanVersion, Entered: m.Entered, Exited: m.Exited, Skipped: m.Skipped},
		}
		if m.Event != (lifecycle.EventID{}) {
			x.Cause.Event = m.Event.String()
		}
		f.transitions = append(f.transitions, x)
	}
}

// changed finds memberships, counts and connections that a person's change
// concerns.
func (f *effects) changed(p *person, announced bool) {
	b := &p.before
	f.conflicts(p)
	f.stand(p)
	for _, m := range p.prof.Segments {
		if i := slices.IndexFunc(b.segments, func(o lifecycle.Membership) bool { return o.Name == m.Name }); i < 0 || b.segments[i].Since != m.Since {
			f.added = append(f.added, store.Membership{Segment: m.Name, Person: p.id, Since: m.Since})
		}
		if !b.in(string(m.Name)) {
			f.t.CountTx("", "segment:"+string(m.Name), 1)
		}
	}
	for _, m := range b.segments {
		if !p.prof.In(m.Name) {
			f.left = append(f.left, store.Membership{Segment: m.Name, Person: p.id})
			f.t.CountTx("", "segment:"+string(m.Name), -1)
		}
	}
	if !b.known || b.stage != p.prof.Stage {
		if b.known {
			f.t.CountTx("", "stage:"+string(b.stage), -1)
		} else {
			f.t.CountTx("", "people", 1)
		}
		f.t.CountTx("", "stage:"+string(p.prof.Stage), 1)
	}
	for _, c := range f.cfg.Pushing {
		if len(p.merged) > 0 || p.decided || due(c, f.cfg.PlanOf(p.id), b, p.prof, announced) {
			f.wantConns, f.wantPeople = append(f.wantConns, c.ID), append(f.wantPeople, p.id)
			f.pushed[c.ID] = true
		}
	}
	if len(p.merged) > 0 {
		f.forget = append(f.forget, p.id)
	}
	if p.decided {
		f.parted = append(f.parted, p.id)
	}
}
