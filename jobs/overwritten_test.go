package jobs_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const claimingRules = `
rules:
  - { name: signup, type: signup, emit: { event: "Account:Created", identity: { email: body.email, crm: body.id } } }
  - { name: order, type: order, emit: { event: "Order:Completed", identity: { email: body.email }, traits: { company: body.company } } }
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", identity: { email: body.email }, stage: body.stage } }
  - { name: company, type: company, emit: { event: "Contact:Updated", identity: { email: body.email }, traits: { company: body.company } } }
`

// claimLab is a vendor that people also change by hand.
type claimLab struct {
	*lab
	pusher *jobs.Pusher
	told   int
	calls  int
}

func newClaimLab(t *testing.T, s *store.Store, push connectors.PushConfig, plan string) *claimLab {
	l := &claimLab{lab: newLab(t, s)}
	l.now = time.Now()
	l.vendor.fail = func(updates []connectors.Update) ([]connectors.Result, error) {
		results := make([]connectors.Result, len(updates))
		for i, u := range updates {
			l.calls++
			l.vendor.held[u.Email] = u.Want
			results[i] = connectors.Result{Outcome: connectors.OK, VendorID: "r-" + u.Email}
			for name, value := range map[string]string{"stage": u.Want.Stage, "company": fmt.Sprint(u.Want.Traits["company"])} {
				results[i].Written = append(results[i].Written, connectors.Field{Record: "7", Name: name, Value: value})
			}
		}
		return results, nil
	}
	if plan != "" {
		if _, err := s.PublishPlan(t.Context(), 0, store.Versioned{Source: plan}); err != nil {
			t.Fatal(err)
		}
	}
	l.connect("crm", push)
	if _, err := s.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: claimingRules}); err != nil {
		t.Fatal(err)
	}
	if err := l.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.pusher = &jobs.Pusher{Store: s, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	return l
}

// hear takes in one webhook, which may name the field that was changed.
func (l *claimLab) hear(kind, body string, at time.Time, written ...connectors.Field) {
	l.t.Helper()
	l.told++
	e := store.NewEvent{Dedupe: sha256.Sum256(fmt.Append(nil, l.told)), Type: kind, At: lifecycle.At(at), Body: []byte(body)}
	if len(written) > 0 {
		b, err := json.Marshal(jobs.Meta{Written: written})
		if err != nil {
			l.t.Fatal(err)
		}
		e.Meta = string(b)
	}
	if _, err := l.store.Append("crm", lifecycle.At(time.Now()), []store.NewEvent{e}); err != nil {
		l.t.Fatal(err)
	}
	l.now = time.Now()
	l.process()
}

// push sends what is due and gives how many updates the vendor got, and what is
// known of the one person.
func (l *claimLab) push() (int, store.Sync) {
	l.t.Helper()
	before := l.calls
	if err := l.pusher.Send(l.t.Context(), "crm"); err != nil {
		l.t.Fatal(err)
	}
	page, err := l.store.SyncList(l.t.Context(), store.SyncFilter{Connections: []string{"crm"}})
	if err != nil || len(page.Rows) != 1 {
		l.t.Fatalf("%d rows, %v", len(page.Rows), err)
	}
	return l.calls - before, page.Rows[0]
}

const claimedAnn = "ann@example.com"

func TestALosingClaimIsOverwritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newClaimLab(t, s, connectors.PushConfig{Enabled: true, Stages: map[string]string{"Subscriber": "sub", "Customer": "cust"}}, "")
		l.hear("signup", `{"email":"ann@example.com"}`, time.Now().Add(-time.Minute))
		l.hear("order", `{"email":"ann@example.com"}`, time.Now())
		if n, x := l.push(); n != 1 || x.State != store.SyncSynced || l.vendor.held[claimedAnn].Stage != "cust" {
			t.Fatalf("%d updates, %+v, %+v", n, x, l.vendor.held)
		}
		claim := `{"email":"ann@example.com","stage":"Subscriber"}`
		l.hear("claim", `{"email":"ann@example.com","stage":"Customer"}`, time.Now())
		if n, _ := l.push(); n != 0 {
			t.Errorf("a claim that agrees is answered by %d updates", n)
		}
		l.hear("claim", claim, time.Now().Add(-time.Hour))
		if n, _ := l.push(); n != 0 {
			t.Errorf("a claim from before the push is answered by %d updates", n)
		}
		for i := range store.MostFlips {
			l.hear("claim", claim, time.Now())
			if n, x := l.push(); n != 1 || x.State != store.SyncSynced || l.vendor.held[claimedAnn].Stage != "cust" {
				t.Fatalf("claim %d: %d updates, %+v, %+v", i, n, x, l.vendor.held)
			}
		}
		l.hear("claim", claim, time.Now())
		n, x := l.push()
		if n != 0 || x.State != store.SyncFailed || x.Reason != store.ReasonFlipping || x.Message == "" || x.Due.Time().Before(time.Now().Add(23*time.Hour)) {
			t.Fatalf("after too many: %d updates, %+v", n, x)
		}
		// Neither one more nor a change of ours wakes it; somebody does.
		l.hear("claim", claim, time.Now())
		l.hear("signup", `{"email":"ann@example.com","id":"9"}`, time.Now())
		if n, again := l.push(); n != 0 || again.State != store.SyncFailed || again.Due != x.Due {
			t.Fatalf("while it rests: %d updates, %+v", n, again)
		}
		admin := &jobs.Admin{Registry: l.registry}
		if n, err := admin.RetrySync(t.Context(), store.SyncFilter{Reason: store.ReasonFlipping}, false); err != nil || n != 1 {
			t.Fatalf("retry: %d, %v", n, err)
		}
		if n, x := l.push(); n != 1 || x.State != store.SyncSynced || x.Reason != "" {
			t.Errorf("after the retry: %d updates, %+v", n, x)
		}
		l.hear("claim", claim, time.Now())
		if n, x := l.push(); n != 1 || x.State != store.SyncSynced {
			t.Errorf("counting does not begin anew: %d updates, %+v", n, x)
		}
	})
}

func TestAClaimThatWinsIsNotOverwritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newClaimLab(t, s, connectors.PushConfig{Enabled: true}, `
name: claims
stages: [ { name: Lead }, { name: Customer, when: 'seen("Order:Completed")' } ]
claims: { crm: hold }
`)
		l.hear("order", `{"email":"ann@example.com"}`, time.Now())
		l.push()
		for range 2 * store.MostFlips {
			l.hear("claim", `{"email":"ann@example.com","stage":"Lead"}`, time.Now())
			l.hear("claim", `{"email":"ann@example.com","stage":"Customer"}`, time.Now())
		}
		if n, x := l.push(); n > 1 || x.State != store.SyncSynced || x.Reason != "" {
			t.Errorf("%d updates, %+v", n, x)
		}
	})
}

func TestAFieldThatIsChangedThere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newClaimLab(t, s, connectors.PushConfig{Enabled: true, Traits: map[string]string{"company": "company"}}, "")
		l.hear("signup", `{"email":"ann@example.com","id":"7"}`, time.Now())
		l.hear("order", `{"email":"ann@example.com","company":"Acme"}`, time.Now())
		l.push()
		for _, c := range []struct {
			name, kind, body string
			field            connectors.Field
			pushes           int
		}{
			{"a field of ours, which no rule reads", "unknown", `{}`, connectors.Field{Record: "7", Name: "stage", Value: "Lead"}, 1},
			{"another field", "unknown", `{}`, connectors.Field{Record: "7", Name: "colour", Value: "red"}, 0},
			{"another field, with a claim", "claim", `{"email":"ann@example.com","stage":"Subscriber"}`, connectors.Field{Record: "7", Name: "native_stage", Value: "Subscriber"}, 0},
			{"a field of ours, with a claim", "claim", `{"email":"ann@example.com","stage":"Subscriber"}`, connectors.Field{Record: "7", Name: "stage", Value: "Subscriber"}, 1},
			{"to what it is to be", "unknown", `{}`, connectors.Field{Record: "ann@example.com", Name: "company", Value: "Acme"}, 0},
			{"by the address", "unknown", `{}`, connectors.Field{Record: "Ann@example.com", Name: "company", Value: "Globex"}, 1},
			{"a trait that we take over", "company", `{"email":"ann@example.com","company":"Initech"}`, connectors.Field{Record: "7", Name: "company", Value: "Initech"}, 1},
			{"somebody unknown", "unknown", `{}`, connectors.Field{Record: "8", Name: "stage", Value: "Lead"}, 0},
			{"our own write", "unknown", `{}`, connectors.Field{Record: "7", Name: "stage", Value: "Customer"}, 0},
		} {
			l.hear(c.kind, c.body, time.Now(), c.field)
			if n, x := l.push(); n != c.pushes || x.State != store.SyncSynced {
				t.Errorf("%s: %d updates, want %d, %+v", c.name, n, c.pushes, x)
			}
		}
		if l.vendor.held[claimedAnn].Stage != "Customer" || l.vendor.held[claimedAnn].Traits["company"] != "Initech" {
			t.Errorf("in the end the vendor holds %+v", l.vendor.held[claimedAnn])
		}
	})
}
