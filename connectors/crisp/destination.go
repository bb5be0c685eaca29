package crisp

import (
	"context"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is how many people one Push brings; each takes one to four requests.
const maxBatch = 50

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: one person after the other, several
// at once. Once the vendor is seen to be away, or the day's quota is spent, the
// rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = newTask(&updates[i])
	}
	p := &push{connectors.NewBatch(concurrency, tasks), c}
	p.Each(p.Open(), func(t *task) { p.write(ctx, t) })
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
