package salesforce_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
)

func (v *vendor) account(website string) string {
	return v.Add(salesforcesim.Record{Object: "Account", Fields: map[string]any{"Name": "Acme", "Website": website}})
}

func account(domain, vendorID string) connectors.AccountUpdate {
	return connectors.AccountUpdate{Key: "domain:" + domain, ID: "a-" + domain, Domain: domain, VendorID: vendorID,
		Want: connectors.State{Stage: "Client", Segments: []string{"large", "new"}, Absent: []string{"quiet"}}}
}

func pushAccounts(t *testing.T, c *salesforce.Connector, updates ...connectors.AccountUpdate) []connectors.Result {
	t.Helper()
	results, err := c.PushAccounts(t.Context(), updates)
	if err != nil {
		t.Fatalf("push accounts: %v", err)
	}
	if len(results) != len(updates) {
		t.Fatalf("%d results for %d updates", len(results), len(updates))
	}
	return results
}

func TestAccountsAreFoundAndWritten(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	acme, bolt := v.account("https://www.Acme.example.com/"), v.account("bolt.example.com")
	first := v.account("http://twice.example.com")
	v.account("twice.example.com")
	other := v.account("elsewhere.example.com")
	gone := v.account("gone.example.com")
	v.Remove(gone)
	again := v.account("gone.example.com")
	known := account("acme.example.com", "")
	known.Known = &known.Want
	r := pushAccounts(t, c, account("acme.example.com", ""), account("bolt.example.com", ""), account("twice.example.com", ""), account("nobody.example.com", ""),
		account("", other), account("gone.example.com", gone), known, account("", ""), account("", gone))
	for i, want := range []struct{ outcome, id string }{
		{"ok", acme}, {"ok", bolt}, {"ok", first}, {"skipped not_in_vendor", ""}, {"ok", other}, {"ok", again}, {"ok", ""}, {"skipped no_identity", ""}, {"skipped not_in_vendor", ""},
	} {
		if outcome(r[i]) != want.outcome || r[i].VendorID != want.id {
			t.Errorf("account %d: %s with the id %q, want %+v", i, outcome(r[i]), r[i].VendorID, want)
		}
	}
	for _, id := range []string{acme, bolt, first, other, again} {
		if have := v.Get(id); have["SB_Stage__c"] != "Client" || have["SB_Segments__c"] != "large;new" {
			t.Errorf("%s holds %v", id, have)
		}
	}
}

// An account whose making was not answered is found by its external id, so it
// is made once.
func TestAccountsAreMadeOnce(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Accounts = &connectors.PushConfig{Enabled: true, Create: true} })
	named := account("new.example.com", "")
	named.Name = "New Ltd"
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		v.ServeHTTP(discard{http.Header{}}, r)
		reply(w, http.StatusServiceUnavailable, `[{"errorCode":"SERVER_UNAVAILABLE","message":"try later"}]`)
		return true
	})
	if _, err := c.PushAccounts(t.Context(), []connectors.AccountUpdate{named}); err == nil {
		t.Fatal("the lost answer is not told")
	}
	v.answer(nil)
	id := pushAccounts(t, c, named)[0].VendorID
	if have := v.Get(id); have["Name"] != "New Ltd" || have["Website"] != "new.example.com" || have["SB_Stage__c"] != "Client" {
		t.Errorf("%s holds %v", id, have)
	}
	group := connectors.AccountUpdate{Key: "group:crm:9", ID: "g", Domain: "new.example.com", Want: connectors.State{Stage: "Lost"}}
	if got := pushAccounts(t, c, group)[0].VendorID; got != id {
		t.Errorf("the same website is another record: %s and %s", id, got)
	}
}

// discard takes an answer that is lost on its way.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func TestAccountsFail(t *testing.T) {
	t.Parallel()
	c, v := start(t, nil)
	bad, good := v.account("bad.example.com"), v.account("good.example.com")
	v.Refuse("bad.example.com", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "no such stage")
	r := pushAccounts(t, c, account("bad.example.com", bad), account("good.example.com", good))
	if !strings.HasPrefix(outcome(r[0]), "permanent") || outcome(r[1]) != "ok" {
		t.Errorf("one refused row: %s and %s", outcome(r[0]), outcome(r[1]))
	}
	v.answer(func(w http.ResponseWriter, r *http.Request) bool {
		reply(w, http.StatusForbidden, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`)
		return true
	})
	if _, err := c.PushAccounts(t.Context(), []connectors.AccountUpdate{account("good.example.com", "")}); err == nil {
		t.Error("a spent quota is not told")
	}
}

func TestAccountFieldsAreMade(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) {
		cfg.Settings["create_fields"], cfg.Settings["permission_set"] = "true", "Stagebridge"
		cfg.Push.Accounts = &connectors.PushConfig{Enabled: true, Create: true}
	})
	v.Bare("Stagebridge")
	id := pushAccounts(t, c, account("new.example.com", ""))[0].VendorID
	if have := v.Get(id); have["SB_Stage__c"] != "Client" {
		t.Errorf("%s holds %v", id, have)
	}
	v.took()
	if pushAccounts(t, c, account("new.example.com", id)); len(v.took()) != 1 {
		t.Error("the fields are looked for again")
	}
}
