package freshdesk

import (
	"context"
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxServerErrors is how many 5xx answers one Push takes before it leaves the
// rest for later: one may be about a single person, several are an outage.
const maxServerErrors = 3

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
	p := &push{c: c}
	for i := range updates {
		p.tasks = append(p.tasks, newTask(&updates[i]))
	}
	if err := p.prepareFields(ctx, p.open()...); err != nil {
		return nil, err
	}
	p.each(p.open(), func(t *task) { p.bring(ctx, t) })
	if err := p.refused(); err != nil {
		return nil, err
	}
	return p.results(), nil
}

// push is the work of one Push.
type push struct {
	c     *Connector
	tasks []*task

	mu      sync.Mutex
	away    *connectors.PushError // why the rest is not attempted
	errors5 int
	arrived bool
}

// open lists the tasks that have no result yet.
func (p *push) open() []*task {
	return slices.DeleteFunc(slices.Clone(p.tasks), func(t *task) bool { return t.done })
}

// each runs work for every task on as many goroutines as there are request
// slots, and ends those tasks that are not attempted any more.
func (p *push) each(tasks []*task, work func(*task)) {
	queue := make(chan *task)
	var workers sync.WaitGroup
	for range min(concurrency, len(tasks)) {
		workers.Go(func() {
			for t := range queue {
				if away := p.stopped(); away != nil {
					t.end(notAttempted(away))
					continue
				}
				work(t)
			}
		})
	}
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	workers.Wait()
}

// notAttempted is the outcome for those behind a failure of the whole.
func notAttempted(away *connectors.PushError) connectors.Result {
	return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(away.Reason), Delay: away.RetryAfter}
}

// stopped gives why the rest of the batch is not attempted; nil goes on.
func (p *push) stopped() *connectors.PushError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

// fail ends a task with an error and decides whether it was about the vendor
// as a whole.
func (p *push) fail(t *task, err error) {
	e := failure(err)
	t.end(resultOf(e))
	p.note(e)
}

// note keeps an eye on failures that concern everybody.
func (p *push) note(e *connectors.PushError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Reason {
	case connectors.ReasonTimeout, connectors.ReasonConnection, connectors.ReasonBlocked, connectors.ReasonRedirect,
		connectors.ReasonRateLimit, connectors.ReasonAuth, connectors.ReasonForbidden:
	case connectors.ReasonServer:
		p.errors5++
		if p.errors5 < maxServerErrors {
			return
		}
	default:
		return
	}
	if p.away == nil {
		p.away = e
	}
}

// refused gives the error of the whole Push where nothing arrived and the
// failure is about the connection, not about people. A timeout or 5xx is told
// per person, since the request may have been carried out.
func (p *push) refused() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away == nil || p.arrived {
		return nil
	}
	switch p.away.Reason {
	case connectors.ReasonTimeout, connectors.ReasonServer:
		return nil
	}
	for _, t := range p.tasks {
		// Somebody's own answer must not be lost.
		if t.done && t.result.Reason != p.away.Reason && t.result.Reason != connectors.ReasonNotDone {
			return nil
		}
	}
	return p.away
}

func (p *push) arrival() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = true
}

func (p *push) results() []connectors.Result {
	all := make([]connectors.Result, len(p.tasks))
	for i, t := range p.tasks {
		all[i] = t.finish()
	}
	return all
}

// resultOf turns a failure into an outcome. Nobody is marked as refused because
// the token has expired.
func resultOf(e *connectors.PushError) connectors.Result {
	r := e.Result()
	if e.Reason == connectors.ReasonAuth {
		r.Outcome = connectors.Retry
	}
	return r
}
