package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// WorkPublish is the kind of long work that brings everybody to the plans in
// force. Canceling it puts back what was in force before.
const WorkPublish = "plan publish"

// publishArgs name the assignment that people are brought to, and the one that
// it replaced.
type publishArgs struct {
	Epoch  int64          `json:"epoch"`
	To     store.Assigned `json:"to"`
	Before store.Assigned `json:"before"`
}

type publishPlace struct {
	After lifecycle.ProfileID `json:"after"`
	Done  int64               `json:"done"`
}

// Published is the result of WorkPublish.
type Published struct {
	To store.Assigned `json:"to"`
	// People looked at, and how many of them per second.
	People int64   `json:"people"`
	Rate   float64 `json:"rate_per_second"`
	// Overtaken: another change of the plan came before everybody was there.
	Overtaken bool `json:"overtaken,omitempty"`
}

// PublishKind is the kind WorkPublish, done by a processor.
func PublishKind(w *Works, p *Processor) WorkKind {
	return WorkKind{
		Name: WorkPublish, Unit: "people",
		Run:      func(ctx context.Context, t *Task) (any, error) { return p.publish(ctx, t) },
		Canceled: func(ctx context.Context, t *Task) error { return p.unpublish(ctx, w, t) },
	}
}

// StartPublish adds the work of bringing people to an assignment; work that is
// live for it already is answered instead.
func (w *Works) StartPublish(ctx context.Context, a store.Assignment, author, reason string) (store.Work, error) {
	args := publishArgs{Epoch: a.Epoch, To: a.Assigned, Before: a.Before}
	one, _, err := w.Start(ctx, WorkPublish, strconv.FormatInt(a.Epoch, 10), args, author, reason)
	return one, err
}

// publish derives everybody who is under another plan than the one assigned,
// a batch at a time. Whoever is touched by an event meanwhile is brought there
// by that.
func (p *Processor) publish(ctx context.Context, t *Task) (any, error) {
	var args publishArgs
	if err := t.Args(&args); err != nil {
		return nil, err
	}
	var place publishPlace
	t.Place(&place)
	counters, err := p.Store.Counters(ctx)
	if err != nil {
		return nil, err
	}
	total := counters[""]["people"]
	at, overtaken, err := p.deriveEpoch(ctx, args.Epoch, place, func(at publishPlace) error { return t.At(at.Done, total, at) })
	if err != nil {
		return nil, err
	}
	return Published{To: args.To, People: at.Done, Rate: t.Record().Rate, Overtaken: overtaken}, nil
}

// deriveEpoch goes on behind a place until everybody is there, or another
// epoch began.
func (p *Processor) deriveEpoch(ctx context.Context, epoch int64, at publishPlace, tell func(publishPlace) error) (_ publishPlace, overtaken bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return at, false, err
		}
		if p.Registry.Config().Epoch != epoch {
			if err := p.Registry.Refresh(ctx); err != nil {
				return at, false, err
			}
			if p.Registry.Config().Epoch != epoch {
				return at, true, nil
			}
		}
		last, n, err := p.deriveNext(ctx, at.After)
		if errors.Is(err, store.ErrRetry) {
			if err := p.Registry.Refresh(ctx); err != nil {
				return at, false, err
			}
			continue
		}
		if err != nil {
			return at, false, err
		}
		if last == 0 {
			return at, false, p.Store.NoteDerived(ctx, epoch)
		}
		at = publishPlace{After: last, Done: at.Done + int64(n)}
		if err := tell(at); err != nil {
			return at, false, err
		}
	}
}

// unpublish puts back what was in force before a canceled publishing, for
// everybody, and has people brought there. Where the plan was changed again
// meanwhile there is nothing to put back.
func (p *Processor) unpublish(ctx context.Context, w *Works, t *Task) error {
	var args publishArgs
	if err := t.Args(&args); err != nil {
		return err
	}
	one := t.Record()
	_, err := p.Store.Assign(ctx, args.Epoch, args.Before)
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.Registry.Refresh(ctx); err != nil {
		return err
	}
	now, err := p.Store.Assignment(ctx)
	if err == nil {
		_, err = w.StartPublish(ctx, now, one.Author, fmt.Sprintf("back to what was in force before job %d was canceled", one.ID))
	}
	return err
}

// ensureDerived sees to it that people are on the way to the plans in force,
// whatever became of the process that published them.
func (p *Pipeline) ensureDerived(ctx context.Context) error {
	now, err := p.o.Store.Assignment(ctx)
	if err != nil {
		return err
	}
	done, err := p.o.Store.DerivedEpoch(ctx)
	if err != nil || done == now.Epoch {
		return err
	}
	if p.o.Works == nil {
		_, _, err := p.processor.deriveEpoch(ctx, now.Epoch, publishPlace{}, func(publishPlace) error { return nil })
		return err
	}
	_, err = p.o.Works.StartPublish(ctx, now, "stagebridge", "taken up again")
	return err
}
