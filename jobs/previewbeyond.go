package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// PlanBeyond is what publishing a plan does besides deriving everybody from the
// events that they have, so that the matrix of the preview does not count it.
type PlanBeyond struct {
	// Later tells that none of it happens while the plan is rolled out to a share
	// of the people, but when it is finished for everybody.
	Later bool `json:"later"`
	// Identity tells that the guards of identity are others: people may be joined
	// and taken apart, which is not foretold.
	Identity bool `json:"identity"`
	// Release is nil where no parked raw event would be judged again.
	Release *PlanRelease `json:"release"`
}

// PlanRelease is what becomes of raw events that are parked for not fitting the
// plan, and that publishing judges again.
type PlanRelease struct {
	// RawEvents are judged again. Taken of them would fit and take effect, the
	// others are parked again or, where rules changed since, ignored.
	RawEvents int64 `json:"raw_events"`
	Taken     int64 `json:"taken"`
	// Effect of those taken, on people as the plan has brought them where they
	// are in the matrix. Its Whole is false, too, where the time ran out.
	Effect RulesEffect `json:"effect"`
}

// beyond finds what the matrix does not count; nil where that is nothing.
func (p *previewer) beyond(ctx context.Context) (*PlanBeyond, error) {
	then := *p.cfg
	then.Plan, then.Rollout = p.draft, nil
	then.Guards = guardsOf(&then)
	b := &PlanBeyond{Later: p.o.Share < store.WholeShare, Identity: then.Guards.Fingerprint() != p.cfg.Guards.Fingerprint()}
	var err error
	if b.Release, err = p.release(ctx, &then); err != nil {
		return nil, fmt.Errorf("jobs: plan preview: %w", err)
	}
	if !b.Identity && b.Release == nil {
		return nil, nil
	}
	return b, nil
}

// releaser maps parked raw events as they would be mapped under the plan.
type releaser struct {
	*previewer
	then   *Config
	out    PlanRelease
	effect *rulesEffect
}

// release judges the raw events again that rejudge would, without writing.
func (p *previewer) release(ctx context.Context, then *Config) (*PlanRelease, error) {
	notes, err := p.store.Notes(ctx, judgedNote)
	if err != nil {
		return nil, err
	}
	r := &releaser{previewer: p, then: then, effect: newRulesEffect(p.store, then, p.now)}
	r.effect.derived = true
	print := p.draft.JudgementPrint()
	for _, id := range slices.Sorted(maps.Keys(p.cfg.Connections)) {
		if notes[judgedNote+id] == fmt.Sprint(print, " ", p.cfg.Connections[id].Connection.Rules) {
			continue
		}
		if err := r.connection(ctx, id); err != nil {
			return nil, err
		}
	}
	if r.out.RawEvents == 0 {
		return nil, nil
	}
	r.out.Effect, err = r.effect.result(ctx)
	return &r.out, err
}

func (r *releaser) connection(ctx context.Context, id string) error {
	of := ReleaseFilter{Connection: id}
	f := of.inbox()
	n, err := r.store.CountReplayable(ctx, f)
	if err != nil || n == 0 {
		return err
	}
	r.out.RawEvents += n
	f.Limit = releasePage
	for {
		if r.o.Limit > 0 && time.Since(r.started) > r.o.Limit {
			r.effect.out.Whole = false
			return nil
		}
		page, err := r.store.Inbox(ctx, f)
		if err != nil {
			return err
		}
		ids := make([]int64, len(page.Rows))
		for i := range page.Rows {
			ids[i] = page.Rows[i].ID
		}
		rows, err := r.store.RowsByID(ctx, ids)
		if err != nil {
			return err
		}
		for i := range rows {
			m := mapRow(r.then, &rows[i], r.now)
			if m.hold == 0 && m.outcome.Status == store.Done {
				r.out.Taken++
				r.effect.note(rows[i].ID, nil, m.events)
			}
		}
		if f.After = page.Next; f.After == "" {
			return nil
		}
	}
}
