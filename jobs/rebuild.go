package jobs

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// rebuild partitions a contested set from all its edges, old and new, in the
// order of event time, so that arrival decides nothing (rule 4 of the design).
func (r *resolver) rebuild(s *keySet) error {
	slices.SortFunc(s.people, func(a, b *person) int { return int(a.id - b.id) })
	ids := make([]lifecycle.ProfileID, len(s.people))
	stored := make(map[lifecycle.ProfileID][]lifecycle.Event, len(s.people))
	for i, p := range s.people {
		ids[i], stored[p.id] = p.id, r.past[p.id]
	}
	part := partition(r.guards, ids, stored, s.events)
	owners, err := r.assign(s, part.Groups, nameless(ids, stored, part.Anchor))
	if err != nil {
		return err
	}
	r.rehome(s, part, owners, stored)
	r.settle(s, part, owners)
	if slices.ContainsFunc(s.events, func(e *lifecycle.Event) bool { return e.DecidesIdentity() }) {
		for _, p := range s.people {
			p.decided = true
		}
	}
	return nil
}

// partition asks who is who by all edges of a set. An event that names what an
// earlier one of the same person has named, and nothing else, has no say: most
// are such, and only their anchors are wanted.
func partition(guards lifecycle.Guards, ids []lifecycle.ProfileID, stored map[lifecycle.ProfileID][]lifecycle.Event, fresh []*lifecycle.Event) lifecycle.Partition {
	type repeat struct{ of, is lifecycle.EventID }
	var edges []lifecycle.Edge
	var repeats []repeat
	for _, id := range ids {
		seen := map[string]lifecycle.EventID{}
		for i := range stored[id] { // in order of time
			e := &stored[id][i]
			if e.DecidesIdentity() || e.Name == lifecycle.EventMerged {
				edges = append(edges, e.Edge())
				continue
			}
			keys := named(e.Identity)
			if first, again := seen[keys]; again {
				repeats = append(repeats, repeat{first, e.ID})
				continue
			}
			seen[keys] = e.ID
			edges = append(edges, e.Edge())
		}
	}
	for _, e := range fresh {
		edges = append(edges, e.Edge())
	}
	part := guards.Partition(edges)
	for _, x := range repeats {
		if anchor, ok := part.Anchor[x.of]; ok {
			part.Anchor[x.is] = anchor
		}
	}
	return part
}

// named spells a list of keys.
func named(keys []lifecycle.Key) string {
	if len(keys) == 1 {
		return keys[0].Value + "\x00" + keys[0].Namespace
	}
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k.Value)
		b.WriteByte(0)
		b.WriteString(k.Namespace)
		b.WriteByte(0)
	}
	return b.String()
}

// nameless finds the people who have events of which no key may be used by now.
// These events stay with them: nothing says whose else they are.
func nameless(people []lifecycle.ProfileID, stored map[lifecycle.ProfileID][]lifecycle.Event, anchor map[lifecycle.EventID]lifecycle.Key) map[lifecycle.ProfileID]bool {
	all := map[lifecycle.ProfileID]bool{}
	for _, id := range people {
		for i := range stored[id] {
			if _, ok := anchor[stored[id][i].ID]; !ok {
				all[id] = true
				break
			}
		}
	}
	return all
}

// assign gives every group a person: of those who owned one of its keys the
// oldest, each person going where its strongest key went; a group left without
// gets somebody new. Whom no key is left is nobody any more, unless events that
// name nobody are still theirs.
func (r *resolver) assign(s *keySet, groups [][]lifecycle.Key, nameless map[lifecycle.ProfileID]bool) ([]*person, error) {
	groupOf := map[lifecycle.Key]int{}
	for i, g := range groups {
		for _, k := range g {
			groupOf[k] = i
		}
	}
	owners := make([]*person, len(groups))
	var losers []*person
	for _, p := range s.people { // oldest first
		at := slices.IndexFunc(p.keys, func(k lifecycle.Key) bool { _, ok := groupOf[k]; return ok })
		if at < 0 {
			p.gone, p.derive, p.kind = !nameless[p.id], true, lifecycle.KindMerge
			p.keys, p.contested = nil, 0
			continue
		}
		g := groupOf[p.keys[at]]
		if owners[g] == nil {
			owners[g] = p
		} else {
			losers = append(losers, p)
		}
	}
	for i := range owners {
		if owners[i] != nil {
			continue
		}
		p, err := r.newPerson()
		if err != nil {
			return nil, err
		}
		p.set = s
		s.people = append(s.people, p)
		owners[i] = p
	}
	for _, loser := range losers {
		at := slices.IndexFunc(loser.keys, func(k lifecycle.Key) bool { _, ok := groupOf[k]; return ok })
		survivor := owners[groupOf[loser.keys[at]]]
		loser.gone = true
		survivor.merged = append(survivor.merged, loser)
		r.merges = append(r.merges, merge{loser: loser, survivor: survivor})
	}
	return owners, nil
}

// rehome attaches every event, stored or new, to the person of its anchor.
func (r *resolver) rehome(s *keySet, part lifecycle.Partition, owners []*person, stored map[lifecycle.ProfileID][]lifecycle.Event) {
	personOf := map[lifecycle.Key]*person{}
	for i, g := range part.Groups {
		for _, k := range g {
			personOf[k] = owners[i]
		}
	}
	for _, e := range s.events {
		p := personOf[part.Anchor[e.ID]]
		p.fresh = append(p.fresh, e)
	}
	if len(owners) == 1 { // the common case: all of it is theirs
		total := 0
		for _, events := range stored {
			total += len(events)
		}
		r.stored[owners[0].id] = slices.Grow(r.stored[owners[0].id], total)
	}
	for id, events := range stored {
		for i := range events {
			e := &events[i]
			p := personOf[part.Anchor[e.ID]]
			if p == nil {
				p = r.follow(r.people[id]) // all its keys are blocked by now: it stays with whom it was
			}
			r.stored[p.id] = append(r.stored[p.id], *e)
			// What is left of somebody who was merged goes with them: see MergeTx.
			if p.id != id && r.follow(r.people[id]) != p {
				r.moves = append(r.moves, store.MovedEvent{From: id, To: p.id, At: e.At, ID: e.ID})
			}
		}
	}
}

// follow gives whom a person was merged into by this batch, if anybody.
func (r *resolver) follow(p *person) *person {
	for _, m := range r.merges {
		if m.loser == p {
			return m.survivor
		}
	}
	return p
}

// settle writes down the keys' new owners and what was refused.
func (r *resolver) settle(s *keySet, part lifecycle.Partition, owners []*person) {
	held := map[lifecycle.Key]bool{}
	for _, p := range s.people {
		if p.row != nil && p.row.Contested != 0 {
			r.contested = append(r.contested, p.row.Contested)
		}
	}
	number := int64(s.people[0].id)
	for _, p := range s.people {
		number = min(number, int64(p.id))
	}
	if len(part.Refused) == 0 && len(part.Groups) == 1 && r.guards.Allows(r.guards.KeySet(part.Groups[0]...), lifecycle.KeySet{}) == "" {
		number = 0
	}
	for i, g := range part.Groups {
		p := owners[i]
		for _, k := range g {
			held[k] = true
			text := k.String()
			switch was := r.owner[text]; {
			case was == nil:
				r.claimed[text] = p.id
			case was != p:
				r.moved[text] = p.id
			}
		}
		if p.row != nil && slices.ContainsFunc(parseKeys(p.row.Keys), func(k lifecycle.Key) bool { return !slices.Contains(g, k) }) {
			p.decided = true // a key it had is another's: so may be its record at a vendor
		}
		p.keys = slices.Clone(g)
		p.derive, p.kind = true, lifecycle.KindMerge
		p.contested = number
	}
	for text, was := range r.owner {
		if was.set.root() == s && !held[parseKeys([]string{text})[0]] {
			r.orphaned = append(r.orphaned, text)
		}
	}
	for _, f := range part.Refused {
		r.refusals = append(r.refusals, store.Refusal{Contested: number, Event: f.Edge, Key: f.Key.String(), With: f.With.String(), Reason: f.Reason, At: f.At})
	}
	r.contested = append(r.contested, number)
}
