package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// maintain does what has no trigger of its own: end a resync, bring everybody to the
// published plan and its guards of identity, empty old raw bodies, forget old ledger entries.
func (p *Pipeline) maintain(ctx context.Context) error {
	return errors.Join(p.resyncAll(ctx), p.ensureDerived(ctx), p.identifyAll(ctx), p.retain(ctx), p.o.Store.DropLedger(ctx, lifecycle.At(p.o.Now())), p.forgetWork(ctx), p.rejudge(ctx), p.scoreDaily(ctx),
		p.erasing(ctx), p.retainClasses(ctx), keepSizes(ctx, p.o.Store, p.o.Now()))
}

// rejudge has raw events that are parked for not fitting the plan judged again
// where the plan or the rules changed.
func (p *Pipeline) rejudge(ctx context.Context) error {
	if p.o.Works == nil {
		return nil
	}
	return p.o.Registry.rejudge(ctx, p.o.Works, "stagebridge")
}

// forgetWork drops the records of long work that was over long ago.
func (p *Pipeline) forgetWork(ctx context.Context) error {
	if p.o.Works == nil {
		return nil
	}
	return p.o.Works.forget(ctx)
}

// PlanPublished starts to bring everybody to a plan that was just published.
func (p *Pipeline) PlanPublished(ctx context.Context, version int64) error {
	if err := p.o.Registry.Refresh(ctx); err != nil {
		return fmt.Errorf("jobs: plan %s: %w", strconv.FormatInt(version, 10), err)
	}
	p.triggers.hit(QueueMaintenance)
	return nil
}

func (p *Pipeline) retain(ctx context.Context) error {
	if p.o.Retain <= 0 {
		return nil
	}
	before := lifecycle.At(p.o.Now().Add(-p.o.Retain))
	for ctx.Err() == nil {
		n, err := p.o.Store.Retain(ctx, before)
		if err != nil || n == 0 {
			return err
		}
	}
	return ctx.Err()
}

// retainClasses thins out the classes of data that have a time of their own.
func (p *Pipeline) retainClasses(ctx context.Context) error {
	for class, kept := range p.o.RetainClasses {
		if kept <= 0 {
			continue
		}
		for n := int64(1); n > 0; {
			var err error
			if n, err = p.o.Store.RetainClass(ctx, class, lifecycle.At(p.o.Now().Add(-kept))); err != nil {
				return err
			}
		}
	}
	return nil
}
