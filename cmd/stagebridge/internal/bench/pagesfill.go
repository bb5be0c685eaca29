package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// PagesPlan is the plan that people of the pages are under: about a third of
// them are quiet customers.
const PagesPlan = `name: pages
stages:
  - { name: Visit }
  - { name: Subscriber, when: 'seen("Lead:Created")' }
  - { name: Qualified Lead, when: 'seen("Lead:Contacted") || seen("Deal:Created")' }
  - { name: Customer, when: 'seen("Order:Completed") || seen("Deal:Won") || seen("Subscription:Started")' }
  - { name: Retained Customer, when: 'count("Order:Completed") >= 2 || seen("Subscription:Renewed")' }
  - { name: Churned, side: true, from: [Customer, Retained Customer], when: 'seen("Subscription:Canceled")' }
segments:
  quiet: 'inactive("60d") && (seen("Order:Completed") || seen("Deal:Won"))'
  recent: within("Order:Completed", "30d")
  asked: seen("Ticket:Opened")
accounts:
  by: [domain]
  stages:
    - { name: Known }
    - { name: Client, when: 'any(was("Customer"))' }
`

// PagesRules are the mapping rules of one of the connections.
const PagesRules = `rules:
  - name: order
    type: Order:Completed
    emit: { event: "Order:Completed", key: body.data.reference, identity: { email: body.data.email, user: body.data.user_id }, value: { amount: body.data.amount, currency: body.data.currency } }
`

// PagesSize is how much is stored before pages are opened.
type PagesSize struct {
	// People, Rows of the inbox, and Connections, of which the last few are told
	// of everybody.
	People, Rows, Connections int
}

// The parts of the stored that are larger than usual.
const (
	pagesSinks   = 3      // connections that are told of everybody
	longLife     = 10_000 // events of the person with the longest past
	crowded      = 500    // people of the raw event with the most
	pagesAudit   = 100_000
	pagesWork    = 200
	waitingRows  = 2_000 // of the inbox, not processed yet
	peoplePerTx  = 5_000
	failedEvery  = 101 // raw events and pushes: every so many failed
	ignoredEvery = 23
)

// Check says what is too small to be measured.
func (z PagesSize) Check() error {
	if z.People < crowded || z.Rows < z.People || z.Rows < 2*waitingRows || z.Connections < 10 {
		return fmt.Errorf("at least %d people, as many rows and %d, and 10 connections", crowded, 2*waitingRows)
	}
	return nil
}

// Sink tells whether a connection is told of everybody.
func (z PagesSize) Sink(id string) bool { return strings.HasPrefix(id, "tool-") }

// IDs of the connections: first those that tell most, last the sinks.
func (z PagesSize) IDs() []string {
	all := []string{"site", "crm", "shop", "billing", "desk", "survey"}
	for i := len(all); i < z.Connections-pagesSinks; i++ {
		all = append(all, fmt.Sprintf("source-%02d", i+1))
	}
	for i := range pagesSinks {
		all = append(all, fmt.Sprintf("tool-%d", i+1))
	}
	return all
}

// Longest is the person with the longest past, Crowded the raw event with the
// most people.
func (z PagesSize) longest() lifecycle.ProfileID { return lifecycle.ProfileID(z.People) }
func (z PagesSize) crowded() int64               { return int64(z.Rows - waitingRows) }

// perPerson is how many raw events tell of one person.
func (z PagesSize) perPerson() int { return z.Rows / z.People }

// LoadPages puts what does not depend on a plan into an empty database: the
// inbox with its outcomes, what is known at the sinks, the audit log and long
// work that is over.
func LoadPages(ctx context.Context, o store.Options, z PagesSize, now time.Time, told func(format string, args ...any)) error {
	tables, schema, err := tablesOf(ctx)
	if err != nil {
		return err
	}
	f := &pagesRows{z: z, now: lifecycle.At(now), ids: z.IDs(), counts: map[string]map[string]int64{}}
	return store.Load(ctx, o, schema, func(l *store.Loader) error {
		for _, part := range []struct {
			table string
			rows  int
			row   func(i int) map[string]any
		}{
			{"inbox", z.Rows, f.inbox}, {"outcomes", z.Rows - waitingRows, f.outcome}, {"pending", waitingRows, f.pending},
			{"sync", pagesSinks * z.People, f.sync}, {"audit", pagesAudit, f.audit}, {"work", pagesWork, f.work},
			{"sequences", 3, f.sequence},
		} {
			t, ok := tables[part.table]
			if !ok {
				return fmt.Errorf("bench: there is no table %s any more", part.table)
			}
			began, i := time.Now(), 0
			_, err := l.Table(ctx, t, func() ([]any, error) {
				if i == part.rows {
					return nil, io.EOF
				}
				if i%500_000 == 0 && i > 0 {
					told("%s: %d of %d rows, %.0f a second", part.table, i, part.rows, float64(i)/time.Since(began).Seconds())
				}
				i++
				return inOrder(t, part.row(i-1))
			})
			if err != nil {
				return err
			}
		}
		return f.loadCounts(ctx, l, tables["counters"])
	})
}

// inOrder brings a row into the order of its table's columns.
func inOrder(t store.DumpTable, row map[string]any) ([]any, error) {
	values := make([]any, len(t.Columns))
	for i, name := range t.Columns {
		v, ok := row[name]
		if !ok {
			return nil, fmt.Errorf("bench: table %s has the column %s, which pagesfill.go does not know", t.Name, name)
		}
		values[i] = v
	}
	return values, nil
}

// tablesOf gives the tables of the newest schema, from a database that is
// thrown away.
func tablesOf(ctx context.Context) (map[string]store.DumpTable, int64, error) {
	dir, err := os.MkdirTemp("", "stagebridge-bench")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return nil, 0, err
	}
	schema, err := s.Schema(ctx)
	all := map[string]store.DumpTable{}
	if err == nil {
		err = s.Snapshot(ctx, func(n *store.Snapshot) error {
			tables, err := n.Tables(ctx)
			for _, t := range tables {
				all[t.Name] = t
			}
			return err
		})
	}
	return all, schema, errors.Join(err, s.Close())
}

// pagesRows makes the rows that LoadPages stores.
type pagesRows struct {
	z      PagesSize
	now    lifecycle.Instant
	ids    []string
	counts map[string]map[string]int64 // by connection and name

	person int // whose life is at hand
	life   []lifecycle.Event
}

func (f *pagesRows) count(connection, name string) {
	if f.counts[connection] == nil {
		f.counts[connection] = map[string]int64{}
	}
	f.counts[connection][name]++
}

// received spreads the inbox over half a year.
func (f *pagesRows) received(i int) int64 {
	back := 180 * 24 * time.Hour
	return int64(f.now.Add(-back + time.Duration(float64(back)*float64(i)/float64(f.z.Rows))))
}

// source gives whose raw event the row i is, and the canonical event that it
// became; nil where it told of something that no rule takes.
func (f *pagesRows) source(i int) (connection string, person int, e *lifecycle.Event) {
	person = min(i/f.z.perPerson()+1, f.z.People)
	if f.person != person {
		f.person, f.life = person, life(int64(person), f.now)
	}
	if k := i % f.z.perPerson(); k < len(f.life) && i%ignoredEvery != 0 {
		return f.life[k].Connection, person, &f.life[k]
	}
	return f.ids[i%(len(f.ids)-pagesSinks)], person, nil
}

func (f *pagesRows) inbox(i int) map[string]any {
	connection, person, e := f.source(i)
	kind, body := "page.viewed", fmt.Appendf(nil, `{"type":"page.viewed","data":{"user_id":"u%d","path":"/pricing/%d"}}`, person, i%400)
	if e != nil {
		kind = string(e.Name)
		body = fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":{"user_id":"u%d","email":"person%d@example.com","reference":"r%d","amount":"%d.50","currency":"EUR"}}`,
			e.Name, e.At.Time().Format(time.RFC3339), person, person, i, i%500)
	}
	at := f.received(i)
	sum := sha256.Sum256(fmt.Append(nil, i))
	return map[string]any{"id": int64(i + 1), "connection": connection, "dedupe": sum[:16], "type": kind, "flag": int64(0),
		"received_at": at, "event_at": at, "meta": "", "body": body}
}

func (f *pagesRows) outcome(i int) map[string]any {
	connection, _, e := f.source(i)
	status, step, reason, detail, rule := store.Done, "", "", "", "event"
	switch {
	case i%failedEvery == 0:
		status, step, reason, detail, rule = store.Failed, "map", "expression", fmt.Sprintf("rules.yaml:%d:9: body.data.amount is no amount", 3+i%20), ""
	case i%997 == 0:
		status, step, reason, rule = store.Quarantined, "identify", "no_identity", ""
	case e == nil:
		status, step, reason, rule = store.Ignored, "map", "unmatched", ""
	}
	f.count(connection, store.StatusName(status))
	return map[string]any{"id": int64(i + 1), "connection": connection, "status": status, "step": step, "reason": reason, "detail": detail,
		"rule": rule, "at": f.received(i) + 1_000_000}
}

func (f *pagesRows) pending(i int) map[string]any {
	return map[string]any{"lane": "", "next_try": int64(0), "id": int64(f.z.Rows - waitingRows + i + 1), "attempts": int64(0), "reason": ""}
}

func (f *pagesRows) sync(i int) map[string]any {
	connection, person := f.ids[len(f.ids)-pagesSinks+i/f.z.People], i%f.z.People+1
	row := map[string]any{"connection": connection, "person": int64(person), "version": int64(2), "state": store.SyncSynced, "due_at": int64(0),
		"lease": int64(0), "attempts": int64(0), "sent": int64(0), "reason": "", "message": "", "vendor_id": fmt.Sprint("v", person), "job": "",
		"pushed_at": int64(f.now) - int64(person), "known": `{"stage":"Customer","segments":["quiet"]}`, "flips": int64(0), "flips_at": int64(0)}
	switch {
	case person%failedEvery == 0:
		row["state"], row["reason"], row["attempts"] = store.SyncFailed, []string{"rejected", "rate_limit", "unavailable"}[person/failedEvery%3], int64(8)
		row["message"] = fmt.Sprintf("the field plan_%d does not exist", person/failedEvery%40)
	case person%37 == 0:
		row["state"], row["due_at"] = store.SyncPending, int64(f.now)+int64(person)
	case person%211 == 0:
		row["state"], row["reason"] = store.SyncSkipped, "not_in_vendor"
	}
	return row
}

func (f *pagesRows) audit(i int) map[string]any {
	return map[string]any{"at": int64(f.now.Add(-time.Duration(pagesAudit-i) * time.Minute)), "id": fmt.Sprintf("audit-%07d", i),
		"author": fmt.Sprint("user-", i%20), "address": "192.0.2.7", "request": fmt.Sprint("request-", i), "action": []string{"connection.change", "rules.publish", "user.login"}[i%3],
		"subject": "connection:" + f.ids[i%len(f.ids)], "before": `{"paused":false,"rules":3}`, "after": `{"paused":true,"rules":4}`}
}

func (f *pagesRows) work(i int) map[string]any {
	at := int64(f.now.Add(-time.Duration(pagesWork-i) * time.Hour))
	return map[string]any{"id": int64(i + 1), "kind": "replay:inbox", "subject": fmt.Sprint("filter ", i), "state": string(store.WorkDone), "args": "{}", "place": "",
		"done": int64(5_000), "total": int64(5_000), "rate": 900.0, "attempts": int64(0), "cancel": int64(0), "owner": "", "lease": int64(0), "result": `{"rows":5000}`,
		"error": "", "author": "admin", "reason": "", "created_at": at, "started_at": at, "updated_at": at, "finished_at": at + 60_000_000}
}

// sequence says from which id on new people, raw events and work are numbered.
func (f *pagesRows) sequence(i int) map[string]any {
	name := []string{"profiles", "inbox", "work"}[i]
	next := map[string]int{"profiles": f.z.People, "inbox": f.z.Rows, "work": pagesWork}[name]
	return map[string]any{"name": name, "next": int64(next + 1)}
}

func (f *pagesRows) loadCounts(ctx context.Context, l *store.Loader, t store.DumpTable) error {
	var rows []map[string]any
	for connection, names := range f.counts {
		names["duplicates"], names["rejected:bad signature"], names["rejected"] = 1_234, 12, 12
		for name, n := range names {
			rows = append(rows, map[string]any{"connection": connection, "name": name, "value": n})
		}
	}
	i := 0
	_, err := l.Table(ctx, t, func() ([]any, error) {
		if i == len(rows) {
			return nil, io.EOF
		}
		i++
		return inOrder(t, rows[i-1])
	})
	return err
}

// pagesWorkers is how many processors derive people while one connection writes.
func pagesWorkers() int { return max(1, runtime.GOMAXPROCS(0)) }
