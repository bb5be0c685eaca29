package marketo

import (
	"context"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Limits of a call that writes people ("Leads" of the developer pages, read
// 2026-11).
const (
	maxBatch      = 300
	maxBatchBytes = 900 << 10 // 1 MB, less what surrounds the records
)

// Limits implements connectors.Destination. One Push is about four calls, and
// one at a time: two writes of the same new address side by side would make two
// people. The pace of single calls is kept below, in api.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: 12, Per: 20 * time.Second, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: people whose number is known by it,
// the others by address, then the static lists. Numbers that are gone (people
// are merged and deleted at Marketo) fall back to the address.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c}
	for i := range updates {
		p.tasks = append(p.tasks, c.newTask(&updates[i]))
	}
	if err := p.prepare(ctx, p.open()); err != nil {
		return nil, err
	}
	p.writePeople(ctx)
	if c.asLists {
		p.writeLists(ctx)
	}
	if p.away != nil && !p.arrived && !p.settled() {
		return nil, p.away
	}
	return p.results(), nil
}

// push is the work of one Push.
type push struct {
	c       *Connector
	tasks   []*task
	away    *connectors.PushError // why the rest is not attempted
	arrived bool
}

// open lists the tasks that have no result yet.
func (p *push) open() []*task { return slices.DeleteFunc(slices.Clone(p.tasks), isDone) }

func isDone(t *task) bool { return t.done }

// settled reports whether somebody got an answer of their own.
func (p *push) settled() bool {
	return slices.ContainsFunc(p.tasks, func(t *task) bool {
		return t.done && t.result.Reason != p.away.Reason && t.result.Reason != connectors.ReasonNotDone
	})
}

// fail ends the tasks of a call that did not go through. Unless it was about
// what the call held, the rest of the batch is not attempted.
func (p *push) fail(tasks []*task, err error) {
	e := failure(err)
	r := e.Result()
	if e.Reason == connectors.ReasonAuth && p.arrived {
		// Nobody is marked as refused because the credentials have expired.
		r.Outcome = connectors.Retry
	}
	for _, t := range tasks {
		t.end(r)
	}
	switch e.Reason {
	case connectors.ReasonInvalid, connectors.ReasonConflict, connectors.ReasonTooLarge:
		return
	case connectors.ReasonSettings:
		// A field or a list is not what it was.
		p.c.fields.forget()
		p.c.lists.forget()
	}
	if p.away == nil {
		p.away = e
	}
}

// rest ends what is still open behind a failure of the whole, and reports
// whether there was one.
func (p *push) rest(tasks []*task) bool {
	if p.away == nil {
		return false
	}
	for _, t := range tasks {
		t.end(connectors.Result{
			Outcome: connectors.Retry, Reason: connectors.ReasonNotDone,
			Message: "the batch ended early: " + string(p.away.Reason), Delay: p.away.RetryAfter,
		})
	}
	return true
}

func (p *push) results() []connectors.Result {
	all := make([]connectors.Result, len(p.tasks))
	for i, t := range p.tasks {
		all[i] = t.finish()
	}
	return all
}
