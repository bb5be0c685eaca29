package segment

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Sizes of Segment's tracking API
// (https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/,
// read November 2026), with room to spare for the envelope.
const (
	maxCallBytes    = 32 << 10
	maxRequestBytes = 450 << 10
	maxRequestCalls = 2500
)

// Sizes of a push. Segment advises about 1,000 events a second for a workspace;
// a person is two or three.
const (
	maxBatch     = 100
	concurrency  = 4
	pushesPerSec = 4
)

const actPush = "segment: send batch"

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: concurrency, Rate: pushesPerSec, Per: time.Second, Takes: connectors.TakesEvents}
}

// Push implements connectors.Destination: an identify call with the traits that
// differ and a track call for each move, those of a person in order. People
// whom Segment took end unconfirmed: its answer is the same for a write key
// that does not exist.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c, results: make([]connectors.Result, len(updates))}
	for i := range updates {
		p.add(i, &updates[i])
	}
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	for i := range updates {
		p.finish(i, &updates[i])
	}
	return p.results, nil
}

// queued is one call that waits to be sent.
type queued struct {
	person int
	// moves of the person that have arrived once this call has.
	moves int
	body  json.RawMessage
}

// push is the work of one Push. A person's result is the zero value until it
// is known.
type push struct {
	c       *Connector
	results []connectors.Result
	queue   []queued
	arrived bool
}

// add makes a person's calls; whoever cannot be sent has a result at once.
func (p *push) add(person int, u *connectors.Update) {
	who, skipped := p.c.identify(u)
	if skipped != nil {
		p.results[person] = *skipped
		return
	}
	calls := p.c.calls(u, who)
	if len(calls) == 0 {
		p.results[person] = connectors.Result{Outcome: connectors.OK}
		return
	}
	for _, call := range calls {
		body, err := json.Marshal(call)
		switch {
		case err != nil:
			p.results[person] = connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: connectors.Words("the traits cannot be written as JSON: "+err.Error(), p.c.secrets...)}
			return
		case len(body) > maxCallBytes:
			p.results[person] = connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge, Message: "a call of " + strconv.Itoa(len(body)) + " bytes; Segment drops what is over 32 KB without saying so"}
			return
		}
		p.queue = append(p.queue, queued{person, call.moves, body})
	}
}

// flush sends request after request. The error is that of a first request that
// failed for everybody.
func (p *push) flush(ctx context.Context) error {
	for len(p.queue) > 0 {
		now := p.take()
		if len(now) == 0 {
			continue // nothing but people who had been refused
		}
		err := p.send(ctx, now)
		if err == nil {
			p.arrived = true
			for _, q := range now {
				p.results[q.person].Sent = max(p.results[q.person].Sent, q.moves)
			}
			continue
		}
		e := connectors.AsPushError(err)
		theirs := e.Reason == connectors.ReasonInvalid || e.Reason == connectors.ReasonTooLarge
		if p.alone() && (!theirs || len(p.queue) == 0) {
			return e
		}
		p.fail(now, e.Result())
		if theirs {
			continue // it was about these calls
		}
		p.fail(p.queue, connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(e.Reason), Delay: e.RetryAfter})
		p.queue = nil
	}
	return nil
}

// take cuts as many calls off the queue as one request may hold, leaving out
// those of people who have failed.
func (p *push) take() []queued {
	var now []queued
	size := 0
	for len(p.queue) > 0 && len(now) < maxRequestCalls {
		q := p.queue[0]
		if len(now) > 0 && size+len(q.body)+1 > maxRequestBytes {
			break
		}
		p.queue = p.queue[1:]
		if p.results[q.person].Outcome != "" {
			continue
		}
		now = append(now, q)
		size += len(q.body) + 1
	}
	return now
}

// alone reports whether the failure is all that is known: nothing arrived and
// nobody has an answer of their own.
func (p *push) alone() bool {
	if p.arrived {
		return false
	}
	for i := range p.results {
		if p.results[i].Outcome != "" {
			return false
		}
	}
	return true
}

// fail ends the people of some calls; what arrived of them before stays told.
func (p *push) fail(calls []queued, with connectors.Result) {
	for _, q := range calls {
		if r := &p.results[q.person]; r.Outcome == "" {
			sent := r.Sent
			*r = with
			r.Sent = sent
		}
	}
}

func (p *push) finish(person int, u *connectors.Update) {
	if r := &p.results[person]; r.Outcome == "" {
		*r = connectors.Result{Outcome: connectors.Unconfirmed, Sent: len(u.Moves)}
	}
}

// send makes one request.
func (p *push) send(ctx context.Context, calls []queued) error {
	batch := struct {
		SentAt string            `json:"sentAt"`
		Batch  []json.RawMessage `json:"batch"`
	}{SentAt: stamp(p.c.cfg.Now())}
	for _, q := range calls {
		batch.Batch = append(batch.Batch, q.body)
	}
	return p.c.post(ctx, actPush, batch)
}

// post sends to the tracking API and wants {"success":true}.
func (c *Connector) post(ctx context.Context, act string, body any) error {
	if c.header == nil {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: secretWrite + " is not set"}
	}
	a, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.base + "/v1/batch", Header: c.header, JSON: body, Secrets: c.secrets, Pause: pause,
	})
	if err != nil {
		return err
	}
	var said struct {
		Success bool   `json:"success"`
		Message string `json:"message"`
	}
	if err := a.JSON(act, &said); err != nil {
		return err
	}
	if said.Success {
		return nil
	}
	return &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Status: a.Status, Retryable: true, Message: connectors.Words("the answer is no success: "+said.Message, c.secrets...)}
}

// pause reads X-RateLimit-Reset, the seconds until requests are taken again.
func pause(a *connectors.Answer) time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("X-RateLimit-Reset"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
