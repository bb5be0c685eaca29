package jobs_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// labEraser makes the lab's vendor one that can be asked.
type labEraser struct {
	*labVendor
	asked []connectors.Update
	fail  error
	reply connectors.Erased
}

func (v *labEraser) Erase(_ context.Context, who connectors.Update) (*connectors.Erased, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = append(v.asked, who)
	if v.fail != nil {
		return nil, v.fail
	}
	reply := v.reply
	return &reply, nil
}

const erasePlan = `
name: companies
stages:
  - { name: Visit }
  - { name: Lead, when: 'seen("Demo:Requested")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
segments:
  buyers: 'seen("Order:Completed")'
lifecycles:
  school:
    stages:
      - { name: Stranger }
      - { name: Pupil, when: 'seen("Order:Completed")' }
accounts:
  by: [domain]
  stages:
    - { name: Known }
    - { name: Client, when: 'any(stage == "Customer")' }
`

const eraseRules = `
rules:
  - { name: seen, type: seen, emit: { event: "Page:Viewed", identity: { anonymous: body.device } } }
  - { name: signup, type: signup, emit: { event: "Account:Created", identity: { user: body.user, email: body.email, anonymous: body.device, lab: body.record }, traits: { full_name: body.name } } }
  - { name: demo, type: demo, emit: { event: "Demo:Requested", identity: { email: body.email } } }
  - { name: order, type: order, emit: { event: "Order:Completed", key: body.order, identity: { email: body.email }, value: { amount: body.amount, currency: "'EUR'" } } }
  - { name: bad, type: bad, emit: { event: "Order:Completed", identity: { email: body.email }, value: { amount: body.amount, currency: "'EUR'" } } }
  - { name: gone, type: gone, emit: { event: "Contact:Deleted", identity: { email: body.email } } }
  - { name: forget, type: forget, emit: { event: "Privacy:ErasureRequested", identity: { email: body.email } } }
  - name: batch
    type: batch
    each: body.people
    emit: { event: "Demo:Requested", identity: { email: item.email } }
`

// eraseLab is a lab with two connections, of which one's vendor can be asked.
func eraseLab(t testing.TB, s *store.Store) (*lab, *labEraser, *jobs.Admin, *jobs.Works) {
	t.Helper()
	l := newLab(t, s)
	v := &labEraser{labVendor: l.vendor, reply: connectors.Erased{Outcome: connectors.OK, Proof: "request 4711"}}
	l.eraser = v
	l.connect("crm", connectors.PushConfig{Enabled: true, Traits: map[string]string{"name": "full_name"}})
	l.rules("crm", eraseRules)
	l.put(erasePlan)
	works := jobs.NewWorks(s, func() time.Time { return l.now }, nil)
	works.Add(jobs.SummariesKind(s, l.registry, func() time.Time { return l.now }))
	if _, err := works.StartSummaries(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	l.work(works)
	works.Add((&jobs.Eraser{Processor: l.processor}).Kind())
	return l, v, &jobs.Admin{Registry: l.registry, Works: works}, works
}

// erase has a person erased and waits until it is done.
func (l *lab) erase(a *jobs.Admin, works *jobs.Works, key, reason string) *store.Erasure {
	l.t.Helper()
	p, _ := l.person(key)
	if p == nil {
		l.t.Fatalf("nobody has %s", key)
	}
	e, fresh, err := a.OpenErasure(l.t.Context(), p.ID, reason, "bo")
	if err != nil || !fresh {
		l.t.Fatal(e, fresh, err)
	}
	if _, err := a.ConfirmErasure(l.t.Context(), e.ID, "bo"); err != nil {
		l.t.Fatal(err)
	}
	l.work(works)
	return l.erasure(e.ID)
}

func (l *lab) work(works *jobs.Works) {
	l.t.Helper()
	if err := works.Run(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	all, err := l.store.Works(l.t.Context(), store.WorkFilter{})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, w := range all {
		if w.State.Live() || w.State == store.WorkFailed {
			l.t.Fatalf("work %s is %s: %s", w.Kind, w.State, w.Error)
		}
	}
}

func (l *lab) erasure(id int64) *store.Erasure {
	l.t.Helper()
	e, err := l.store.Erasure(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return e
}

func (l *lab) askVendors(connection string) error {
	p := &jobs.Pusher{Store: l.store, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{},
		Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}
	return p.Erase(l.t.Context(), connection)
}

// dump gives every row of every table that holds one of the values, by table.
func (l *lab) dump(values [][]byte) map[string][]string {
	l.t.Helper()
	found := map[string][]string{}
	err := l.store.Snapshot(l.t.Context(), func(n *store.Snapshot) error {
		tables, err := n.Tables(l.t.Context())
		for _, table := range tables {
			if err != nil {
				break
			}
			found[table.Name] = nil
			err = n.EachRow(l.t.Context(), table, func(row []any) error {
				var text []byte
				for _, v := range row {
					switch x := v.(type) {
					case []byte:
						text = append(append(text, x...), ' ')
					default:
						text = fmt.Appendf(text, "%v ", v)
					}
				}
				if slices.ContainsFunc(values, func(v []byte) bool {
					return bytes.Contains(bytes.ToLower(text), bytes.ToLower(v)) || bytes.Contains(text, v)
				}) {
					found[table.Name] = append(found[table.Name], fmt.Sprintf("%.300q", text))
				}
				return nil
			})
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return found
}

// forms of a value under which it might lie somewhere.
func forms(values ...string) [][]byte {
	var all [][]byte
	for _, v := range values {
		sum, old := sha256.Sum256([]byte(v)), md5.Sum([]byte(v))
		all = append(all, []byte(v), sum[:], []byte(hex.EncodeToString(sum[:])), old[:], []byte(hex.EncodeToString(old[:])),
			[]byte(base64.StdEncoding.EncodeToString([]byte(v))), []byte(strings.ReplaceAll(v, "@", "%40")), []byte(strings.ReplaceAll(v, "@", `\u0040`)))
	}
	return all
}

// eraseTables says of every table whether a person may stand in it: "person"
// where the test puts one, else why none does. A new table has to be put here,
// and where a person stands in it, to be seen to by the erasure.
var eraseTables = map[string]string{
	"inbox": "person", "outcomes": "person", "records": "person", "keys": "person", "profiles": "person", "events": "person",
	"transitions": "by number", "memberships": "by number", "merges": "by number", "homes": "by number", "conflicts": "by number", "account_people": "by number", "account_moves": "by number",
	"refusals": "person", "reviews": "person", "sync": "person", "audit": "person", "work": "person", "rejections": "person", "account_sync": "person",
	"erasures": "person", "certificates": "sealed, and only until the vendor has answered",
	"pending": "numbers of raw events", "accounts": "companies", "ledger": "hashes, for a day", "violations": "numbers of raw events", "counters": "sums",
	"state": "of the installation", "sequences": "numbers", "connections": "set by people who work here", "rules": "written by people who work here",
	"plans": "written by people who work here", "users": "people who work here", "tokens": "people who work here", "managed_segments": "names of segments",
	"written_fields": "names of fields", "erased": "keyed hashes", "standings": "by number", "arrivals": "sums", "deliveries": "sums", "reads": "names of fields",
	"notices": "of connections; vendors' words are searched",
}

// byNumber are the columns that name a person where a table does so by number.
var byNumber = map[string]string{"standings": "person", "transitions": "person", "memberships": "person", "merges": "survivor", "homes": "person", "conflicts": "person", "account_people": "person", "account_moves": "person",
	"events": "person", "sync": "person", "keys": "person"}

// TestErasedEverywhere puts a person into every table that can hold one, erases
// them, and looks through a dump of everything.
func TestErasedEverywhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, v, admin, works := eraseLab(t, s)
		const email, name, user, device, record = "anna.nimmermehr@example.com", "Anna Nimmermehr", "u-anna-7731", "dev-77f3a1c2", "rec-ab12cd34"
		at := l.now.Add(-48 * time.Hour)
		person := fmt.Sprintf(`"user":%q,"email":%q,"device":%q,"name":%q,"record":%q`, user, email, device, name, record)
		seen := `{"device":"` + device + `"}` // so often that they stay where they are when the two people become one
		l.tell("crm", told{"seen", at.Add(-time.Hour), seen}, told{"seen", at.Add(-50 * time.Minute), seen}, told{"seen", at.Add(-40 * time.Minute), seen},
			told{"demo", at.Add(-time.Hour), `{"email":"` + email + `"}`}, told{"demo", at.Add(-2 * time.Hour), `{"email":"` + email + `"}`}, told{"demo", at.Add(-3 * time.Hour), `{"email":"` + email + `"}`})
		l.process()
		l.tell("crm", told{"signup", at, "{" + person + "}"}, told{"order", at.Add(time.Hour), `{"email":"` + email + `","order":"o1","amount":"120"}`},
			told{"signup", at.Add(2 * time.Hour), `{"user":"u-other-5555","email":"` + email + `"}`}, // contested
			told{"bad", at, `{"email":"` + email + `","amount":"many"}`},
			told{"unheard-of", at, `to=` + strings.ReplaceAll(email, "@", "%40") + `&name=Anna+Nimmermehr`},
			told{"unheard-of", at, `{"to":"` + strings.ReplaceAll(email, "@", `\u0040`) + `"}`},
			told{"batch", at.Add(3 * time.Hour), `{"people":[{"email":"` + email + `"},{"email":"carl@example.com"}]}`})
		if _, err := s.Append("crm", lifecycle.At(l.now), []store.NewEvent{{Dedupe: sha256.Sum256([]byte("broken")), Type: "signup", Flag: store.FlagBroken, At: lifecycle.At(at),
			Meta: `{"broken":"not JSON: ` + email + `"}`, Body: []byte("<p>" + email + "</p>")}}); err != nil {
			t.Fatal(err)
		}
		l.process()
		v.labVendor.fail = func(all []connectors.Update) ([]connectors.Result, error) {
			results := make([]connectors.Result, len(all))
			for i, u := range all {
				results[i] = connectors.Result{Outcome: connectors.OK}
				if u.Email != email {
					continue
				}
				results[i] = connectors.Result{Outcome: connectors.Unconfirmed, VendorID: record, Message: "took " + u.Email, Written: []connectors.Field{{Record: record, Name: "stage", Value: "Customer"}}}
			}
			return results, nil
		}
		if err := l.push("crm"); err != nil {
			t.Fatal(err)
		}
		who, _ := l.person("email:" + email)
		l.plant(who, email)
		carl, _ := l.person("email:carl@example.com")

		ids := []int64{int64(who.ID)}
		merged, err := s.MergedInto(ctx, who.ID, 10)
		for _, m := range merged {
			ids = append(ids, int64(m.Loser))
		}
		if err != nil || len(ids) != 2 {
			t.Fatal(ids, err)
		}
		values := forms(email, "nimmermehr", name, user, device, record)
		before := l.dump(values)
		for table := range before {
			switch kind := eraseTables[table]; {
			case kind == "":
				t.Errorf("table %s is new: say in eraseTables whether it holds people, and have the erasure see to it", table)
			case kind == "person" && table != "erasures" && len(before[table]) == 0:
				t.Errorf("the test puts nobody into %s, which holds people", table)
			case kind == "by number" && l.numbered(table, ids) == 0:
				t.Errorf("the test puts nobody into %s, which names people by number", table)
			}
		}

		e := l.erase(admin, works, "email:"+email, "asked by "+email)
		if e.State != store.ErasureDone || !strings.Contains(e.Result, `"people":2`) {
			t.Fatalf("%+v", e)
		}
		for table, rows := range l.dump(values) {
			for _, row := range rows {
				t.Errorf("%s still holds %s", table, row)
			}
		}
		for table := range byNumber {
			if n := l.numbered(table, ids); n > 0 {
				t.Errorf("%d rows of %s still name one of %v", n, table, ids)
			}
		}
		if still, _ := l.person("email:carl@example.com"); still == nil || still.ID != carl.ID {
			t.Errorf("somebody else of the same payload is gone: %+v", still)
		}
		if waiting, _, err := s.ChangesWaiting(ctx); err != nil || waiting > 0 {
			t.Errorf("%d changes wait, %v", waiting, err)
		}

		// The vendor is asked with what it knows the person by, and answers.
		if err := l.askVendors("crm"); err != nil {
			t.Fatal(err)
		}
		if len(v.asked) != 1 || v.asked[0].Email != email || v.asked[0].VendorID != record {
			t.Errorf("asked for %+v", v.asked)
		}
		certs, err := s.Certificates(ctx, []int64{e.ID})
		if err != nil || len(certs[e.ID]) != 1 || certs[e.ID][0].State != store.CertificateErased || certs[e.ID][0].Proof != "request 4711" || certs[e.ID][0].Who != nil {
			t.Errorf("%+v, %v", certs, err)
		}

		// What comes again of before is kept out and leaves nothing, what comes
		// of after makes a new person, and only that.
		l.tell("crm", told{"demo", at.Add(5 * time.Hour), `{"email":"` + email + `","again":1}`}, told{"bad", at, `{"email":"` + email + `","amount":"much"}`},
			told{"gone", l.now.Add(time.Minute), `{"email":"` + email + `"}`})
		l.process()
		for table, rows := range l.dump(values) {
			if len(rows) > 0 {
				t.Errorf("%s holds again %s", table, rows)
			}
		}
		l.now = l.now.Add(time.Hour)
		l.tell("crm", told{"demo", l.now, `{"email":"` + email + `"}`})
		l.process()
		if p, prof := l.person("email:" + email); p == nil || p.ID == who.ID || prof.Stage != "Lead" || len(p.Keys) != 1 {
			t.Errorf("afterwards: %+v", p)
		}
	})
}

// numbered counts the rows of a table that name a person by number.
func (l *lab) numbered(table string, ids []int64) int {
	l.t.Helper()
	n := 0
	err := l.store.Snapshot(l.t.Context(), func(s *store.Snapshot) error {
		tables, err := s.Tables(l.t.Context())
		for _, x := range tables {
			if err != nil || x.Name != table {
				continue
			}
			column := slices.Index(x.Columns, byNumber[table])
			err = s.EachRow(l.t.Context(), x, func(row []any) error {
				if id, ok := row[column].(int64); ok && slices.Contains(ids, id) {
					n++
				}
				return nil
			})
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// plant writes what only rare ways lead to.
func (l *lab) plant(who *store.Person, email string) {
	l.t.Helper()
	ctx, s := l.t.Context(), l.store
	admin := &jobs.Admin{Registry: l.registry}
	if err := admin.Pin(ctx, who.ID, jobs.PinInput{Stage: "Customer", Reason: "Anna Nimmermehr said so", Author: "bo"}); err != nil {
		l.t.Fatal(err)
	}
	page, err := s.Reviews(ctx, store.ReviewFilter{})
	if err != nil || len(page.Items) == 0 {
		l.t.Fatal("no reviews", err)
	}
	r := page.Items[0]
	for _, err := range []error{
		admin.Reject(ctx, r.Event, parse([]string{r.Key})[0], "two people", "bo"),
		s.NoteAudit(ctx, "person.decide", "identity", nil, map[string]any{"keys": []string{"email:" + email}}),
		s.Durable(ctx, func(t *store.Tx) error {
			row := l.rowOf(who.ID)
			if err := t.NoteRecordsTx(ctx, []int64{row}, [][]byte{[]byte(`{"email":"` + email + `"}`)}, []lifecycle.Instant{1}); err != nil {
				return err
			}
			if err := t.WantAccountsTx(ctx, []string{"crm"}, []string{"example.com"}, 1); err != nil {
				return err
			}
			return t.ChangeConflictsTx(ctx, []store.Conflict{{Person: who.ID, Conflict: lifecycle.Conflict{At: 1, Connection: "crm", Stage: "Lead", Reason: "x", Won: "Customer"}}}, nil)
		}),
	} {
		if err != nil {
			l.t.Fatal(err)
		}
	}
	leased, err := s.LeaseAccounts(ctx, "crm", 1, lifecycle.At(time.Now().Add(time.Hour)))
	if err != nil || len(leased) != 1 {
		l.t.Fatal(leased, err)
	}
	back := store.AccountWriteBack{AccountSync: leased[0].AccountSync}
	back.State, back.Message = store.SyncFailed, "no account of "+email
	if err := s.WriteBackAccounts(ctx, []store.AccountWriteBack{back}, nil); err != nil {
		l.t.Fatal(err)
	}
	s.NoteRejection("crm", store.Rejection{At: 1, Reason: "malformed", Detail: "no such address: " + email})
	if err := s.FlushRejections(ctx); err != nil {
		l.t.Fatal(err)
	}
	works := jobs.NewWorks(s, nil, nil)
	works.Add(jobs.WorkKind{Name: "look", Run: func(context.Context, *jobs.Task) (any, error) { return map[string]string{"sample": email}, nil }})
	if _, _, err := works.Start(ctx, "look", "", map[string]string{"who": email}, "bo", "for "+email); err != nil {
		l.t.Fatal(err)
	}
	l.work(works)
}

// rowOf gives a raw event of a person.
func (l *lab) rowOf(id lifecycle.ProfileID) int64 {
	l.t.Helper()
	all, err := l.store.PeopleByID(l.t.Context(), []lifecycle.ProfileID{id})
	if err != nil || len(all) == 0 {
		l.t.Fatal(err)
	}
	for _, e := range all[0].Events {
		if e.Inbox > 0 {
			return e.Inbox
		}
	}
	return 0
}

// TestErasureNeedsAnExplicitRequest: that a record was deleted opens nothing,
// that a person asked does, once; where the connection is set so the erasure
// follows by itself, but never where no secret proves the sender.
func TestErasureNeedsAnExplicitRequest(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	l, _, admin, works := eraseLab(t, s)
	states := func() []string {
		all, err := s.Erasures(t.Context(), store.ErasureFilter{})
		if err != nil {
			t.Fatal(err)
		}
		texts := []string{}
		for _, e := range all {
			texts = append(texts, fmt.Sprintf("%s %s %v %s", e.State, e.Connection, e.Event != lifecycle.EventID{}, e.DecidedBy))
		}
		return texts
	}
	at := l.now.Add(-time.Hour)
	l.tell("crm", told{"demo", at, `{"email":"ann@example.com"}`}, told{"gone", at.Add(time.Minute), `{"email":"ann@example.com"}`})
	l.process()
	if got := states(); len(got) != 0 {
		t.Errorf("a deleted record opened %v", got)
	}
	l.tell("crm", told{"forget", at.Add(2 * time.Minute), `{"email":"ann@example.com"}`}, told{"forget", at.Add(3 * time.Minute), `{"email":"ann@example.com"}`})
	l.process()
	l.replayAll()
	l.process()
	if diff := cmp.Diff([]string{"open crm true "}, states()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	l.work(works)
	if p, _ := l.person("email:ann@example.com"); p == nil {
		t.Fatal("erased before anybody confirmed it")
	}
	all, _ := s.Erasures(t.Context(), store.ErasureFilter{State: store.ErasureOpen})
	if err := admin.RejectErasure(t.Context(), all[0].ID, "bo"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ConfirmErasure(t.Context(), all[0].ID, "bo"); err == nil {
		t.Error("what was rejected was confirmed")
	}

	l.setting("crm", `{"erasures":"automatic"}`, nil)
	l.tell("crm", told{"forget", at.Add(4 * time.Minute), `{"email":"ann@example.com"}`})
	l.process()
	if got := states(); got[0] != "open crm true " {
		t.Errorf("without a secret: %v", got)
	}
	if all, err := s.Erasures(t.Context(), store.ErasureFilter{State: store.ErasureOpen}); err != nil || admin.RejectErasure(t.Context(), all[0].ID, "bo") != nil {
		t.Fatal(err)
	}
	l.setting("crm", `{"erasures":"automatic"}`, []byte{1})
	l.tell("crm", told{"forget", at.Add(5 * time.Minute), `{"email":"ann@example.com"}`})
	l.process()
	if got := states(); got[0] != "confirmed crm true automatic, by the setting of connection crm" {
		t.Errorf("with a secret: %v", got)
	}
}
