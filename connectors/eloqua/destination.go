package eloqua

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxBatch is how many people one Push brings. Whose number is not known is
// looked up first, one request each.
const maxBatch = 200

// Limits implements connectors.Destination. Twice a minute keeps a connection
// far below the 2,000 imports an hour that all of an instance's integrations
// share, however many lists change.
func (c *Connector) Limits() connectors.Limits {
	return connectors.Limits{Batch: maxBatch, Concurrency: 1, Rate: 2, Per: time.Minute, Takes: connectors.TakesState}
}

// Push implements connectors.Destination. Contacts are imported by number, new
// ones by address: one import for those who get the same fields, and one for
// each list that people are put on or taken off. What has become of them Poll
// tells when the syncs have ended.
func (c *Connector) Push(ctx context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	p := &push{c: c}
	for i := range updates {
		p.tasks = append(p.tasks, c.newTask(&updates[i]))
	}
	p.findContacts(ctx)
	p.keepApart()
	if p.away == nil {
		p.prepare(ctx)
	}
	p.importFields(ctx)
	p.importLists(ctx)
	if p.away != nil && !p.arrived && !p.settled() {
		return nil, p.away
	}
	all := make([]connectors.Result, len(p.tasks))
	for i, t := range p.tasks {
		all[i] = t.finish()
	}
	return all, nil
}

// push is the work of one Push.
type push struct {
	c       *Connector
	tasks   []*task
	mu      sync.Mutex
	away    *connectors.PushError // why the rest is not attempted
	arrived bool
}

// open lists the tasks that have no result yet.
func (p *push) open() []*task { return slices.DeleteFunc(slices.Clone(p.tasks), isDone) }

func isDone(t *task) bool { return t.done }

// settled reports whether somebody got an answer of their own.
func (p *push) settled() bool {
	return slices.ContainsFunc(p.tasks, func(t *task) bool {
		return t.done && t.result.Reason != p.away.Reason && t.result.Reason != connectors.ReasonNotDone
	})
}

// fail ends the tasks of a call that did not go through. Unless it was about
// what the call held, the rest of the batch is left for later.
func (p *push) fail(tasks []*task, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := failure(err)
	r := e.Result()
	if e.Reason == connectors.ReasonAuth && p.arrived {
		// Nobody is marked as refused because the password has changed.
		r.Outcome = connectors.Retry
	}
	for _, t := range tasks {
		t.end(r)
	}
	switch e.Reason {
	case connectors.ReasonInvalid, connectors.ReasonConflict, connectors.ReasonTooLarge:
		return // about what the call held
	}
	if p.away == nil {
		p.away = e
	}
}

// rest ends what is still open behind a failure of the whole, and reports
// whether there was one.
func (p *push) rest(tasks []*task) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away == nil {
		return false
	}
	for _, t := range tasks {
		t.end(connectors.Result{
			Outcome: connectors.Retry, Reason: connectors.ReasonNotDone,
			Message: "the batch ended early: " + string(p.away.Reason), Delay: p.away.RetryAfter,
		})
	}
	return true
}

// findContacts looks up the numbers that are not known, side by side. Whoever
// is not there and may be made gets everything.
func (p *push) findContacts(ctx context.Context) {
	queue := make(chan *task)
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for t := range queue {
				p.findContact(ctx, t)
			}
		})
	}
	for _, t := range p.open() {
		if t.id == "" {
			queue <- t
		}
	}
	close(queue)
	workers.Wait()
}

func (p *push) findContact(ctx context.Context, t *task) {
	if p.rest([]*task{t}) {
		return
	}
	found, err := p.c.findByEmail(ctx, t.email, "minimal")
	switch {
	case err != nil:
		p.fail([]*task{t}, err)
	case found != nil && idForm.MatchString(found.ID):
		t.id = found.ID
	case !p.c.cfg.Push.Create:
		t.end(notThere())
	default:
		p.c.need(t, nil)
		t.remove = nil // a new contact is on no list
	}
}

// keepApart leaves people for later who are the same contact as another one of
// the batch: an import refuses a record that it names twice.
func (p *push) keepApart() {
	seen := map[string]bool{}
	for _, t := range p.open() {
		column, value := t.key()
		if key := column + " " + strings.ToLower(value); !seen[key] {
			seen[key] = true
			continue
		}
		t.end(connectors.Result{Outcome: connectors.Retry, Reason: connectors.ReasonNotDone, Message: "somebody else of this batch is the same contact at Eloqua"})
	}
}

// findByEmail gives the contact of an address, nil where there is none.
// Addresses are unique at Eloqua.
func (c *Connector) findByEmail(ctx context.Context, email, depth string) (*contact, error) {
	var found elements[contact]
	// A quote would end the value; * stands for any characters, so what is found
	// is compared below.
	search := "emailAddress='" + strings.ReplaceAll(email, "'", "*") + "'"
	err := c.api.call(ctx, "find a contact", http.MethodGet, rest+"/data/contacts?"+query("search", search, "depth", depth, "count", "20"), nil, &found)
	if err != nil {
		return nil, err
	}
	for i := range found.Elements {
		if strings.EqualFold(strings.TrimSpace(found.Elements[i].Email), email) {
			return &found.Elements[i], nil
		}
	}
	return nil, nil
}

// importFields makes one import for all who get the same fields, known by the
// same column. A new contact without any fields is imported by its address.
func (p *push) importFields(ctx context.Context) {
	groups := map[string][]*task{}
	for _, t := range p.open() {
		column, _ := t.key()
		if len(t.fields) > 0 || column == columnEmail && len(t.add) == 0 {
			key := column + "\n" + strings.Join(t.columns(), "\n")
			groups[key] = append(groups[key], t)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		tasks := groups[key]
		if p.rest(tasks) {
			continue
		}
		d := p.c.definition(tasks[0], "Stagebridge: stage and traits")
		known := p.c.fields.all()
		var data []map[string]string
		for _, t := range tasks {
			row := map[string]string{}
			column, value := t.key()
			row[column] = value
			for i, name := range t.columns() {
				d.Fields[fieldColumn(i)] = known[strings.ToLower(name)].Statement
				row[fieldColumn(i)] = shortText(t.fields[name])
			}
			data = append(data, row)
		}
		p.send(ctx, tasks, d, data)
	}
}

// importLists makes one import for each list and direction, apart for contacts
// known by number and by address.
func (p *push) importLists(ctx context.Context) {
	type change struct {
		segment, action, column string
	}
	groups := map[change][]*task{}
	for _, t := range p.open() {
		column, _ := t.key()
		for _, s := range t.add {
			groups[change{s, "add", column}] = append(groups[change{s, "add", column}], t)
		}
		for _, s := range t.remove {
			groups[change{s, "remove", column}] = append(groups[change{s, "remove", column}], t)
		}
	}
	order := slices.Collect(maps.Keys(groups))
	slices.SortFunc(order, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.action, b.action), cmp.Compare(a.column, b.column))
	})
	for _, g := range order {
		tasks := slices.DeleteFunc(groups[g], isDone)
		if len(tasks) == 0 || p.rest(tasks) {
			continue
		}
		list, err := p.c.lists.find(ctx, p.c.listPrefix+g.segment, g.action == "add")
		switch {
		case err != nil:
			p.fail(tasks, err)
			continue
		case list == "" && g.action == "remove":
			continue // nobody is on a list that is not there
		case list == "":
			for _, t := range tasks {
				t.end(connectors.Result{Outcome: connectors.Permanent, Reason: connectors.ReasonSettings, Message: "Eloqua has no shared list " + p.c.listPrefix + g.segment + ", and create_fields is off"})
			}
			continue
		}
		d := p.c.definition(tasks[0], "Stagebridge: "+g.action+" "+p.c.listPrefix+g.segment)
		d.Actions = []syncAction{{Action: g.action, Destination: "{{ContactList[" + list + "]}}"}}
		var data []map[string]string
		for _, t := range tasks {
			column, value := t.key()
			data = append(data, map[string]string{column: value})
		}
		p.send(ctx, tasks, d, data)
	}
}

// definition is that of an import of contacts known as the task's is.
func (c *Connector) definition(t *task, name string) definition {
	column, _ := t.key()
	statement := statementID
	if column == columnEmail {
		statement = statementEmail
	}
	return definition{Name: name, Fields: map[string]string{column: statement}, Identifier: column}
}

// send makes one import and notes its sync with everybody in it.
func (p *push) send(ctx context.Context, tasks []*task, d definition, data []map[string]string) {
	sync, err := p.c.importContacts(ctx, d, data)
	if err != nil {
		if hasReason(err, connectors.ReasonSettings) {
			p.c.fields.forget()
			p.c.lists.forget()
		}
		p.fail(tasks, err)
		return
	}
	p.arrived = true
	for _, t := range tasks {
		t.jobs = append(t.jobs, sync)
	}
}

// fieldColumn names the column of a field in an import.
func fieldColumn(i int) string { return "field" + strconv.Itoa(i+1) }

// query writes names and values as a query.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q.Encode()
}
