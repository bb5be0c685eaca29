package salesforcemarketingcloud

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Sizes of a Push. There is no published cap of a rowset; fifty rows keep an
// answer quick, and the search for refused rows short.
const maxBatch = 50

// maxCalls is how many rowsets one Push sends while it looks for the rows that
// are refused; whoever is left then is tried again.
const maxCalls = 40

// Limits implements connectors.Destination. The rate is our own: Marketing Cloud
// publishes none.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: 5, Per: time.Second, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: it finds the contact keys of those
// whose key is not known, and writes all rows in one request. The vendor does
// not say which row it refused, so a refused request is halved until it does.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c, results: make([]connectors.Result, len(updates))}
	if err := p.prepare(ctx, updates); err != nil {
		return nil, err
	}
	if len(p.rows) == 0 {
		return p.results, nil
	}
	path, err := c.extension.rowset(ctx)
	if err != nil {
		return nil, err
	}
	p.path = path
	p.send(ctx, p.rows)
	if p.away != nil && !p.arrived {
		return nil, p.away
	}
	return p.results, nil
}

// push is the work of one Push.
type push struct {
	c       *Connector
	path    string
	rows    []row
	results []connectors.Result
	calls   int
	arrived bool
	away    *connectors.PushError // why the rest is not attempted
}

// prepare ends whoever needs or can have nothing, and makes rows for the rest.
func (p *push) prepare(ctx context.Context, updates []connectors.Update) error {
	var open []int
	var emails []string
	for i := range updates {
		u := &updates[i]
		switch {
		case !differs(u):
			p.results[i] = connectors.Result{Outcome: connectors.OK, VendorID: u.VendorID}
		case u.VendorID == "" && normalEmail(u.Email) == "" && p.c.ownKey(u) == "":
			p.results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "neither a contact key nor an e-mail address is known"}
		default:
			open = append(open, i)
			if email := normalEmail(u.Email); u.VendorID == "" && email != "" && p.c.find {
				emails = append(emails, email)
			}
		}
	}
	found, err := p.c.keysOf(ctx, emails)
	if err != nil {
		return err
	}
	for _, i := range open {
		u := &updates[i]
		key := cmp.Or(u.VendorID, found.first(u.Email))
		if key == "" && (p.c.cfg.Push.Create || !p.c.find) {
			key = p.c.ownKey(u)
		}
		if key == "" {
			p.results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor, Message: "there is no such contact, and push.create is off or gives no key"}
			continue
		}
		r, refused := p.c.row(u, key)
		if refused != "" {
			p.results[i] = connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonTooLarge, Message: refused, VendorID: u.VendorID}
			continue
		}
		r.index = i
		p.rows = append(p.rows, r)
	}
	return nil
}

// send writes rows. Of a refused request the rows before the first bad one are
// kept, which does no harm: writing them again changes nothing.
func (p *push) send(ctx context.Context, rows []row) {
	if p.away != nil || p.calls == maxCalls {
		words := "the batch ended early, too many of its rows were refused"
		result := connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: words}
		if p.away != nil {
			result.Message, result.Delay = "the batch ended early: "+string(p.away.Reason), p.away.RetryAfter
		}
		p.end(rows, result)
		return
	}
	p.calls++
	err := p.write(ctx, rows)
	if err == nil {
		p.arrived = true
		p.end(rows, connectors.Result{Outcome: connectors.OK})
		return
	}
	e := connectors.AsPushError(err)
	switch e.Reason {
	case connectors.ReasonInvalid, connectors.ReasonTooLarge:
		if len(rows) == 1 {
			p.end(rows, e.Result())
			return
		}
		half := len(rows) / 2
		p.send(ctx, rows[:half])
		p.send(ctx, rows[half:])
	case connectors.ReasonBadAnswer:
		p.end(rows, e.Result())
	default:
		p.stop(rows, e)
	}
}

// stop ends the whole Push for a reason that concerns everybody. Nobody is
// marked as refused because a credential has expired after others arrived.
func (p *push) stop(rows []row, e *connectors.PushError) {
	if gone(e) && p.c.extension.forget() {
		again := *e
		again.Retryable = true
		e = &again
	}
	p.away = e
	r := e.Result()
	if e.Reason == connectors.ReasonAuth || e.Reason == connectors.ReasonForbidden {
		r.Outcome = connectors.Retry
	}
	p.end(rows, r)
}

// write sends one rowset. The answer repeats the rows in their order; without
// that nothing is proved.
func (p *push) write(ctx context.Context, rows []row) error {
	const act = "write rows"
	var answer []struct {
		Keys map[string]any `json:"keys"`
	}
	if err := p.c.api.call(ctx, act, http.MethodPost, p.path, rows, &answer); err != nil {
		return err
	}
	if len(answer) != len(rows) {
		return badAnswer(act, "the answer does not list the rows that were sent")
	}
	return nil
}

// end sets the outcome of rows; a row that arrived tells its contact key.
func (p *push) end(rows []row, r connectors.Result) {
	for _, one := range rows {
		result := r
		if r.Outcome == connectors.OK {
			result.VendorID = one.Keys[columnKey]
		}
		p.results[one.index] = result
	}
}
