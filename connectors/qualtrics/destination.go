package qualtrics

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of a push: contacts are written one by one, with up to four requests,
// five under way at once. The vendor's limit is 2,000 to 3,000 requests a minute
// for a whole brand, and lower on single endpoints.
const (
	maxBatch = 50
	pushRate = 30
)

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: pushRate, Per: time.Minute, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: each contact is found, read and
// written. Once the vendor is seen to be away the rest is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c}
	results := make([]connectors.Result, len(updates))
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i := range updates {
		group.Go(func() error {
			results[i] = p.one(ctx, &updates[i])
			return nil
		})
	}
	_ = group.Wait()
	if p.away != nil && !p.arrived {
		for _, r := range results {
			if r.Reason != p.away.Reason && r.Reason != connectors.ReasonNotDone && r.Outcome != connectors.OK {
				return results, nil // somebody's own answer must not be lost
			}
		}
		return nil, p.away
	}
	return results, nil
}

// push is the work of one Push.
type push struct {
	c *Connector

	mu      sync.Mutex
	away    *connectors.PushError // why the rest is not attempted
	arrived bool
}

// one brings one person to the desired state.
func (p *push) one(ctx context.Context, u *connectors.Update) connectors.Result {
	t := p.c.newTask(u)
	if !t.identified() {
		return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither a contact's id, a user id nor an e-mail address is known"}
	}
	if !t.writes() {
		return connectors.Result{Outcome: connectors.OK}
	}
	p.mu.Lock()
	away := p.away
	p.mu.Unlock()
	if away != nil {
		return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(away.Reason), Delay: away.RetryAfter}
	}
	r, err := p.bring(ctx, t)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.arrived = p.arrived || r.Outcome == connectors.OK
		return r
	}
	e := connectors.AsPushError(err)
	if concernsAll(e) && p.away == nil {
		p.away = e
	}
	r = e.Result()
	if e.Reason == connectors.ReasonAuth {
		r.Outcome = connectors.Retry // the token has ended; nobody is to blame
	}
	return r
}

// bring finds and writes, or makes, a contact.
func (p *push) bring(ctx context.Context, t *task) (connectors.Result, error) {
	held, err := p.c.find(ctx, t)
	if err != nil {
		return connectors.Result{}, err
	}
	if held == nil && !p.c.cfg.Push.Create {
		return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the directory has no such contact, and push.create is off"}, nil
	}
	if held == nil {
		t.need(p.c, nil)
		var made struct {
			ID string `json:"id"`
		}
		err := p.c.api.call(ctx, "create a contact", http.MethodPost, p.c.contacts(), t.fresh(p.c), &made)
		return connectors.Result{Outcome: connectors.OK, VendorID: made.ID}, err
	}
	if held.ID != t.u.VendorID {
		t.need(p.c, nil) // nothing is known of this record
	}
	err = p.c.api.call(ctx, "update a contact", http.MethodPut, p.c.contacts(held.ID), t.change(p.c, held), nil)
	return connectors.Result{Outcome: connectors.OK, VendorID: held.ID}, err
}
