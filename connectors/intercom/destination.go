package intercom

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is how many people one Push brings: with eight requests under way a
// few seconds of Intercom's usual answers.
const maxBatch = 100

// Limits implements connectors.Destination. One Push runs at a time and keeps
// all of the connection's request slots busy by itself.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: for each contact one request with the
// attributes, then one for each tag that has to be set or taken off. Once the
// vendor is seen to be away the rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = newTask(&updates[i])
	}
	p := &push{connectors.NewBatch(concurrency, tasks), c}
	if err := p.prepareAttributes(ctx, p.Open()...); err != nil {
		return nil, err
	}
	p.Each(p.Open(), func(t *task) { p.bring(ctx, t) })
	if err := p.Refused(); err != nil {
		return nil, err
	}
	return p.Results((*task).finish), nil
}

// push is the work of one Push.
type push struct {
	*connectors.Batch[*task]
	c *Connector
}
