package jobs

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// maxPreviewAccounts bounds the accounts whose sums a preview keeps in memory.
const maxPreviewAccounts = 300_000

// AccountsPreview is what publishing a plan would do to accounts.
type AccountsPreview struct {
	// Accounts there would be, of which Unsettled wait for the end of a rollout:
	// their people are measured in two ways, and they stay where they are.
	Accounts  int64 `json:"accounts"`
	Unsettled int64 `json:"unsettled"`
	// Whole is false where there are too many accounts to foretell, or not all
	// people were looked at; the rest is empty then.
	Whole    bool                 `json:"whole"`
	Changed  int64                `json:"changed"`
	Flows    []AccountFlow        `json:"flows"`
	Segments []AccountSegmentFlow `json:"segments"`
	// Pushes counts accounts that a connection would be told of.
	Pushes []PushFlow `json:"pushes"`
}

// AccountFlow counts accounts by their stage now and under the draft; empty is
// an account that is not there yet, or no more.
type AccountFlow struct {
	From     lifecycle.Stage `json:"from"`
	To       lifecycle.Stage `json:"to"`
	Accounts int64           `json:"accounts"`
	// Sample holds some of them, the smallest keys.
	Sample []string `json:"sample"`
}

// AccountSegmentFlow counts which accounts would enter and leave a segment.
type AccountSegmentFlow struct {
	Segment lifecycle.Segment `json:"segment"`
	Gained  int64             `json:"gained"`
	Lost    int64             `json:"lost"`
}

// accountSum is what the people of an account would add up to.
type accountSum struct {
	people int64
	tally  lifecycle.Tally
}

// accountSums are those that one worker found.
type accountSums struct {
	of   map[string]*accountSum
	many bool
}

// member adds somebody, as they would be, to their account.
func (w *previewing) member(plan *lifecycle.Plan, prof *lifecycle.Profile) {
	if !w.accounted {
		return
	}
	m := plan.Member(prof, w.now)
	if m.Account == "" {
		return
	}
	s := w.sums.of[m.Account]
	switch {
	case s != nil:
	case len(w.sums.of) >= maxPreviewAccounts:
		w.sums.many = true
		return
	default:
		s = &accountSum{}
		if w.sums.of == nil {
			w.sums.of = map[string]*accountSum{}
		}
		w.sums.of[m.Account] = s
	}
	s.people, s.tally = s.people+1, s.tally.Plus(m.Tally, 1)
}

// add takes in what another worker found.
func (s *accountSums) add(o *accountSums) {
	s.many = s.many || o.many
	if s.of == nil {
		s.of = o.of
		return
	}
	for key, theirs := range o.of {
		if ours := s.of[key]; ours != nil {
			ours.people, ours.tally = ours.people+theirs.people, ours.tally.Plus(theirs.tally, 1)
		} else {
			s.of[key] = theirs
		}
	}
	s.many = s.many || len(s.of) > maxPreviewAccounts
}

// accounts compares what accounts would be with what they are.
func (p *previewer) accounts(ctx context.Context, sums *accountSums) (*AccountsPreview, error) {
	out := &AccountsPreview{Whole: !p.cut.Load() && !sums.many}
	if !out.Whole {
		return out, nil
	}
	t := accountTally{out: out, flows: map[[2]lifecycle.Stage]*AccountFlow{}, segments: map[lifecycle.Segment]*AccountSegmentFlow{}, pushes: map[string]int64{}}
	plans := []*lifecycle.Plan{p.draft}
	if p.o.Share != store.WholeShare {
		plans = []*lifecycle.Plan{p.cfg.Plan, p.draft} // as Config.AccountPlan asks them
	}
	for after := ""; ; {
		page, next, err := p.store.Accounts(ctx, store.AccountFilter{After: after, Limit: store.MaxPage})
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			t.account(p.cfg, plans, a, sums.of[a.Key])
			delete(sums.of, a.Key)
		}
		if after = next; after == "" {
			break
		}
	}
	for _, key := range slices.Sorted(maps.Keys(sums.of)) {
		t.account(p.cfg, plans, &store.Account{Key: key}, sums.of[key])
	}
	t.tell()
	return out, nil
}

// accountTally counts what becomes of accounts.
type accountTally struct {
	out      *AccountsPreview
	flows    map[[2]lifecycle.Stage]*AccountFlow
	segments map[lifecycle.Segment]*AccountSegmentFlow
	pushes   map[string]int64
}

// account counts one; sum is nil where nobody would be left of it.
func (t *accountTally) account(cfg *Config, plans []*lifecycle.Plan, was *store.Account, sum *accountSum) {
	now := *was
	if sum == nil {
		now.Stage, now.Segments = "", nil
	} else {
		t.out.Accounts++
		settled := false
		for _, plan := range plans {
			var s lifecycle.AccountState
			if s, settled = plan.AccountState(sum.people, sum.tally); settled {
				now.Stage, now.Segments = s.Stage, s.Segments
				break
			}
		}
		if !settled {
			t.out.Unsettled++
		}
	}
	key := [2]lifecycle.Stage{was.Stage, now.Stage}
	f := t.flows[key]
	if f == nil {
		f = &AccountFlow{From: was.Stage, To: now.Stage}
		t.flows[key] = f
	}
	f.Accounts++
	if len(f.Sample) < previewSample || was.Key < f.Sample[len(f.Sample)-1] {
		f.Sample = append(f.Sample, was.Key)
		slices.Sort(f.Sample)
		f.Sample = f.Sample[:min(len(f.Sample), previewSample)]
	}
	if was.Stage == now.Stage && slices.Equal(was.Segments, now.Segments) {
		return
	}
	t.out.Changed++
	t.change(was.Segments, now.Segments, func(s *AccountSegmentFlow) { s.Lost++ })
	t.change(now.Segments, was.Segments, func(s *AccountSegmentFlow) { s.Gained++ })
	for _, c := range cfg.Pushing {
		if sum != nil && c.accountsDue(was, &now) {
			t.pushes[c.ID]++
		}
	}
}

// change counts the segments that one list has and the other has not.
func (t *accountTally) change(has, not []lifecycle.Segment, count func(*AccountSegmentFlow)) {
	for _, name := range has {
		if slices.Contains(not, name) {
			continue
		}
		if t.segments[name] == nil {
			t.segments[name] = &AccountSegmentFlow{Segment: name}
		}
		count(t.segments[name])
	}
}

func (t *accountTally) tell() {
	for _, f := range t.flows {
		t.out.Flows = append(t.out.Flows, *f)
	}
	slices.SortFunc(t.out.Flows, func(a, b AccountFlow) int {
		return cmp.Or(cmp.Compare(b.Accounts, a.Accounts), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	for _, name := range slices.Sorted(maps.Keys(t.segments)) {
		t.out.Segments = append(t.out.Segments, *t.segments[name])
	}
	for _, id := range slices.Sorted(maps.Keys(t.pushes)) {
		t.out.Pushes = append(t.out.Pushes, PushFlow{id, t.pushes[id]})
	}
}
