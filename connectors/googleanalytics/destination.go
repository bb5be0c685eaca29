package googleanalytics

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Sizes of a push. The Measurement Protocol takes one person a request and
// publishes no rate, so a connection keeps to a modest number of requests at
// once.
const (
	maxBatch    = 100
	requestsRun = 8
	batchesRun  = 2
)

const actPush = "google-analytics: collect"

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: batchesRun, Takes: connectors.TakesEvents}
}

// Push implements connectors.Destination: one request for each move of a
// person, with the move's time, the last of which carries the user properties.
// People end unconfirmed: the answer is the same for a secret that is wrong.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c, results: make([]connectors.Result, len(updates))}
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(updates); i = int(next.Add(1)) - 1 {
			p.results[i] = p.bring(ctx, &updates[i])
		}
	}
	var workers sync.WaitGroup
	for range min(requestsRun, len(updates)) {
		workers.Go(work)
	}
	workers.Wait()
	return p.results, nil
}

// push is what the people of one Push share.
type push struct {
	c       *Connector
	results []connectors.Result
	// down is the first failure that concerns Google rather than one person.
	down atomic.Pointer[connectors.PushError]
}

// bring sends one person's requests in order, up to the first failure.
func (p *push) bring(ctx context.Context, u *connectors.Update) connectors.Result {
	who, ok := p.c.person(u)
	if !ok {
		return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "no client id is known; one that no tag gave out would make a phantom user"}
	}
	requests := p.c.requests(u, who)
	if len(requests) == 0 {
		return connectors.Result{Outcome: connectors.OK}
	}
	sent := 0
	for _, r := range requests {
		if down := p.down.Load(); down != nil {
			result := down.Result()
			result.Sent = sent
			return result
		}
		if _, err := p.c.post(ctx, actPush, "/mp/collect", r.payload); err != nil {
			e := connectors.AsPushError(err)
			if concernsAll(e) {
				p.down.CompareAndSwap(nil, e)
			}
			result := e.Result()
			result.Sent = sent
			return result
		}
		sent = r.moves
	}
	return connectors.Result{Outcome: connectors.Unconfirmed, Sent: len(u.Moves)}
}

// concernsAll tells a failure of the receiver from the refusal of one message.
func concernsAll(e *connectors.PushError) bool {
	switch e.Reason {
	case connectors.ReasonInvalid, connectors.ReasonTooLarge, connectors.ReasonServer:
		return false
	}
	return true
}

// post sends a body to one of the endpoints. The address holds the secret.
func (c *Connector) post(ctx context.Context, act, path string, body any) (*connectors.Answer, error) {
	if c.cfg.Secret(secretAPI).Empty() || c.measurementID == "" && !c.app {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "measurement_id and api_secret are not set"}
	}
	return c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.base + path + "?" + c.query, Secrets: c.secrets, JSON: body, Discard: path == "/mp/collect",
	})
}

// Check implements connectors.Checker. Google's validation server looks at the
// form of a request and at nothing else, so that is what the answer says.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "google-analytics: test the connection"
	if c.cfg.Secret(secretAPI).Empty() {
		return "This connection only collects; send it an event to test it.", nil
	}
	at := c.cfg.Now()
	test := c.envelope(person{clientID: "1.1"}, at)
	test.Properties = map[string]property{c.stage: {Value: "test"}}
	test.Events = []event{{Name: eventSync, Params: c.params()}}
	a, err := c.post(ctx, act, "/debug/mp/collect", test)
	if err != nil {
		return "", err
	}
	var said struct {
		Messages []struct {
			Field       string `json:"fieldPath"`
			Description string `json:"description"`
			Code        string `json:"validationCode"`
		} `json:"validationMessages"`
	}
	if err := a.JSON(act, &said); err != nil {
		return "", err
	}
	if len(said.Messages) > 0 {
		m := said.Messages[0]
		return "", &connectors.PushError{Act: act, Reason: connectors.ReasonInvalid, Status: a.Status, Message: connectors.Words(m.Code+" "+m.Field+": "+m.Description, c.secrets...)}
	}
	return "Google's validation server takes the form of what is sent. It checks neither id nor secret: look for " + eventStage + " in the Realtime report.", nil
}

// maxBackdate is how far an event may be backdated
// (https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events,
// read November 2026), with an hour to spare.
const maxBackdate = 71 * time.Hour
