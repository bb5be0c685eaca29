package customerio

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of a push. The Track API takes 500 KB in one request and 32 KB for
// one person (https://docs.customer.io/integrations/api/track/, read 2026-11);
// a hundred people are as many as one look-up at the App API names.
const (
	maxBatch     = 100
	maxBodyBytes = 490 << 10
	maxItemBytes = 32 << 10
)

// Limits implements connectors.Destination. Each Push is a look-up at the App
// API, which takes ten a second, and one or two requests to the Track API.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 2, Rate: 3, Per: time.Second, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: people are looked up where there is an
// App API key, then everybody's attributes go out together.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = c.newTask(&updates[i])
	}
	if err := c.lookUp(ctx, tasks); err != nil {
		return nil, err
	}
	arrived := false
	calls := c.calls(tasks)
	for i, call := range calls {
		err := c.send(ctx, call)
		if err == nil {
			arrived = true
			continue
		}
		if !arrived {
			return nil, err
		}
		e := connectors.AsPushError(err)
		for _, t := range call.tasks {
			t.end(resultOf(e))
		}
		for _, later := range calls[i+1:] {
			for _, t := range later.tasks {
				t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(e.Reason), Delay: e.RetryAfter})
			}
		}
		break
	}
	results := make([]connectors.Result, len(tasks))
	for i, t := range tasks {
		results[i] = t.finish()
	}
	return results, nil
}

// resultOf turns a failure into an outcome. Nobody is marked as refused because
// a key has expired meanwhile.
func resultOf(e *connectors.PushError) connectors.Result {
	r := e.Result()
	if e.Reason == connectors.ReasonAuth {
		r.Outcome = connectors.Retry
	}
	return r
}

// lookUp asks who is there. Those too of whom something is known: Customer.io
// takes a write for somebody who was deleted without a word.
func (c *Connector) lookUp(ctx context.Context, tasks []*task) error {
	if !c.app.open() {
		return nil
	}
	var waiting []*task
	var ids [][]identifier
	for _, t := range tasks {
		if !t.done {
			waiting, ids = append(waiting, t), append(ids, t.ids)
		}
	}
	people, err := c.find(ctx, ids)
	if err != nil {
		return err
	}
	for i, t := range waiting {
		c.found(t, people[i])
	}
	return nil
}

// call is one request to the Track API and the tasks of its items, in order.
type call struct {
	tasks []*task
	items []json.RawMessage
	bytes int
}

// calls encodes the open tasks and packs them into requests that Customer.io
// takes.
func (c *Connector) calls(tasks []*task) []*call {
	now := c.cfg.Now().Unix()
	var all []*call
	for _, t := range tasks {
		if t.done {
			continue
		}
		if t.updateOnly {
			t.attributes["_update"] = true
		}
		// The time of sending, not of the stage: Customer.io keeps the newest
		// of several writes by it, and what is sent last is the newest state.
		item, err := json.Marshal(operation{
			Type: "person", Action: "identify", Identifiers: map[string]string{t.by.kind: t.by.value},
			Timestamp: now, Attributes: t.attributes,
		})
		if err != nil {
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: connectors.Words("the attributes cannot be written as JSON: "+err.Error(), c.track.secrets...)})
			continue
		}
		if len(item) > maxItemBytes {
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge, Message: "the attributes of this person are longer than 32 KB"})
			continue
		}
		if len(all) == 0 || all[len(all)-1].bytes+len(item) > maxBodyBytes {
			all = append(all, &call{})
		}
		last := all[len(all)-1]
		last.tasks, last.items, last.bytes = append(last.tasks, t), append(last.items, item), last.bytes+len(item)+1
	}
	return all
}

// send makes one request and ends the tasks that Customer.io refuses. The
// error means that nobody of the request is known to have arrived.
func (c *Connector) send(ctx context.Context, k *call) error {
	var answer batchAnswer
	if err := c.track.call(ctx, "write people", http.MethodPost, "/api/v2/batch", batch{k.items}, &answer); err != nil {
		return err
	}
	refused := map[int][]string{}
	for _, e := range answer.Errors {
		words := strings.TrimPrefix(e.Field+": "+e.Message, ": ")
		if e.Message == "" {
			words += e.Reason
		}
		if e.Index == nil || *e.Index < 0 || *e.Index >= len(k.tasks) {
			// Somebody was refused, and nobody knows who.
			return &connectors.PushError{
				Act: "customerio: write people", Reason: connectors.ReasonBadAnswer, Retryable: true,
				Message: connectors.Words("an error names nobody of the batch: "+words, c.track.secrets...),
			}
		}
		refused[*e.Index] = append(refused[*e.Index], words)
	}
	for i, words := range refused {
		k.tasks[i].end(connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid,
			Message: connectors.Words(strings.Join(words, "; "), c.track.secrets...),
		})
	}
	return nil
}
