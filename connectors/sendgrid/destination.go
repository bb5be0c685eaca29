package sendgrid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Bounds of a push. SendGrid takes 30,000 contacts or 6 MB in one request, but
// names at most 100 in a look-up.
const (
	maxBatch     = 500
	maxBodyBytes = 5 << 20
	// maxRefusals is how often the contacts that SendGrid refuses are taken out
	// and the rest is sent again.
	maxRefusals = 10
)

// Limits implements connectors.Destination. One job at a time: two that write
// one contact may end in either order.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Takes: connectors.TakesState}
}

// Push implements connectors.Destination: everybody is looked up first, since a
// contact has to be named by all the identifiers that it has; then one request
// writes them, which SendGrid takes as a job.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	tasks := make([]*task, len(updates))
	for i := range updates {
		tasks[i] = c.newTask(&updates[i])
	}
	if err := c.lookUp(ctx, tasks); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, tasks); err != nil {
		return nil, err
	}
	if err := c.send(ctx, tasks); err != nil {
		return nil, err
	}
	results := make([]connectors.Result, len(tasks))
	for i, t := range tasks {
		results[i] = t.finish()
	}
	return results, nil
}

// lookUp finds the contacts of the open tasks.
func (c *Connector) lookUp(ctx context.Context, tasks []*task) error {
	var waiting []*task
	for _, t := range tasks {
		if !t.done {
			waiting = append(waiting, t)
		}
	}
	people := make([]wanted, len(waiting))
	for i, t := range waiting {
		people[i] = wanted{id: t.u.VendorID, email: t.email}
	}
	found, err := c.find(ctx, people)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for i, t := range waiting {
		t.contact = found[i]
		name := t.email
		if t.contact != nil {
			name = t.contact.ID
		}
		switch {
		case t.contact == nil && (!c.cfg.Push.Create || t.email == ""):
			t.end(notThere())
		case taken[name]:
			// Named twice in one request, either state might be the one kept.
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonConflict, Message: "somebody else of this batch is the same contact at SendGrid"})
		case t.contact == nil, t.u.VendorID != "" && !strings.EqualFold(t.contact.ID, t.u.VendorID):
			// Nothing is known of a contact that is made here, nor of one that has
			// the address of another that is gone.
			c.need(t, nil)
		}
		taken[name] = true
	}
	return nil
}

// prepare makes the contacts of the request.
func (c *Connector) prepare(ctx context.Context, tasks []*task) error {
	types := map[string]string{}
	for _, t := range tasks {
		if t.done {
			continue
		}
		for name := range t.custom {
			types[name] = typeText
			if name == c.stage+stageTimeAfter {
				types[name] = typeDate
			}
		}
	}
	var definitions map[string]fieldDefinition
	if len(types) > 0 {
		var err error
		if definitions, err = c.fields.find(ctx, types); err != nil {
			return err
		}
	}
	size := 0
	for _, t := range tasks {
		if t.done {
			continue
		}
		c.write(t, definitions)
		if t.done {
			continue
		}
		b, err := json.Marshal(t.body)
		if size += len(b) + 1; err != nil || size > maxBodyBytes {
			t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "the batch was full"})
		}
	}
	return nil
}

// send writes the open tasks. SendGrid refuses a request for the sake of single
// contacts and names them; they are taken out, and the rest is sent again.
func (c *Connector) send(ctx context.Context, tasks []*task) error {
	for range maxRefusals {
		var open []*task
		var u upsert
		for _, t := range tasks {
			if !t.done {
				open, u.Contacts = append(open, t), append(u.Contacts, t.body)
			}
		}
		if len(open) == 0 {
			return nil
		}
		refused := map[int]string{}
		var answer jobAnswer
		err := c.api.judged(ctx, "write contacts", http.MethodPut, "/v3/marketing/contacts", u, &answer, func(a *connectors.Answer) *connectors.PushError {
			refused = named(a, len(open))
			return nil
		})
		switch {
		case err == nil && answer.JobID == "":
			return &connectors.PushError{Act: "sendgrid: write contacts", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no job"}
		case err == nil:
			for _, t := range open {
				t.end(connectors.Result{Outcome: connectors.Submitted, Job: answer.JobID})
			}
			return nil
		case len(refused) == 0:
			if connectors.ReasonOf(err) == connectors.ReasonInvalid {
				c.fields.forget(ctx) // a field may have been removed
			}
			return err
		}
		for i, words := range refused {
			open[i].end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: connectors.Words(words, c.api.secrets...)})
		}
	}
	for _, t := range tasks {
		t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "SendGrid refused too many others of the batch"})
	}
	return nil
}

var contactIndex = regexp.MustCompile(`^contacts\[(\d{1,6})\]`)

// named reads which contacts a 400 is about. It is empty where the refusal is
// about anything else, or about nobody.
func named(a *connectors.Answer, n int) map[int]string {
	if a.Status != http.StatusBadRequest {
		return nil
	}
	var answer struct {
		Errors []struct {
			Message string `json:"message"`
			Field   string `json:"field"`
		} `json:"errors"`
	}
	if json.Unmarshal(a.Body, &answer) != nil {
		return nil
	}
	refused := map[int]string{}
	for _, e := range answer.Errors {
		m := contactIndex.FindStringSubmatch(e.Field)
		if m == nil {
			return nil
		}
		i, err := strconv.Atoi(m[1])
		if err != nil || i >= n {
			return nil
		}
		words := fmt.Sprintf("%s: %s", strings.TrimPrefix(e.Field, m[0]+"."), e.Message)
		if refused[i] != "" {
			words = refused[i] + "; " + words
		}
		refused[i] = words
	}
	return refused
}
