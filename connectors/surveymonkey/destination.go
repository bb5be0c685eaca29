package surveymonkey

import (
	"context"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// maxBatch is how many people one bulk call brings; the vendor's own bound is
	// not documented.
	maxBatch = 100
	// maxLookups is the batch where people have to be looked up one by one, which
	// takes up to four requests each, and lookups how many run at once.
	maxLookups = 20
	lookups    = 4
	// pushRate a minute leaves half of the 120 requests to reading answers.
	pushRate = 30
	// maxSplits bounds the calls that a batch with somebody impossible costs:
	// enough to find one among 100.
	maxSplits = 8
	// placeholder stands for a name that is not known; contacts must have both.
	placeholder = "-"
)

// Limits implements connectors.Destination.
func (c *Connector) Limits() connectors.Limits {
	l := connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: pushRate, Per: time.Minute, Takes: connectors.TakesState}
	if !c.cfg.Push.Create {
		l.Batch = maxLookups
	}
	return l
}

// Push implements connectors.Destination. A bulk write wants first and last
// name of everybody and would overwrite them, so contacts that exist are never
// written with a placeholder: a first call creates whoever is missing and
// answers with the others as they are, a second one updates those with their
// own names.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c}
	for i := range updates {
		p.tasks = append(p.tasks, c.newTask(&updates[i]))
	}
	if err := p.afford(); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{p.label, p.follow, p.create, p.find, p.follow, p.update} {
		if err := step(ctx); err != nil {
			if !p.arrived {
				return nil, err
			}
			p.endAll(err)
			break
		}
	}
	results := make([]connectors.Result, len(p.tasks))
	for i, t := range p.tasks {
		results[i] = t.result
		if !t.done {
			results[i] = connectors.Result{Outcome: connectors.Unconfirmed, Message: "SurveyMonkey's answer does not name the contact"}
		}
		results[i].VendorID = string(t.id)
	}
	return results, nil
}

// push is the work of one Push.
type push struct {
	c       *Connector
	tasks   []*task
	arrived bool
	splits  int
}

// open lists the tasks without a result, as far as they meet a condition.
func (p *push) open(which func(*task) bool) []*task {
	return slices.DeleteFunc(slices.Clone(p.tasks), func(t *task) bool { return t.done || !which(t) })
}

// endAll ends what is left when the vendor failed as a whole. Nobody is marked
// as refused because the token is.
func (p *push) endAll(err error) {
	e := connectors.AsPushError(err)
	for _, t := range p.open(func(*task) bool { return true }) {
		t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch ended early: " + string(e.Reason), Delay: e.RetryAfter})
	}
}

// label makes sure of the custom fields that the batch writes.
func (p *push) label(ctx context.Context) error {
	wanted := map[string]string{}
	for _, t := range p.open(func(*task) bool { return true }) {
		if _, ok := t.custom[p.c.stageField]; ok {
			wanted[p.c.stageField] = "sb_stage"
		}
		if _, ok := t.custom[p.c.segmentField]; ok {
			wanted[p.c.segmentField] = "sb_segments"
		}
	}
	return p.c.labels.ensure(ctx, wanted)
}
