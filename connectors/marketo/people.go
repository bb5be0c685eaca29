package marketo

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// Ways to write people.
const (
	byNumber  = "id"
	byAddress = "email"

	updateOnly     = "updateOnly"
	createOrUpdate = "createOrUpdate"
)

// writePeople writes the fields of everybody who has any to be written.
func (p *push) writePeople(ctx context.Context) {
	numbered := slices.DeleteFunc(p.writing(), func(t *task) bool { return t.id == "" })
	gone := p.write(ctx, byNumber, numbered)
	p.forgetNumbers(ctx, gone)
	p.writeAddressed(ctx)
}

// forgetNumbers gives up the numbers of people who were merged or deleted
// since: whoever is met under the address is another record, of which nothing
// is known.
func (p *push) forgetNumbers(ctx context.Context, gone []*task) {
	for _, t := range gone {
		t.id = ""
		if !addressable(t.email) {
			t.end(notThere())
			continue
		}
		p.c.need(t, nil)
	}
	p.prepareLate(ctx, gone)
}

// writeAddressed writes those whose number is not known.
func (p *push) writeAddressed(ctx context.Context) {
	addressed := slices.DeleteFunc(p.writing(), func(t *task) bool { return t.id != "" })
	shared := p.write(ctx, byAddress, addressed)
	p.chooseAmongShared(ctx, shared)
	for _, t := range p.write(ctx, byNumber, slices.DeleteFunc(shared, isDone)) {
		t.end(notThere())
	}
}

// writing lists the open tasks with fields to be written. Where the push may
// create, a person of whom nothing is known is written even without any.
func (p *push) writing() []*task {
	return slices.DeleteFunc(p.open(), func(t *task) bool {
		return len(t.fields) == 0 && !(t.id == "" && t.u.Known == nil && p.c.cfg.Push.Create)
	})
}

// write sends the tasks in as many calls as they need, and gives back those
// that Marketo did not find by number, or found several times by address.
func (p *push) write(ctx context.Context, by string, tasks []*task) (again []*task) {
	for _, chunk := range p.chunks(by, tasks) {
		if p.rest(chunk.tasks) {
			continue
		}
		w := leadsWrite{Action: updateOnly, Lookup: by, Partition: p.c.partition, Input: chunk.input}
		if by == byAddress && p.c.cfg.Push.Create {
			w.Action = createOrUpdate
		}
		records, _, err := list[record](ctx, p.c.api, "write people", http.MethodPost, "/rest/v1/leads.json", w)
		if err == nil && len(records) != len(chunk.tasks) {
			err = &connectors.PushError{
				Act: "marketo: write people", Reason: connectors.ReasonBadAnswer, Retryable: true,
				Message: "the answer does not tell of everybody who was written",
			}
		}
		if err != nil {
			p.fail(chunk.tasks, err)
			continue
		}
		var created []*task
		for i, r := range records {
			switch t := chunk.tasks[i]; p.settle(t, by, r) {
			case meetAgain:
				again = append(again, t)
			case meetWholly:
				created = append(created, t)
			}
		}
		p.complete(ctx, created)
	}
	return again
}

// What is left to do for a person after a record's answer.
const (
	meetNothing = iota
	meetAgain   // by another key
	meetWholly  // with everything: the record is new, and only a part was sent
)

// settle reads one record's answer.
func (p *push) settle(t *task, by string, r record) int {
	if r.Status == "created" || r.Status == "updated" {
		p.arrived = true
		if r.ID != 0 {
			t.id = strconv.FormatInt(r.ID, 10)
		}
		t.wrote = append(t.wrote, p.c.written(t)...)
		if r.Status == "created" && !t.fresh {
			return meetWholly
		}
		return meetNothing
	}
	why := r.why()
	e := p.c.api.coded(why)
	switch {
	case why.Code == "1004" && by == byNumber, why.Code == "1007" && by == byAddress:
		return meetAgain
	case why.Code == "1004" && !p.c.cfg.Push.Create:
		t.end(notThere())
	default:
		e.Message = connectors.Words(e.Message, p.c.api.hide...)
		t.end(e.Result())
	}
	return meetNothing
}

// complete writes everything to people who turned out to be new, although they
// were thought to be there.
func (p *push) complete(ctx context.Context, created []*task) {
	for _, t := range created {
		p.c.need(t, nil)
	}
	p.prepareLate(ctx, created)
	for _, t := range p.write(ctx, byNumber, slices.DeleteFunc(created, isDone)) {
		t.end(notThere())
	}
}

// chooseAmongShared gives each of the tasks the number of one of the people
// who share its address: the oldest, so that it is always the same one. The
// caller remembers the number.
func (p *push) chooseAmongShared(ctx context.Context, tasks []*task) {
	if len(tasks) == 0 || p.rest(tasks) {
		return
	}
	ids, err := p.c.idsByEmail(ctx, tasks)
	if err != nil {
		p.fail(tasks, err)
		return
	}
	for _, t := range tasks {
		if t.id = ids[strings.ToLower(t.email)]; t.id == "" {
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonConflict, Message: "several people at Marketo share the address, and none of them can be read"})
			continue
		}
		if !t.fresh {
			p.c.need(t, nil)
		}
	}
	p.prepareLate(ctx, slices.DeleteFunc(slices.Clone(tasks), isDone))
}

// idsByEmail finds the lowest number for each task's address.
func (c *Connector) idsByEmail(ctx context.Context, tasks []*task) (map[string]string, error) {
	var emails []string
	for _, t := range tasks {
		if email := strings.ToLower(t.email); !slices.Contains(emails, email) && addressable(email) {
			emails = append(emails, email)
		}
	}
	people, err := c.findLeads(ctx, "email", emails, []string{"id", "email"})
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, person := range people {
		email, _ := person["email"].(string)
		if email = strings.ToLower(email); ids[email] == "" {
			ids[email] = leadID(person)
		}
	}
	return ids, nil
}

// chunk is one call's people.
type chunk struct {
	tasks []*task
	input []map[string]any
	keys  map[string]bool
	bytes int
}

// chunks shares tasks out over calls. No call names anybody twice, since
// Marketo would make two people of a new address.
func (p *push) chunks(by string, tasks []*task) []*chunk {
	var all []*chunk
	for _, t := range tasks {
		if t.done {
			continue
		}
		key, input := strings.ToLower(t.email), p.input(t)
		input[byAddress] = t.email
		if by == byNumber {
			delete(input, byAddress)
			key, input[byNumber] = t.id, json.Number(t.id)
		}
		text, err := json.Marshal(input)
		if err != nil {
			t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonInvalid, Message: "a trait cannot be written as JSON"})
			continue
		}
		at := slices.IndexFunc(all, func(c *chunk) bool {
			return !c.keys[key] && len(c.tasks) < maxBatch && c.bytes+len(text) < maxBatchBytes
		})
		if at < 0 {
			all, at = append(all, &chunk{keys: map[string]bool{}}), len(all)
		}
		c := all[at]
		c.tasks, c.input, c.bytes = append(c.tasks, t), append(c.input, input), c.bytes+len(text)+1
		c.keys[key] = true
	}
	return all
}

// input gives the fields of a task as Marketo takes them.
func (p *push) input(t *task) map[string]any {
	kinds := p.c.fields.kinds()
	input := make(map[string]any, len(t.fields)+1)
	for name, value := range t.fields {
		input[name] = fieldValue(kinds[name], value)
	}
	return input
}

// written lists the fields of a task that the log of changes will report.
func (c *Connector) written(t *task) []connectors.Field {
	if !c.poll {
		return nil
	}
	kinds := c.fields.kinds()
	var fields []connectors.Field
	for _, name := range c.changes {
		if value, ok := t.fields[name]; ok && t.id != "" {
			fields = append(fields, connectors.Field{Record: t.id, Name: name, Value: connectors.ValueText(fieldValue(kinds[name], value))})
		}
	}
	return fields
}
