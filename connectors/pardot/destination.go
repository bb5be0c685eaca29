package pardot

import (
	"context"
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// maxBatch is how many people one Push brings; with four requests under way
	// that is some seconds of the API's usual answers.
	maxBatch = 40
	// maxServerErrors is how many 5xx answers one Push takes before it leaves
	// the rest for later: one may be about a single person, several are an
	// outage.
	maxServerErrors = 3
)

// Limits implements connectors.Destination. One Push runs at a time and uses
// all of the connection's request slots.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination. The API writes one prospect a
// request; what is known to be there is not written, since the day's requests
// are counted. Once the API is seen to be away, the rest is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c}
	for i := range updates {
		p.tasks = append(p.tasks, c.newTask(&updates[i]))
	}
	if slices.ContainsFunc(p.tasks, func(t *task) bool { return !t.done }) {
		if err := c.mayAsk("push prospects"); err != nil {
			return nil, err
		}
	}
	if err := c.prepare(ctx, p.tasks); err != nil {
		return nil, err
	}
	p.each(func(t *task) {
		if err := c.bring(ctx, t); err != nil {
			p.fail(t, err)
		}
	})
	if err := p.refused(); err != nil {
		return nil, err
	}
	results := make([]connectors.Result, len(p.tasks))
	for i, t := range p.tasks {
		t.end(connectors.Result{Outcome: connectors.OK})
		results[i] = t.result
		if results[i].VendorID == "" {
			results[i].VendorID = t.id
		}
	}
	return results, nil
}

// push is the work of one Push.
type push struct {
	c     *Connector
	tasks []*task

	mu      sync.Mutex
	away    *connectors.PushError // why the rest is not attempted
	errors5 int
}

// prepare makes sure of the custom fields that tasks are about to write.
func (c *Connector) prepare(ctx context.Context, tasks []*task) error {
	var ids []string
	for _, id := range []string{c.stage, c.segments} {
		for _, t := range tasks {
			if _, writes := t.fields[id+suffix]; writes && !t.done {
				ids = append(ids, id)
				break
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := c.fields.need(ctx, ids...); err != nil {
		return failure(err)
	}
	return nil
}

// each runs work for every open task on as many goroutines as there are
// request slots, and ends those tasks that are not attempted any more.
func (p *push) each(work func(*task)) {
	queue := make(chan *task)
	var workers sync.WaitGroup
	for range min(concurrency, len(p.tasks)) {
		workers.Go(func() {
			for t := range queue {
				if away := p.stopped(); away != nil {
					t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(away.Reason), Delay: away.RetryAfter})
					continue
				}
				work(t)
			}
		})
	}
	for _, t := range p.tasks {
		if !t.done {
			queue <- t
		}
	}
	close(queue)
	workers.Wait()
}

func (p *push) stopped() *connectors.PushError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

// fail ends a task with an error and decides whether it was about the API as a
// whole.
func (p *push) fail(t *task, err error) {
	e := failure(err)
	t.end(e.Result())
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Reason {
	case connectors.ReasonTimeout, connectors.ReasonConnection, connectors.ReasonBlocked, connectors.ReasonRedirect,
		connectors.ReasonRateLimit, connectors.ReasonAuth, connectors.ReasonForbidden:
	case connectors.ReasonServer:
		if p.errors5++; p.errors5 < maxServerErrors {
			return
		}
	default:
		return
	}
	if p.away == nil {
		p.away = e
	}
}

// refused gives the error of the whole Push where everybody met the same
// failure, and it is about the connection.
func (p *push) refused() error {
	if p.away == nil || p.away.Reason == connectors.ReasonTimeout || p.away.Reason == connectors.ReasonServer {
		return nil
	}
	for _, t := range p.tasks {
		// Somebody's own answer must not be lost.
		if !t.done || t.result.Reason != p.away.Reason && t.result.Reason != connectors.ReasonNotDone {
			return nil
		}
	}
	return p.away
}
