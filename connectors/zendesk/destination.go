package zendesk

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// Limits implements connectors.Destination. One Push runs at a time and keeps
// all of the connection's request slots busy by itself.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxMany, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination. It reads the users, since Zendesk
// takes one list of tags for the whole, writes the user fields of all of them
// in one job, makes those who are missing where the push may, and adds and
// removes single tags, so that what agents tag meanwhile stays. Once the vendor
// is seen to be away the rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = c.newTask(&updates[i])
	}
	p := &push{connectors.NewBatch(concurrency, tasks), c}
	p.find(ctx)
	if err := p.Refused(); err != nil {
		return nil, err
	}
	if err := p.prepareFields(ctx, p.Open()); err != nil {
		return nil, err
	}
	p.writeFields(ctx)
	if err := p.Refused(); err != nil {
		return nil, err
	}
	p.create(ctx)
	p.Each(p.Open(), func(t *task) { p.writeTags(ctx, t) })
	if err := p.Refused(); err != nil {
		return nil, err
	}
	p.settleJob(ctx)
	return p.Results((*task).finish), nil
}

// push is the work of one Push.
type push struct {
	*connectors.Batch[*task]
	c *Connector
}
