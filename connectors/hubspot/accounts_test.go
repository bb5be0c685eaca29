package hubspot

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// createsCompanies lets a push make companies.
func createsCompanies(c *connectors.Config) {
	c.Push.Accounts = &connectors.PushConfig{Enabled: true, Create: true}
}

func company(id, domain string, want connectors.State) connectors.AccountUpdate {
	return connectors.AccountUpdate{Key: "domain:" + domain, ID: id, Domain: domain, Want: want}
}

func mustPushAccounts(t testing.TB, c *Connector, updates ...connectors.AccountUpdate) []connectors.Result {
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

var clientState = connectors.State{Stage: "Client", Segments: []string{"large"}, Absent: []string{"quiet"}}

func TestAccountsReachCompanies(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	acme := sim.AddCompany(map[string]string{"domain": "Acme.example.com", "lifecyclestage": "lead"})
	older := sim.AddCompany(map[string]string{"domain": "twice.example.com"})
	sim.AddCompany(map[string]string{"domain": "twice.example.com"})
	byID := sim.AddCompany(map[string]string{"domain": "renamed.example.com"})
	gone := company("a5", "acme2.example.com", clientState)
	gone.VendorID = "999999999"
	there := sim.AddCompany(map[string]string{"domain": "acme2.example.com"})
	known := company("a6", "acme.example.org", clientState)
	known.Known = &clientState
	direct := company("a4", "", clientState)
	direct.VendorID = byID
	r := mustPushAccounts(t, c, company("a1", "acme.example.com", clientState), company("a2", "twice.example.com", clientState), company("a3", "nobody.example.com", clientState),
		direct, gone, known, connectors.AccountUpdate{ID: "a7", Want: clientState})
	for i, want := range []struct {
		outcome connectors.Outcome
		why     connectors.Reason
		id      string
	}{
		{connectors.OK, "", acme}, {connectors.OK, "", older}, {connectors.Skipped, connectors.ReasonNotInVendor, ""}, {connectors.OK, "", byID},
		{connectors.OK, "", there}, {connectors.OK, "", ""}, {connectors.Skipped, connectors.ReasonNoIdentity, ""},
	} {
		checkOutcome(t, r[i], want.outcome, want.why)
		if r[i].VendorID != want.id {
			t.Errorf("account %d is the company %q, want %q", i, r[i].VendorID, want.id)
		}
	}
	for _, id := range []string{acme, older, byID, there} {
		if have, _ := sim.Company(id); have[ownStageProperty] != "Client" || have[ownSegmentsProperty] != "large" {
			t.Errorf("the company %s holds %v", id, have)
		}
	}
	if have, _ := sim.Company(acme); have["lifecyclestage"] != "lead" {
		t.Error("HubSpot's own stage of a company was touched")
	}
	if sim.Companies() != 5 {
		t.Errorf("there are %d companies, want none made", sim.Companies())
	}
	// The next push knows the id, and sends what changed alone.
	next := company("a8", "acme.example.com", connectors.State{Stage: "Lost", Segments: []string{"large"}, Absent: []string{"quiet"}})
	next.VendorID, next.Known = acme, &clientState
	before := sim.Counts().Requests["POST /crm/v3/objects/{type}/search"]
	r = mustPushAccounts(t, c, next)
	if len(r[0].Written) != 1 || r[0].Written[0].Name != ownStageProperty || sim.Counts().Requests["POST /crm/v3/objects/{type}/search"] != before {
		t.Errorf("written %v", r[0].Written)
	}
}

func TestAccountsMakeCompanies(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, createsCompanies)
	sim.Refuse("bad.example.com", "Property values were not valid")
	named := company("n1", "new.example.com", clientState)
	named.Name = "New Ltd"
	r := mustPushAccounts(t, c, named, company("n2", "bad.example.com", clientState), company("n3", "other.example.com", clientState))
	checkOutcome(t, r[0], connectors.OK, "")
	checkOutcome(t, r[1], connectors.Permanent, connectors.ReasonInvalid)
	checkOutcome(t, r[2], connectors.OK, "")
	if have, _ := sim.Company(r[0].VendorID); have["name"] != "New Ltd" || have["domain"] != "new.example.com" || have[ownStageProperty] != "Client" {
		t.Errorf("made as %v with the id %q", have, r[0].VendorID)
	}
	if mustPushAccounts(t, c, named); sim.Companies() != 2 {
		t.Errorf("there are %d companies after pushing again", sim.Companies())
	}
}

// A company whose making was not answered may be there and not yet be found:
// the next try waits for the search to know it.
func TestAccountsWaitAfterALostAnswer(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, createsCompanies)
	sim.Fail(hubspotsim.Fault{Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/batch/create") }, Status: http.StatusBadGateway, After: true})
	_, err := c.PushAccounts(t.Context(), []connectors.AccountUpdate{company("l1", "lost.example.com", clientState)})
	failure := asPush(err)
	if failure == nil || !failure.Retryable || failure.RetryAfter < time.Minute {
		t.Fatalf("got %v", err)
	}
	if mustPushAccounts(t, c, company("l1", "lost.example.com", clientState)); sim.Companies() != 1 {
		t.Errorf("there are %d companies", sim.Companies())
	}
}

func TestAccountsFail(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusInternalServerError} {
		for _, path := range []string{"/search", "/batch/update", "/properties/"} {
			t.Run(fmt.Sprint(status, path), func(t *testing.T) {
				t.Parallel()
				c, sim := startAccount(t, hubspotsim.Options{})
				id := sim.AddCompany(map[string]string{"domain": "acme.example.com"})
				sim.Fail(hubspotsim.Fault{Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, path) }, Status: status})
				if _, err := c.PushAccounts(t.Context(), []connectors.AccountUpdate{company("f1", "acme.example.com", clientState)}); err == nil || asPush(err).Retryable != (status != http.StatusUnauthorized) {
					t.Errorf("got %v", err)
				}
				if have, _ := sim.Company(id); have[ownStageProperty] != "" {
					t.Errorf("written all the same: %v", have)
				}
				checkOutcome(t, mustPushAccounts(t, c, company("f1", "acme.example.com", clientState))[0], connectors.OK, "")
			})
		}
	}
	c := mustOpen(t, testConfig(withSecret(secretToken), func(c *connectors.Config) { c.Push.Enabled = false }))
	if _, err := c.PushAccounts(t.Context(), nil); asPush(err) == nil || asPush(err).Reason != connectors.ReasonSettings {
		t.Errorf("without a token: %v", err)
	}
}

// More companies than a page of the search holds are all found.
func TestAccountsOfOneBatchAreFound(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	var updates []connectors.AccountUpdate
	for i := range crmBatch {
		domain := fmt.Sprintf("d%d.example.com", i)
		for range 2 { // each twice, so that there are two pages
			sim.AddCompany(map[string]string{"domain": domain})
		}
		updates = append(updates, company(uniqueID(1, i), domain, connectors.State{Stage: "Client"}))
	}
	r := mustPushAccounts(t, c, updates...)
	if i := slices.IndexFunc(r, func(r connectors.Result) bool { return r.Outcome != connectors.OK }); i >= 0 {
		t.Errorf("account %d: %+v", i, r[i])
	}
	if n := sim.Counts().Requests["POST /crm/v3/objects/{type}/search"]; n != 2 {
		t.Errorf("%d searches, want one for each page", n)
	}
}
