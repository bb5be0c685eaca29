package jobs

import (
	"context"
	"errors"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Bounds of one page of doubtful joins: people whose keys are looked at, and
// those of them whose events are read.
const (
	doubtKeys   = 5000
	doubtPeople = 200
)

// DoubtReason says why a join is for somebody to look at.
type DoubtReason string

// The reasons.
const (
	// DoubtWeak: two people were joined by a key that several people may share.
	DoubtWeak DoubtReason = "weak"
	// DoubtSameKind: two people who each have a record of one kind (two contacts of
	// one CRM, two user ids) were joined by an address alone.
	DoubtSameKind DoubtReason = "same_kind"
)

// Doubt is a join that rests on weaker evidence than others.
type Doubt struct {
	JoinOrigin
	Person lifecycle.ProfileID
	Reason DoubtReason
	// Apart are the person's keys that are theirs by this join alone, and Events
	// how many events hang on them: what a split would part.
	Apart  []lifecycle.Key
	Events int
	// Reach is where the person is known: the state at each connection.
	Reach []store.Sync
	// Said is what somebody said of it; nil: nobody has.
	Said *store.Confirmation
}

// Doubts lists joins of two people that rest on weaker evidence, by person, those
// after a person first. open leaves out what was confirmed. It looks at a
// bounded number of people; next is the last of them, zero at the end, so a page
// may be empty and not the last. It depends on what events say and on the guards,
// not on the order in which they came.
func (a *Admin) Doubts(ctx context.Context, after lifecycle.ProfileID, open bool) (doubts []Doubt, next lifecycle.ProfileID, err error) {
	s, guards := a.Registry.o.Store, a.Registry.Config().Guards
	holders, err := s.KeyHolders(ctx, after, doubtKeys)
	if err != nil {
		return nil, 0, err
	}
	if len(holders) == doubtKeys {
		next = holders[doubtKeys-1].ID
	}
	read := 0
	for _, h := range holders {
		if !doubtable(guards, parseKeys(h.Keys)) {
			continue
		}
		if read++; read > doubtPeople {
			return doubts, h.ID - 1, nil
		}
		some, err := a.doubtsOf(ctx, h.ID, open)
		if err != nil {
			return nil, 0, err
		}
		doubts = append(doubts, some...)
	}
	return doubts, next, nil
}

// doubtable tells whether a person with such keys can have been joined by
// weaker evidence, without looking at what joined them.
func doubtable(g lifecycle.Guards, keys []lifecycle.Key) bool {
	weak, firm, kinds := false, 0, map[string]int{}
	for _, k := range keys {
		switch g.Class(k) {
		case lifecycle.Weak:
			weak = true
			continue
		case lifecycle.Strong:
			kinds[k.Namespace]++
		}
		firm++
	}
	twice := false
	for _, n := range kinds {
		twice = twice || n > 1
	}
	return weak && firm > 1 || twice && firm > 2
}

// doubtsOf finds a person's doubtful joins.
func (a *Admin) doubtsOf(ctx context.Context, id lifecycle.ProfileID, open bool) ([]Doubt, error) {
	s, guards := a.Registry.o.Store, a.Registry.Config().Guards
	of, events, err := a.provenance(ctx, id)
	if errors.Is(err, store.ErrNotFound) { // gone since the list was read
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sides := newSides(of.Joined)
	var doubts []Doubt
	var keys []string
	for i, j := range of.Joined {
		reason := sides.doubt(guards, j)
		sides.join(j)
		if reason == "" {
			continue
		}
		d := Doubt{JoinOrigin: j, Person: id, Reason: reason, Apart: behindJoin(of.Joined, i)}
		for e := range events {
			if usable := guards.Usable(events[e].Identity); len(usable) > 0 && slices.Contains(d.Apart, usable[0]) {
				d.Events++
			}
		}
		doubts, keys = append(doubts, d), append(keys, j.Key.String())
	}
	if len(doubts) == 0 {
		return nil, nil
	}
	said, err := s.Confirmed(ctx, keys)
	if err != nil {
		return nil, err
	}
	reach, err := s.SyncOf(ctx, []lifecycle.ProfileID{id})
	if err != nil {
		return nil, err
	}
	for i := range doubts {
		d := &doubts[i]
		if c, ok := said[[2]string{d.Key.String(), d.With.String()}]; ok {
			d.Said = &c
		}
		d.Reach = reach[id]
	}
	return slices.DeleteFunc(doubts, func(d Doubt) bool { return open && d.Said != nil }), nil
}

// sides are a person's keys as they came together, one join after the other.
type sides map[lifecycle.Key]*[]lifecycle.Key

func newSides(joins []JoinOrigin) sides {
	s := sides{}
	for _, j := range joins {
		for _, k := range []lifecycle.Key{j.Key, j.With} {
			if s[k] == nil {
				s[k] = &[]lifecycle.Key{k}
			}
		}
	}
	return s
}

func (s sides) join(j JoinOrigin) {
	a, b := s[j.With], s[j.Key]
	if a == b {
		return
	}
	*a = append(*a, *b...)
	for _, k := range *b {
		s[k] = a
	}
}

// doubt tells why a join is doubtful, given what was on its two sides; empty
// where it is not.
func (s sides) doubt(g lifecycle.Guards, j JoinOrigin) DoubtReason {
	if j.Decision != lifecycle.Observed || j.Class == lifecycle.Strong || s[j.With] == s[j.Key] {
		return ""
	}
	here, there := *s[j.With], *s[j.Key]
	firm := func(k lifecycle.Key) bool { return g.Class(k) != lifecycle.Weak }
	if j.Class == lifecycle.Weak {
		if slices.ContainsFunc(here, firm) && slices.ContainsFunc(there, firm) {
			return DoubtWeak
		}
		return ""
	}
	for _, k := range here {
		if g.Class(k) == lifecycle.Strong && slices.ContainsFunc(there, func(o lifecycle.Key) bool { return o.Namespace == k.Namespace }) {
			return DoubtSameKind
		}
	}
	return ""
}

// behindJoin gives the keys that are the person's by one of the joins alone,
// sorted.
func behindJoin(joins []JoinOrigin, without int) []lifecycle.Key {
	s := newSides(joins)
	for i, j := range joins {
		if i != without {
			s.join(j)
		}
	}
	return lifecycle.SortKeys(slices.Clone(*s[joins[without].Key]))
}

// ConfirmJoin says that a join that is in doubt is right: nobody is asked about it
// again. The error is store.ErrNotFound where the person has no such join.
func (a *Admin) ConfirmJoin(ctx context.Context, key, with lifecycle.Key, reason, author string) error {
	s := a.Registry.o.Store
	p, err := s.PersonByKey(ctx, key.String())
	if err != nil {
		return err
	}
	doubts, err := a.doubtsOf(ctx, p.ID, false)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(doubts, func(d Doubt) bool { return d.Key == key && d.With == with }) {
		return store.ErrNotFound
	}
	return s.Confirm(ctx, key.String(), with.String(), author, reason)
}
