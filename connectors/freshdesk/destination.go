package freshdesk

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is the most people one Push brings.
const maxBatch = 50

// callsPerPerson is what one person takes: a call to read and a call to write.
const callsPerPerson = 2

// Limits implements connectors.Destination. One Push runs at a time and keeps
// all of the connection's request slots busy by itself. It brings as many people
// as half a minute's calls allow, so that it ends in its time.
func (c *Connector) Limits() connectors.Limits {
	batch := min(maxBatch, max(1, c.callsPerMinute/2/callsPerPerson))
	return connectors.Limits{Batch: batch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: each contact is read, since Freshdesk
// takes one list of tags for the whole, then written with one request. Once the
// vendor is seen to be away the rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = newTask(&updates[i])
	}
	p := &push{connectors.NewBatch(concurrency, tasks), c}
	if err := p.prepareFields(ctx, p.Open()...); err != nil {
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
