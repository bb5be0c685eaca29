package connectortest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// AccountCase describes what a vendor does with pushes of accounts.
type AccountCase struct {
	Vendor connectors.Vendor
	// Config is that of Case. BaseURL names the setting that holds the address.
	Config  connectors.Config
	BaseURL string
	// Serve gives a vendor that holds a company for each domain, and tells what
	// it holds of one later on: how many companies there are of the domain, and
	// the stage and segments of the first.
	Serve func(t testing.TB, domains ...string) (http.Handler, func(domain string) (companies int, stage string, segments []string))

	// Done is what a push that was taken ends as; zero is OK.
	Done connectors.Outcome
	// NotThere is what every account ends as where a push may make none, for a
	// vendor that cannot be kept from it, and NotThereWhy says so.
	NotThere    connectors.Result
	NotThereWhy string
	// VendorID gives the id that the vendor knows the company of a domain by,
	// where it can be found by nothing else; such a vendor makes none. Nil:
	// companies are found by domain.
	VendorID func(domain string) string
}

// accountLab is a vendor under the suite.
type accountLab struct {
	AccountCase
	dest connectors.AccountDestination
	held func(string) (int, string, []string)
	// status is answered to every request while it is not zero.
	status   atomic.Int64
	requests atomic.Int64
	secrets  []string
}

// RunAccounts holds an AccountDestination against the contract: what is there
// is written, what is not is made only where the push may, once; a failure is
// nobody's success; no secret is in any error.
func RunAccounts(t *testing.T, c AccountCase) {
	t.Helper()
	t.Run("limits", func(t *testing.T) {
		if l := c.open(t, false).dest.AccountLimits(); l.Batch < 1 || l.Concurrency < 1 || l.Takes != connectors.TakesState {
			t.Errorf("limits are %+v", l)
		}
	})
	if c.Done == "" {
		c.Done = connectors.OK
	}
	free := c.NotThere.Outcome != ""
	t.Run("there", func(t *testing.T) { c.open(t, free, "acme.example.com", "bolt.example.com").there(t) })
	t.Run("not there", func(t *testing.T) { c.open(t, false, "acme.example.com").notThere(t) })
	t.Run("made once", func(t *testing.T) {
		if c.VendorID != nil {
			t.Skip("the vendor knows companies by their id only")
		}
		c.open(t, true).madeOnce(t)
	})
	c.failures(t)
}

// failures are answers that are nobody's success.
func (c AccountCase) failures(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint("status ", status), func(t *testing.T) { c.open(t, true, "acme.example.com").fails(t, status) })
	}
}

// open starts the vendor and opens a connection to it.
func (c AccountCase) open(t *testing.T, create bool, domains ...string) *accountLab {
	t.Helper()
	l := &accountLab{AccountCase: c}
	handler, held := c.Serve(t, domains...)
	l.held = held
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.requests.Add(1)
		if status := l.status.Load(); status != 0 {
			w.WriteHeader(int(status))
			fmt.Fprintf(w, `{"message":"no: %s"}`, strings.Join(l.secrets, " "))
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	cfg := Case{Vendor: c.Vendor, Config: c.Config}.fill()
	settings := map[string]string{}
	for name, value := range cfg.Settings {
		settings[name] = value
	}
	settings[c.BaseURL] = server.URL
	cfg.Settings = settings
	cfg.Push = connectors.PushConfig{Enabled: true, Accounts: &connectors.PushConfig{Enabled: true, Create: create}}
	for _, values := range cfg.Secrets {
		for _, s := range values {
			l.secrets = append(l.secrets, s.Reveal())
		}
	}
	conn, err := c.Vendor.Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	dest, ok := conn.(connectors.AccountDestination)
	if !ok {
		t.Fatal("the connector takes no accounts")
	}
	l.dest = dest
	return l
}

func (c AccountCase) account(domain string) connectors.AccountUpdate {
	u := connectors.AccountUpdate{Key: "domain:" + domain, ID: "id-" + domain[:4], Domain: domain, Name: "Example",
		Want: connectors.State{Stage: "Client", Segments: []string{"large"}, Absent: []string{"quiet"}}}
	if c.VendorID != nil {
		u.VendorID = c.VendorID(domain)
	}
	return u
}

func (l *accountLab) push(t *testing.T, updates ...connectors.AccountUpdate) []connectors.Result {
	t.Helper()
	results, err := l.dest.PushAccounts(t.Context(), updates)
	if err != nil || len(results) != len(updates) {
		t.Fatalf("%d results for %d updates, error %v", len(results), len(updates), err)
	}
	return results
}

func (l *accountLab) there(t *testing.T) {
	acme, bolt := l.account("acme.example.com"), l.account("bolt.example.com")
	for range 2 { // the same again is harmless
		for i, r := range l.push(t, acme, bolt) {
			if r.Outcome != l.Done || r.Outcome == connectors.OK && r.VendorID == "" {
				t.Errorf("account %d: %+v", i, r)
			}
		}
		if n, stage, segments := l.held(acme.Domain); n != 1 || stage != "Client" || len(segments) != 1 || segments[0] != "large" {
			t.Errorf("the vendor holds %d companies, the first with %q and %v", n, stage, segments)
		}
	}
	before := l.requests.Load()
	acme.Known = &acme.Want
	if r := l.push(t, acme); r[0].Outcome != connectors.OK || l.requests.Load() != before {
		t.Errorf("what is known already makes %d requests: %+v", l.requests.Load()-before, r[0])
	}
	bolt.Want = connectors.State{Stage: "Lost", Absent: []string{"large", "quiet"}}
	l.push(t, bolt)
	if _, stage, segments := l.held(bolt.Domain); stage != "Lost" || len(segments) != 0 {
		t.Errorf("after a change the vendor holds %q and %v", stage, segments)
	}
}

func (l *accountLab) notThere(t *testing.T) {
	none := l.account("none.example.com")
	nobody := connectors.AccountUpdate{Key: "trait:tenant:1", ID: "id-nobody", Want: none.Want}
	want, neighbour := connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor}, connectors.Result{Outcome: l.Done}
	switch {
	case l.VendorID != nil: // by domain alone it is nobody's
		none.VendorID = ""
		want.Reason = connectors.ReasonNoIdentity
	case l.NotThere.Outcome != "":
		want, neighbour = l.NotThere, l.NotThere
	}
	r := l.push(t, none, l.account("acme.example.com"), nobody)
	if r[0].Outcome != want.Outcome || r[0].Reason != want.Reason {
		t.Errorf("one that is not there: %+v", r[0])
	}
	if r[1].Outcome != neighbour.Outcome || r[1].Reason != neighbour.Reason {
		t.Errorf("its neighbour: %+v", r[1])
	}
	if r[2].Outcome != connectors.Skipped || r[2].Reason != connectors.ReasonNoIdentity {
		t.Errorf("one without domain and id: %+v", r[2])
	}
	if n, _, _ := l.held(none.Domain); n != 0 {
		t.Error("a company was made although the push makes none")
	}
}

func (l *accountLab) madeOnce(t *testing.T) {
	fresh := l.account("new1.example.com")
	for range 2 {
		if r := l.push(t, fresh); r[0].Outcome != l.Done {
			t.Fatalf("%+v", r[0])
		}
		if n, stage, _ := l.held(fresh.Domain); n != 1 || stage != "Client" {
			t.Fatalf("%d companies are there, the first with the stage %q", n, stage)
		}
	}
}

func (l *accountLab) fails(t *testing.T, status int) {
	l.status.Store(int64(status))
	results, err := l.dest.PushAccounts(t.Context(), []connectors.AccountUpdate{l.account("acme.example.com"), l.account("new1.example.com")})
	words := fmt.Sprint(err)
	for i, r := range results {
		words += r.Message
		if r.Outcome == l.Done || r.Outcome == connectors.OK || r.Outcome == connectors.Skipped {
			t.Errorf("account %d: %+v", i, r)
		}
	}
	var failure *connectors.PushError
	if err != nil && !errors.As(err, &failure) {
		t.Errorf("the error is no *PushError: %v", err)
	}
	if _, again := connectors.Classify(status); failure != nil && failure.Retryable != again {
		t.Errorf("worth another try: %v, want %v: %v", failure.Retryable, again, err)
	}
	for _, s := range l.secrets {
		if strings.Contains(words, s) {
			t.Errorf("a secret is in %q", words)
		}
	}
	l.status.Store(0)
	if r := l.push(t, l.account("acme.example.com")); r[0].Outcome != l.Done {
		t.Errorf("after it was mended: %+v", r[0])
	}
}
