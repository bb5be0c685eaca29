package mparticle

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Sizes of the Events API
// (https://docs.mparticle.com/guides/default-service-limits/, read November
// 2026), the request with room to spare.
const (
	maxBatch        = 100 // people a request
	maxRequestBytes = 240 << 10
	maxPersonBytes  = 128 << 10
	maxAttributesTo = 100  // of a person in one request
	maxSegments     = 1000 // values of a list attribute
)

// Sizes of a push: mParticle takes 270 people a second.
const (
	pushesPerSec = 2
	batchesRun   = 2
	singlesRun   = 5
)

const actPush = "mparticle: send batches"

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: batchesRun, Rate: pushesPerSec, Per: time.Second, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: people go out in bulk requests. One
// that is refused is sent again person by person, which tells whose fault it
// was; the request ids stay, so nobody is counted twice. People end
// unconfirmed, since bulk requests are accepted before anybody looks at them.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(updates))
	var waiting []task
	for i := range updates {
		t, done := c.newTask(i, &updates[i])
		if done != nil {
			results[i] = *done
			continue
		}
		waiting = append(waiting, t)
	}
	settled, own := false, len(waiting) < len(updates)
	for len(waiting) > 0 {
		var now []task
		now, waiting = chunk(waiting)
		err := c.send(ctx, "/v2/bulkevents", list(now))
		if err == nil {
			settled = true
			for _, t := range now {
				results[t.index] = t.sent()
			}
			continue
		}
		e := connectors.AsPushError(err)
		if (e.Reason == connectors.ReasonInvalid || e.Reason == connectors.ReasonTooLarge) && len(now) > 1 {
			settled = true
			c.singly(ctx, now, results)
			continue
		}
		if !settled && !own {
			return nil, e
		}
		for _, t := range now {
			results[t.index] = e.Result()
		}
		for _, t := range waiting {
			results[t.index] = connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(e.Reason), Delay: e.RetryAfter}
		}
		break
	}
	return results, nil
}

// task is one person on the way.
type task struct {
	index   int
	body    json.RawMessage
	written []connectors.Field
}

// newTask makes a person's batch, or the result of whoever needs none.
func (c *Connector) newTask(index int, u *connectors.Update) (task, *connectors.Result) {
	b, skipped := c.batchOf(u)
	if skipped != nil {
		return task{}, skipped
	}
	if b.empty() {
		return task{}, &connectors.Result{Outcome: connectors.OK}
	}
	refuse := func(reason connectors.Reason, words string) (task, *connectors.Result) {
		return task{}, &connectors.Result{Outcome: connectors.Permanent, Reason: reason, Message: connectors.Words(words, c.secrets...)}
	}
	body, err := json.Marshal(b)
	switch {
	case err != nil:
		return refuse(connectors.ReasonInvalid, "the attributes cannot be written as JSON: "+err.Error())
	case len(body) > maxPersonBytes:
		return refuse(connectors.ReasonTooLarge, "a batch of "+strconv.Itoa(len(body))+" bytes; mParticle takes 128 KB a person")
	case len(u.Want.Segments) > maxSegments:
		return refuse(connectors.ReasonTooLarge, "more than 1,000 segments, which a list attribute cannot hold")
	}
	return task{index: index, body: body, written: b.written(u.VendorID)}, nil
}

func (t *task) sent() connectors.Result {
	return connectors.Result{Outcome: connectors.Unconfirmed, Written: t.written}
}

// chunk cuts off what one request may hold, at least one.
func chunk(tasks []task) (now, rest []task) {
	size := 2
	for i, t := range tasks {
		if size += len(t.body) + 1; i > 0 && (i == maxBatch || size > maxRequestBytes) {
			return tasks[:i], tasks[i:]
		}
	}
	return tasks, nil
}

func list(tasks []task) []json.RawMessage {
	all := make([]json.RawMessage, len(tasks))
	for i, t := range tasks {
		all[i] = t.body
	}
	return all
}

// singly sends each person alone.
func (c *Connector) singly(ctx context.Context, tasks []task, results []connectors.Result) {
	queue := make(chan task)
	var workers sync.WaitGroup
	for range min(singlesRun, len(tasks)) {
		workers.Go(func() {
			for t := range queue {
				results[t.index] = t.sent()
				if err := c.send(ctx, "/v2/events", t.body); err != nil {
					results[t.index] = connectors.AsPushError(err).Result()
				}
			}
		})
	}
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	workers.Wait()
}

// send makes one request of the Events API, whose success has no body.
func (c *Connector) send(ctx context.Context, path string, body any) error {
	key, password := c.cfg.Secret(secretKey), c.cfg.Secret(secretSecret)
	if key.Empty() || password.Empty() {
		return &connectors.PushError{Act: actPush, Reason: connectors.ReasonSettings, Message: "api_key and api_secret are not set"}
	}
	_, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: actPush, Method: http.MethodPost, URL: c.base + path, Header: basic(key, password), JSON: body,
		Secrets: c.secrets, Judge: judge, Discard: true,
	})
	return err
}

// judge adds to a refusal for too many requests whose limit it was.
func judge(a *connectors.Answer) *connectors.PushError {
	limit := a.Header.Get("X-mp-rate-limit-exceeded")
	if a.Status != http.StatusTooManyRequests || limit == "" {
		return nil
	}
	return &connectors.PushError{Reason: connectors.ReasonRateLimit, Retryable: true, Message: "the limit of this level is exceeded: " + limit}
}

// testPerson is whom a connection test tells mParticle about, among its
// development data.
const testPerson = "stagebridge-connection-test"

// Check implements connectors.Checker: a batch of the development environment
// that holds nothing.
func (c *Connector) Check(ctx context.Context) (string, error) {
	if c.cfg.Secret(secretKey).Empty() {
		return "This connection only receives; send it a batch to test it.", nil
	}
	b := outBatch{
		Environment: "development", RequestID: c.mark + "_test_" + strconv.FormatInt(c.now().UnixMilli(), 10),
		Identities: map[string]string{"customer_id": testPerson},
	}
	if err := c.send(ctx, "/v2/events", b); err != nil {
		return "", err
	}
	return "mParticle takes the key; the customer id " + testPerson + " is now among its development data.", nil
}
