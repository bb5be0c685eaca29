package jobs

import (
	"context"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// moveOf gives the move from what an account was to what it is; nil for none.
// Its kind is settled by moveKinds.
func (f *effects) moveOf(was, is *store.Account, c *accountChange, condition string, plan *lifecycle.Plan) *store.AccountMove {
	if is.Stage == was.Stage && slices.Equal(is.Segments, was.Segments) {
		return nil
	}
	is.Moves++
	x := &store.AccountMove{
		Account: is.Key, Seq: is.Moves, From: was.Stage, To: is.Stage, At: c.at, Decided: f.now, Person: c.person, Event: c.event,
		Cause: store.AccountCause{Condition: condition, Plan: plan.Version(), Kind: c.kind},
	}
	for _, s := range is.Segments {
		if !slices.Contains(was.Segments, s) {
			x.Cause.Entered = append(x.Cause.Entered, s)
		}
	}
	for _, s := range was.Segments {
		if !slices.Contains(is.Segments, s) {
			x.Cause.Exited = append(x.Cause.Exited, s)
		}
	}
	return x
}

// moveKinds says of every move of what kind it is. What a late event, a join, or
// a plan did is called so; of the others, whether an account has been in a stage
// before is asked once for all of them.
func (f *effects) moveKinds(ctx context.Context, moves []store.AccountMove) error {
	var ask []string
	for i := range moves {
		if m := &moves[i]; m.Cause.Kind == "" && m.From != m.To && m.Seq > 1 {
			ask = append(ask, m.Account)
		}
	}
	been := map[store.AccountStage]bool{}
	if len(ask) > 0 {
		var err error
		if been, err = f.t.AccountStagesTx(ctx, ask); err != nil {
			return err
		}
	}
	for i := range moves {
		m := &moves[i]
		plan := f.cfg.Plan
		for _, other := range f.cfg.plans() {
			if other.Version() == m.Cause.Plan {
				plan = other
			}
		}
		kind, skipped := plan.AccountMoveKind(m.From, m.To, been[store.AccountStage{Account: m.Account, Stage: m.To}])
		if m.Cause.Kind == "" || kind == lifecycle.KindSegments || kind == lifecycle.KindEmptied {
			m.Cause.Kind, m.Cause.Skipped = kind, skipped
		}
	}
	return nil
}
