package stripe

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/connectors"
)

// Sizes of a Push. Stripe takes one customer a request; the key is often shared
// with the shop's own checkout, so a connection stays well below the 100
// requests a second in live mode and 25 in test mode that are its usual limits
// (https://docs.stripe.com/rate-limits): at most three requests a person.
const (
	maxBatch = 10
	workers  = 4
	livePace = time.Second
	testPace = 2 * time.Second
)

// maxServerErrors is how many 5xx answers one Push takes before it leaves the
// rest for later: one may be about a single person, several are an outage.
const maxServerErrors = 3

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	pace := livePace
	if c.mode == modeTest {
		pace = testPace
	}
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: 1, Per: pace, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: one customer's metadata a request.
// Once the vendor is seen to be away the rest of the batch is not attempted.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c, results: make([]connectors.Result, len(updates))}
	var group errgroup.Group
	group.SetLimit(workers)
	for i := range updates {
		group.Go(func() error {
			p.results[i] = p.one(ctx, &updates[i])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := p.refused(); err != nil {
		return nil, err
	}
	return p.results, nil
}

// push is the work of one Push.
type push struct {
	c       *Connector
	results []connectors.Result

	mu      sync.Mutex
	away    *connectors.PushError // why the rest is not attempted
	errors5 int
	arrived bool
}

// one brings one person to the desired state.
func (p *push) one(ctx context.Context, u *connectors.Update) connectors.Result {
	if away := p.stopped(); away != nil {
		return connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(away.Reason), Delay: away.RetryAfter}
	}
	n := needOf(u.Want, u.Known)
	if n.empty() {
		return connectors.Result{Outcome: connectors.OK, VendorID: u.VendorID}
	}
	if u.VendorID != "" {
		if r, there := p.known(ctx, u, n); there {
			return r
		}
	}
	email := strings.TrimSpace(u.Email)
	if email == "" && u.VendorID == "" {
		return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "Stripe knows people by customer id and e-mail address"}
	}
	if email == "" {
		return notThere()
	}
	return p.byAddress(ctx, u, email)
}

// known writes to the customer whose id was learned earlier. A list of segments
// is read first, since names that others put into it stay.
func (p *push) known(ctx context.Context, u *connectors.Update, n need) (r connectors.Result, there bool) {
	held := map[string]string{}
	if n.segments() {
		cust, err := p.c.byID(ctx, u.VendorID)
		if err != nil {
			return p.fail(err), true
		}
		if cust == nil {
			return connectors.Result{}, false
		}
		held = cust.Metadata
	}
	return p.write(ctx, u, n, u.VendorID, held)
}

// byAddress writes everything to the newest customer of the address, since
// nothing is known of that record, or makes one.
func (p *push) byAddress(ctx context.Context, u *connectors.Update, email string) connectors.Result {
	n := needOf(u.Want, u.Known)
	if u.VendorID != "" {
		n = needOf(u.Want, nil)
	}
	all, err := p.c.byEmail(ctx, email)
	if err != nil {
		return p.fail(err)
	}
	if len(all) > 0 {
		if r, there := p.write(ctx, u, n, all[0].ID, all[0].Metadata); there {
			return r
		}
	}
	if !p.c.cfg.Push.Create {
		return notThere()
	}
	return p.create(ctx, u, email)
}

// write sends what is needed to one customer; there is false where it is gone.
func (p *push) write(ctx context.Context, u *connectors.Update, n need, id string, held map[string]string) (r connectors.Result, there bool) {
	entries, tooLong := p.c.metadata(&n, u.Want, held)
	if len(entries) > 0 {
		var cust customer
		_, err := p.c.api.do(ctx, call{
			act: "write a customer", method: http.MethodPost, path: customerPath(id), form: form(entries),
			// A fresh key each time: Stripe repeats its first answer to a key for a
			// day, a failure of its own included. The write itself may be repeated.
			key: p.c.mark + u.ID + "-" + url.PathEscape(id) + "-" + strconv.FormatInt(p.c.cfg.Now().UnixNano(), 36),
		}, &cust)
		switch {
		case missing(err) || err == nil && cust.Deleted:
			return connectors.Result{}, false
		case err != nil:
			return p.fail(err), true
		}
		if r := p.accept(&cust, entries); r.Outcome != connectors.OK {
			return r, true
		}
	}
	if tooLong {
		return connectors.Result{
			Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge, VendorID: id,
			Message: "the list of segments is longer than the 500 characters of a metadata value; name fewer under push.segments",
		}, true
	}
	return connectors.Result{Outcome: connectors.OK, VendorID: id}, true
}

// create makes the customer. The idempotency key stays the same for an hour, so
// that a request whose answer was lost makes no second one.
func (p *push) create(ctx context.Context, u *connectors.Update, email string) connectors.Result {
	n := needOf(u.Want, nil)
	entries, tooLong := p.c.metadata(&n, u.Want, nil)
	maps.DeleteFunc(entries, func(_, value string) bool { return value == "" })
	values := form(entries)
	values.Set("email", email)
	var cust customer
	_, err := p.c.api.do(ctx, call{
		act: "create a customer", method: http.MethodPost, path: "/v1/customers", form: values,
		key: p.c.mark + u.ID + "-new-" + strconv.FormatInt(p.c.cfg.Now().Unix()/3600, 36),
	}, &cust)
	if err != nil {
		return p.fail(err)
	}
	r := p.accept(&cust, entries)
	if r.Outcome == connectors.OK && tooLong {
		r.Outcome, r.Reason, r.Message = connectors.Permanent, connectors.ReasonTooLarge, "the list of segments is longer than the 500 characters of a metadata value"
	}
	return r
}

// accept holds the answer to a write against what was sent.
func (p *push) accept(cust *customer, entries map[string]string) connectors.Result {
	if cust.Object != "customer" || cust.ID == "" || !took(cust, entries) {
		return p.fail(badAnswer("write a customer", "the answer does not show what was written"))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = true
	return connectors.Result{Outcome: connectors.OK, VendorID: cust.ID}
}

// notThere is the outcome for a person whom the account does not hold.
func notThere() connectors.Result {
	return connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "the account has no such customer, and push.create is off"}
}

func (p *push) stopped() *connectors.PushError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

// fail turns a failure into an outcome and keeps an eye on those that concern
// everybody. Nobody is marked as refused because the API key has expired.
func (p *push) fail(err error) connectors.Result {
	e := connectors.AsPushError(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Reason {
	case connectors.ReasonTimeout, connectors.ReasonConnection, connectors.ReasonBlocked, connectors.ReasonRedirect,
		connectors.ReasonRateLimit, connectors.ReasonAuth, connectors.ReasonForbidden, connectors.ReasonSettings:
		p.away = cmp.Or(p.away, e)
	case connectors.ReasonServer:
		if p.errors5++; p.errors5 == maxServerErrors {
			p.away = cmp.Or(p.away, e)
		}
	}
	r := e.Result()
	if e.Reason == connectors.ReasonAuth {
		r.Outcome = connectors.Retry
	}
	return r
}

// refused gives the error of the whole Push where nothing arrived and the
// failure is about the connection, not about people. A timeout or 5xx is told
// per person, since the request may have been carried out.
func (p *push) refused() error {
	if p.away == nil || p.arrived || p.away.Reason == connectors.ReasonTimeout || p.away.Reason == connectors.ReasonServer {
		return nil
	}
	for _, r := range p.results {
		// Somebody's own answer must not be lost.
		if r.Reason != p.away.Reason && r.Reason != connectors.ReasonNotDone {
			return nil
		}
	}
	return p.away
}
