package mailchimp

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is how many people one Push brings. With five requests under way it
// is a few seconds of Mailchimp's usual answers.
const maxBatch = 100

// Limits implements connectors.Destination. One Push runs at a time and keeps
// all of the connection's request slots busy by itself.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: first each contact's merge fields,
// one request a person, then the tags, one request a tag where that is fewer.
// Once the vendor is seen to be away the rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = c.newTask(&updates[i])
	}
	p := &push{connectors.NewBatch(concurrency, tasks), c}
	if err := p.prepareFields(ctx, p.Open()...); err != nil {
		return nil, err
	}
	p.Each(p.Open(), func(t *task) { p.writeMember(ctx, t) })
	if err := p.Refused(); err != nil {
		return nil, err
	}
	p.writeTags(ctx)
	return p.Results((*task).finish), nil
}

// push is the work of one Push.
type push struct {
	*connectors.Batch[*task]
	c *Connector
}
