package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

var _ connectors.AccountDestination = (*labVendor)(nil)

func (v *labVendor) AccountLimits() connectors.Limits {
	return connectors.Limits{Batch: 3, Concurrency: 1, Takes: connectors.TakesState}
}

func (v *labVendor) PushAccounts(_ context.Context, updates []connectors.AccountUpdate) ([]connectors.Result, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failAccounts != nil {
		if r, err := v.failAccounts(updates); r != nil || err != nil {
			return r, err
		}
	}
	results := make([]connectors.Result, len(updates))
	for i, u := range updates {
		if v.accounts == nil {
			v.accounts = map[string]connectors.AccountUpdate{}
		}
		v.accounts[u.Key] = u
		results[i] = connectors.Result{Outcome: connectors.OK, VendorID: "v-" + u.Key}
	}
	return results, nil
}

// told describes what the vendor was last told of each account.
func (l *lab) toldAccounts() map[string]string {
	l.vendor.mu.Lock()
	defer l.vendor.mu.Unlock()
	all := map[string]string{}
	for key, u := range l.vendor.accounts {
		all[key] = fmt.Sprintf("%s %v -%v domain %s name %s id %s", u.Want.Stage, u.Want.Segments, u.Want.Absent, u.Domain, u.Name, u.VendorID)
	}
	return all
}

func (l *lab) push(id string) error {
	l.t.Helper()
	p := &jobs.Pusher{Store: l.store, Registry: l.registry, Limiter: jobs.NewLimiter(nil), Breakers: &jobs.Breakers{},
		Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}
	return p.Send(l.t.Context(), id)
}

func (l *lab) accountState(key string) store.AccountSync {
	l.t.Helper()
	all, err := l.store.AccountSyncOf(l.t.Context(), []string{key})
	if err != nil {
		l.t.Fatal(err)
	}
	if len(all[key]) != 1 {
		l.t.Fatalf("%s stands at %d connections", key, len(all[key]))
	}
	return all[key][0]
}

// TestAccountsArePushed: each account reaches the vendor as it is, only what
// changed is sent again, and failures are kept and tried again as for people.
func TestAccountsArePushed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.now = time.Now() // due times are those of the database
		l.put(accountsPlan)
		l.connect("crm", connectors.PushConfig{Enabled: true, Segments: "none", Accounts: &connectors.PushConfig{Enabled: true, Stages: map[string]string{"Client": "won", "Known": "new"}}})
		at := l.now.Add(-48 * time.Hour)
		for i := range 7 {
			l.tell("crm", told{"employer", at, fmt.Sprintf(`{"user":"u%d","email":"p%d@d%d.example.com","company":"Co %d"}`, i, i, i, i)})
		}
		l.tell("crm", told{"employer", at, `{"user":"g","email":"g@d0.example.com","group":"77"}`})
		l.process()
		if err := l.push("crm"); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"group:crm:77": "new [] -[client_without_news two_or_more] domain d0.example.com name  id 77"}
		for i := range 7 {
			want[fmt.Sprintf("domain:d%d.example.com", i)] = fmt.Sprintf("new [] -[client_without_news two_or_more] domain d%d.example.com name Co %d id ", i, i)
		}
		if diff := cmp.Diff(want, l.toldAccounts()); diff != "" {
			t.Fatal(diff)
		}
		x := l.accountState("domain:d3.example.com")
		if x.State != store.SyncSynced || x.VendorID != "v-domain:d3.example.com" || x.Due != 0 || x.Pushed == 0 {
			t.Errorf("after the push: %+v", x)
		}

		// Only who changed is told again, with the id that the vendor gave.
		l.vendor.accounts = nil
		l.tell("crm", told{"order", at.Add(time.Hour), `{"user":"u3","order":"o1","amount":"400.00"}`}, told{"order", at.Add(time.Hour), `{"user":"u4","order":"o2","amount":"1.00"}`})
		l.process()
		if err := l.push("crm"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"domain:d3.example.com": "won [client_without_news] -[two_or_more] domain d3.example.com name Co 3 id v-domain:d3.example.com"}, l.toldAccounts()); diff != "" {
			t.Error(diff)
		}
		l.failToPush()
	})
}

// failToPush goes through the failures: one that passes, one for good, and one
// bad row among good ones.
func (l *lab) failToPush() {
	l.t.Helper()
	at := l.now.Add(-24 * time.Hour)
	l.vendor.accounts = nil
	l.vendor.failAccounts = func(u []connectors.AccountUpdate) ([]connectors.Result, error) {
		return nil, &connectors.PushError{Reason: connectors.ReasonServer, Retryable: true, Message: "on fire", Act: "lab"}
	}
	l.tell("crm", told{"order", at, `{"user":"u1","order":"o3","amount":"500.00"}`}, told{"order", at, `{"user":"u2","order":"o4","amount":"500.00"}`})
	l.process()
	if err := l.push("crm"); err == nil {
		l.t.Error("the vendor's failure is not told")
	}
	x := l.accountState("domain:d1.example.com")
	// On a busy machine its next try may have come already.
	if x.State != store.SyncPending || x.Attempts < 1 || x.Known != "" || x.Reason != string(connectors.ReasonServer) || x.Due.Time().Before(l.now) {
		l.t.Errorf("after a failure that passes: %+v", x)
	}
	admin := &jobs.Admin{Registry: l.registry}
	l.vendor.failAccounts = func(u []connectors.AccountUpdate) ([]connectors.Result, error) {
		for _, x := range u {
			if strings.HasSuffix(x.Key, "d1.example.com") {
				return nil, &connectors.PushError{Reason: connectors.ReasonInvalid, Message: "no such name", Act: "lab"}
			}
		}
		return nil, nil
	}
	if _, err := admin.Resync(l.t.Context(), "crm"); err != nil {
		l.t.Fatal(err)
	}
	if err := l.push("crm"); err != nil {
		l.t.Errorf("one bad account: %v", err)
	}
	if got := l.toldAccounts(); len(got) != 7 || !strings.HasPrefix(got["domain:d2.example.com"], "won") {
		l.t.Errorf("the others did not arrive: %v", got)
	}
	if x = l.accountState("domain:d1.example.com"); x.State != store.SyncFailed || x.Message != "no such name" || x.Due != 0 {
		l.t.Errorf("after a refusal: %+v", x)
	}
	l.vendor.failAccounts = nil
	if n, err := admin.RetryAccounts(l.t.Context(), "crm", "", true); n != 1 || err != nil {
		l.t.Errorf("%d would be tried again, %v", n, err)
	}
	if n, err := admin.RetryAccounts(l.t.Context(), "", store.SyncFailed, false); n != 1 || err != nil {
		l.t.Errorf("%d are tried again, %v", n, err)
	}
	if err := l.push("crm"); err != nil {
		l.t.Error(err)
	}
	if x = l.accountState("domain:d1.example.com"); x.State != store.SyncSynced {
		l.t.Errorf("after it was mended: %+v", x)
	}
}
