package jobs_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// lab is a store with the processing on top of it and one connection, "crm",
// of an invented vendor.
type lab struct {
	t         testing.TB
	store     *store.Store
	registry  *jobs.Registry
	processor *jobs.Processor
	vendor    *labVendor
	eraser    connectors.Connector // opened in place of vendor when set
	now       time.Time
}

const labRules = `
rules:
  - { name: signup, type: signup, emit: { event: "Account:Created", identity: { user: body.user, email: body.email, anonymous: body.device }, traits: { company: body.company } } }
  - { name: news, type: news, emit: { event: "Newsletter:Subscribed", identity: { user: body.user, email: body.email, anonymous: body.device } } }
  - { name: demo, type: demo, emit: { event: "Demo:Requested", identity: { user: body.user, email: body.email, anonymous: body.device }, traits: { lead_score: body.score } } }
  - name: order
    type: order
    emit: { event: "Order:Completed", key: body.order, identity: { user: body.user, email: body.email, anonymous: body.device }, value: { amount: body.amount, currency: "'EUR'" } }
  - { name: employer, type: employer, emit: { event: "Contact:Updated", identity: { user: body.user, email: body.email }, traits: { account_id: body.group, company: body.company } } }
  - { name: merged, type: merged, emit: { event: "Identity:Merged", identity: { email: body.email, lab: body.records } } }
  - { name: praise, type: praise, emit: { event: "Review:Posted", identity: { user: body.user, email: body.email, anonymous: body.device } } }
  - name: bad
    type: bad
    emit: { event: "Order:Completed", identity: { email: body.email }, value: { amount: body.amount, currency: "'EUR'" } }
`

// labVendor keeps what is pushed to it.
type labVendor struct {
	mu    sync.Mutex
	takes string
	held  map[string]connectors.State // by e-mail
	calls int
	fail  func([]connectors.Update) ([]connectors.Result, error)
	// accounts by key, as they were pushed last; see accounts_push_test.go.
	accounts     map[string]connectors.AccountUpdate
	failAccounts func([]connectors.AccountUpdate) ([]connectors.Result, error)
}

func (v *labVendor) Descriptor() *connectors.Descriptor { return labDescriptor }
func (v *labVendor) Limits() connectors.Limits {
	return connectors.Limits{Batch: 50, Concurrency: 2, Takes: v.takes}
}
func (v *labVendor) Push(_ context.Context, updates []connectors.Update) ([]connectors.Result, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calls++
	if v.fail != nil {
		if r, err := v.fail(updates); r != nil || err != nil {
			return r, err
		}
	}
	results := make([]connectors.Result, len(updates))
	for i, u := range updates {
		if u.Email == "" {
			results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity}
			continue
		}
		v.held[u.Email] = u.Want
		results[i] = connectors.Result{Outcome: connectors.OK, Sent: len(u.Moves)}
	}
	return results, nil
}

var labDescriptor = &connectors.Descriptor{ID: "lab", Name: "Lab", Rules: []byte(labRules)}

func newLab(t testing.TB, s *store.Store) *lab {
	t.Helper()
	l := &lab{t: t, store: s, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), vendor: &labVendor{takes: connectors.TakesState, held: map[string]connectors.State{}}}
	vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
	if err != nil {
		t.Fatal(err)
	}
	classic, _ := plans.Source("classic")
	l.registry, err = jobs.NewRegistry(t.Context(), jobs.RegistryOptions{
		Store: s, Vault: vault, Instance: "lab", PublicURL: "http://lab.example.com", DefaultPlan: classic,
		Now: func() time.Time { return l.now },
		Catalog: []connectors.Vendor{{Descriptor: labDescriptor, Open: func(connectors.Config) (connectors.Connector, error) {
			if l.eraser != nil {
				return l.eraser, nil
			}
			return l.vendor, nil
		}}},
		Parse: func(file string, src []byte) (*lifecycle.Plan, error) {
			return lifecycle.ParsePlan(file, src, plans.Vocabulary())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.processor = &jobs.Processor{Store: s, Registry: l.registry, Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}
	return l
}

// connect adds a connection of the lab vendor.
func (l *lab) connect(id string, push connectors.PushConfig) {
	l.t.Helper()
	b, err := json.Marshal(push)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.store.SaveConnection(l.t.Context(), store.Connection{ID: id, Connector: "lab", Settings: "{}", Push: string(b)}, nil); err != nil {
		l.t.Fatal(err)
	}
	if err := l.registry.Refresh(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// setting changes the settings and the sealed secrets of a connection.
func (l *lab) setting(id, settings string, secrets []byte) {
	l.t.Helper()
	c, err := l.registry.Find(l.t.Context(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	row := c.Connection
	row.Settings, row.Secrets = settings, secrets
	if _, err := l.store.SaveConnection(l.t.Context(), row, nil); err != nil {
		l.t.Fatal(err)
	}
	if err := l.registry.Refresh(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// told is one raw event of a test.
type told struct {
	Type string
	At   time.Time
	Body string
}

// tell keeps raw events; equal ones are duplicates.
func (l *lab) tell(connection string, events ...told) store.Receipt {
	l.t.Helper()
	kept := make([]store.NewEvent, len(events))
	for i, e := range events {
		kept[i] = store.NewEvent{Dedupe: sha256.Sum256(fmt.Appendf(nil, "%s %d %s", e.Type, e.At.UnixMicro(), e.Body)), Type: e.Type, At: lifecycle.At(e.At), Body: []byte(e.Body)}
	}
	r, err := l.store.Append(connection, lifecycle.At(l.now), kept)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *lab) process() {
	l.t.Helper()
	for range 200 {
		if err := l.processor.Run(l.t.Context()); err != nil {
			l.t.Fatal(err)
		}
		due, err := l.store.DueNow(l.t.Context(), nil)
		if err != nil {
			l.t.Fatal(err)
		}
		if !due.Process {
			return
		}
	}
	l.t.Fatal("rows stay pending")
}

func (l *lab) person(key string) (*store.Person, *lifecycle.Profile) {
	l.t.Helper()
	p, err := l.store.PersonByKey(l.t.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		l.t.Fatal(err)
	}
	prof, err := lifecycle.DecodeProfile(p.State)
	if err != nil {
		l.t.Fatal(err)
	}
	return p, prof
}

// snapshot tells everything about everybody that the order of arrival must not
// change, by keys.
func (l *lab) snapshot() string {
	l.t.Helper()
	var all []string
	after := ""
	for {
		page, err := l.store.People(l.t.Context(), store.PeopleFilter{After: after, Limit: 200})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, p := range page.People {
			all = append(all, describe(l.t, p))
		}
		if page.Next == "" {
			break
		}
		after = page.Next
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func describe(t testing.TB, p *store.Person) string {
	t.Helper()
	prof, err := lifecycle.DecodeProfile(p.State)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s since %d path %s next %d seen %d-%d from %s traits %v segments %v contested %v facts", p.Keys, prof.Stage, prof.Since, prof.Path,
		prof.NextCheck, prof.FirstSeen, prof.LastSeen, prof.Source, prof.Values(), prof.Segments, p.Contested != 0)
	for f := range prof.Facts() {
		fmt.Fprintf(&b, " %s=%d/%d/%d/%v/%v", f.Name, f.Count, f.First, f.Last, f.Sums, f.Newest)
	}
	for v := range prof.Visits() {
		fmt.Fprintf(&b, " %v", v)
	}
	for l := range prof.Lifecycles() {
		fmt.Fprintf(&b, " in %s: %s since %d path %s since %d seen %d active %d %v", l.ID, l.Stage, l.Since, l.Path, l.PathSince, l.FirstSeen, l.LastActivity, slices.Collect(l.Visits()))
	}
	if p.Stage != prof.Stage || p.Since != prof.Since || p.NextCheck != prof.NextCheck {
		t.Errorf("columns and state differ: %+v", p)
	}
	return b.String()
}
