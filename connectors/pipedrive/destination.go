package pipedrive

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is how many people one Push brings: with one or two requests each,
// not many times the smallest burst limit.
const maxBatch = 50

// concurrency is how many requests one Push has under way. Pipedrive counts
// them over 2 seconds, 20 in its smallest plan.
const concurrency = 4

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: it makes sure of the fields, finds
// whom it does not know yet, reads the segments of those whose segments change,
// and writes one person after the other. Once the vendor is seen to be away the
// rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = newTask(&updates[i])
	}
	p := &push{connectors.NewBatch(concurrency, tasks), c}
	if err := p.prepare(ctx, p.Open()...); err != nil {
		return nil, err
	}
	p.Each(p.Open(), func(t *task) { p.find(ctx, t) })
	p.readSegments(ctx, p.Open())
	p.Each(p.Open(), func(t *task) { p.write(ctx, t) })
	if err := p.Refused(); err != nil {
		return nil, err
	}
	return p.Results((*task).Finish), nil
}

// push is the work of one Push.
type push struct {
	*connectors.Batch[*task]
	c *Connector
}
