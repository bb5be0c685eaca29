package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func lookup(kind, id string) connectors.Lookup {
	return connectors.Lookup{Type: kind, Body: []byte(`{"subscriptionType":"` + kind + `","objectId":` + id + `}`)}
}

// flatRecord decodes a record; nil for one that is gone.
func flatRecord(t *testing.T, r connectors.Record) map[string]any {
	t.Helper()
	if r.Err != nil {
		t.Fatalf("record: %v", r.Err)
	}
	if r.JSON == nil {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(r.JSON, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// emails lists the addresses of a record's people.
func emails(m map[string]any) []string {
	var all []string
	for _, p := range m["contacts"].([]any) {
		email, _ := p.(map[string]any)["email"].(string)
		all = append(all, email)
	}
	return all
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com", "firstname": "Ann", "company": "Acme", "lifecyclestage": "lead"})
	bob := sim.AddContact(map[string]string{"email": "bob@example.com"})
	old := sim.AddContact(map[string]string{"email": "ann.old@example.com"})
	sim.Merge(ann, old)
	deal := sim.AddDeal(map[string]string{"dealname": "Big", "amount": "1200.50", "deal_currency_code": "USD", "dealstage": "closedwon"}, ann, bob)
	plain := sim.AddDeal(map[string]string{"amount": "7"})
	ticket := sim.AddTicket(map[string]string{"subject": "Help"}, bob)
	company := sim.AddCompany(map[string]string{"name": "Acme", "domain": "example.com"}, ann)
	association := connectors.Lookup{Type: "deal.associationChange", Body: fmt.Appendf(nil, `{"associationType":"DEAL_TO_CONTACT","fromObjectId":%s,"toObjectId":%s}`, deal, ann)}
	generic := connectors.Lookup{Type: "object.propertyChange", Body: fmt.Appendf(nil, `{"objectTypeId":"0-1","objectId":%s}`, bob)}
	workflow := connectors.Lookup{Type: "workflow.contact", Body: fmt.Appendf(nil, `{"vid":%s}`, ann)}

	records, err := c.Enrich(t.Context(), []connectors.Lookup{
		lookup("contact.creation", ann), lookup("contact.propertyChange", ann), lookup("contact.propertyChange", old),
		lookup("contact.creation", "123456"), lookup("deal.creation", deal), lookup("deal.creation", plain),
		lookup("ticket.creation", ticket), lookup("company.creation", company), association, generic, workflow,
		{Type: "contact.creation", Body: []byte("{")},
	})
	if err != nil {
		t.Fatalf("enrich: %v", err)
	}
	at := lifecycle.At(testNow)
	for i, want := range []struct {
		id     string
		emails []string
		more   map[string]any
	}{
		{ann, []string{"ann@example.com"}, map[string]any{"firstname": "Ann", "company": "Acme", "email": "ann@example.com", "lifecyclestage": "lead"}},
		{ann, []string{"ann@example.com"}, nil},
		{ann, []string{"ann@example.com"}, nil}, // the merged one answers with the survivor
		{},
		{deal, []string{"ann@example.com", "bob@example.com"}, map[string]any{"amount": "1200.50", "currency": "USD", "dealname": "Big"}},
		{plain, nil, map[string]any{"amount": "7", "currency": "EUR"}}, // the account's currency
		{ticket, []string{"bob@example.com"}, map[string]any{"subject": "Help"}},
		{company, []string{"ann@example.com"}, map[string]any{"name": "Acme"}},
		{deal, []string{"ann@example.com", "bob@example.com"}, nil},
		{bob, []string{"bob@example.com"}, nil},
		{ann, []string{"ann@example.com"}, nil},
		{},
	} {
		m := flatRecord(t, records[i])
		if want.id == "" {
			if m != nil {
				t.Errorf("record %d is %v, want it gone", i, m)
			}
			continue
		}
		if m == nil || m["id"] != want.id {
			t.Errorf("record %d is %v, want id %s", i, m, want.id)
			continue
		}
		if diff := cmp.Diff(want.emails, emails(m)); diff != "" {
			t.Errorf("record %d: people (-want +got):\n%s", i, diff)
		}
		for name, value := range want.more {
			if m[name] != value {
				t.Errorf("record %d: %s is %v, want %v", i, name, m[name], value)
			}
		}
		if records[i].ModifiedAt != at {
			t.Errorf("record %d: modified at %v, want %v", i, records[i].ModifiedAt.Time(), at.Time())
		}
	}
	// Deals, tickets and companies with their associations, contacts, account:
	// each once, however many lookups name them.
	want := map[string]int{
		"POST /crm/v3/objects/{type}/batch/read": 4, "POST /crm/v4/associations/{from}/contacts/batch/read": 3,
		"GET /account-info/v3/details": 1,
	}
	if diff := cmp.Diff(want, sim.Counts().Requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestEnrichInBatchesOfHundred(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	var lookups []connectors.Lookup
	for i := range 250 {
		lookups = append(lookups, lookup("contact.creation", sim.AddContact(map[string]string{"email": fmt.Sprintf("p%d@example.com", i)})))
	}
	records, err := c.Enrich(t.Context(), lookups)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		if got := flatRecord(t, r)["email"]; got != fmt.Sprintf("p%d@example.com", i) {
			t.Errorf("record %d is %v", i, got)
		}
	}
	if n := sim.Counts().Requests["POST /crm/v3/objects/{type}/batch/read"]; n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
}

// Long lists of associations come in pages and are cut at a bound.
func TestEnrichManyContacts(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	var contacts []string
	for i := range maxContacts + 50 {
		contacts = append(contacts, sim.AddContact(map[string]string{"email": fmt.Sprintf("p%d@example.com", i)}))
	}
	some := sim.AddDeal(nil, contacts[:250]...)
	all := sim.AddDeal(nil, contacts...)
	records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("deal.creation", some), lookup("deal.creation", all)})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{250, maxContacts} {
		if got := len(emails(flatRecord(t, records[i]))); got != want {
			t.Errorf("record %d has %d people, want %d", i, got, want)
		}
	}
}

func route(part string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.Contains(r.URL.Path, part) }
}

// A kind that cannot be read does not hold the others up.
func TestEnrichPartly(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	ticket := sim.AddTicket(nil, ann)
	sim.Fail(hubspotsim.Fault{Match: route("objects/tickets"), Times: -1, Status: 403, Body: `{"status":"error","category":"MISSING_SCOPES","message":"This app hasn't been granted all required scopes"}`})
	records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("contact.creation", ann), lookup("ticket.creation", ticket)})
	if err != nil {
		t.Fatal(err)
	}
	if m := flatRecord(t, records[0]); m["email"] != "ann@example.com" {
		t.Errorf("the contact is %v", m)
	}
	if e := records[1].Err; e == nil || e.Reason != connectors.ReasonForbidden || !strings.Contains(e.Message, "scopes") {
		t.Errorf("the ticket's error is %v, want forbidden in HubSpot's words", e)
	}
}

func TestEnrichFails(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com"})
	for _, f := range failures {
		sim.Fail(hubspotsim.Fault{Status: f.status, Header: f.header, Body: f.body})
		records, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("contact.creation", ann)})
		if f.status == http.StatusNotFound {
			if err != nil || records[0].JSON != nil {
				t.Errorf("%s: %v, %v; want a record that is gone", f.name, records, err)
			}
			continue
		}
		checkFailure(t, f, err)
	}
	if _, err := c.Enrich(t.Context(), []connectors.Lookup{lookup("contact.creation", ann)}); err != nil {
		t.Errorf("after the failures: %v", err)
	}
	// The record of an id that is no number is asked for once and never again.
	records, err := c.Enrich(t.Context(), []connectors.Lookup{{Type: "contact.creation", Body: []byte(`{"objectId":"x/../y"}`)}})
	if err != nil || records[0].Err == nil || records[0].Err.Retryable {
		t.Errorf("a strange id gives %+v, %v; want a permanent error of its own", records, err)
	}
}

// failure is one way in which HubSpot refuses a whole call.
type failure struct {
	name      string
	status    int
	header    http.Header
	body      string
	reason    connectors.Reason
	retryable bool
	delay     time.Duration
}

// failures is the table of HubSpot's statuses.
var failures = []failure{
	{name: "400", status: 400, body: `{"status":"error","category":"VALIDATION_ERROR","message":"Invalid input JSON"}`, reason: connectors.ReasonInvalid},
	{name: "401", status: 401, body: `{"status":"error","category":"INVALID_AUTHENTICATION","message":"Authentication credentials not found"}`, reason: connectors.ReasonAuth},
	{name: "403", status: 403, body: `{"category":"MISSING_SCOPES","message":"scopes"}`, reason: connectors.ReasonForbidden},
	{name: "404", status: 404, reason: connectors.ReasonNotFound},
	{name: "409", status: 409, body: `{"category":"CONFLICT","message":"Contact already exists"}`, reason: connectors.ReasonConflict},
	{name: "413", status: 413, reason: connectors.ReasonTooLarge},
	{name: "414", status: 414, reason: connectors.ReasonTooLarge},
	{name: "422", status: 422, reason: connectors.ReasonInvalid},
	{name: "423", status: 423, reason: connectors.ReasonServer, retryable: true, delay: 2 * time.Second},
	{name: "429 in ten seconds", status: 429, body: `{"errorType":"RATE_LIMIT","policyName":"TEN_SECONDLY_ROLLING"}`, reason: connectors.ReasonRateLimit, retryable: true, delay: 10 * time.Second},
	{name: "429 with an interval", status: 429, header: http.Header{"X-Hubspot-Ratelimit-Interval-Milliseconds": {"4000"}}, reason: connectors.ReasonRateLimit, retryable: true, delay: 4 * time.Second},
	{name: "429 with Retry-After", status: 429, header: http.Header{"Retry-After": {"7"}}, reason: connectors.ReasonRateLimit, retryable: true, delay: 7 * time.Second},
	{name: "429 for the day", status: 429, body: `{"errorType":"RATE_LIMIT","policyName":"DAILY"}`, reason: connectors.ReasonRateLimit, retryable: true, delay: time.Hour + time.Minute},
	{name: "477", status: 477, header: http.Header{"Retry-After": {"3600"}}, body: `{"message":"Migration in progress"}`, reason: connectors.ReasonServer, retryable: true, delay: time.Hour},
	{name: "500", status: 500, reason: connectors.ReasonServer, retryable: true},
	{name: "502", status: 502, body: "<html>bad gateway</html>", reason: connectors.ReasonServer, retryable: true},
	{name: "503", status: 503, header: http.Header{"Retry-After": {"30"}}, reason: connectors.ReasonServer, retryable: true, delay: 30 * time.Second},
	{name: "504", status: 504, reason: connectors.ReasonServer, retryable: true},
	{name: "521", status: 521, reason: connectors.ReasonServer, retryable: true},
	{name: "523", status: 523, reason: connectors.ReasonServer, retryable: true},
	{name: "524", status: 524, reason: connectors.ReasonServer, retryable: true},
	{name: "redirect", status: 302, header: http.Header{"Location": {"http://169.254.169.254/"}}, reason: connectors.ReasonRedirect},
	{name: "not JSON", status: 200, body: `{"results":[`, reason: connectors.ReasonBadAnswer, retryable: true},
}

// checkFailure holds an error against the table.
func checkFailure(t *testing.T, f failure, err error) {
	t.Helper()
	e := asPush(err)
	if e == nil {
		t.Errorf("%s: no error", f.name)
		return
	}
	if e.Reason != f.reason || e.Retryable != f.retryable || e.RetryAfter != f.delay {
		t.Errorf("%s: reason %s, retryable %v, after %v; want %s, %v, %v", f.name, e.Reason, e.Retryable, e.RetryAfter, f.reason, f.retryable, f.delay)
	}
	if strings.Contains(e.Error(), testToken) {
		t.Errorf("%s: the error shows the token", f.name)
	}
}

// A property that was cleared is told as null, one that never had a value says
// nothing.
func TestEnrichClearedProperty(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	ann := sim.AddContact(map[string]string{"email": "ann@example.com", "company": "Acme"})
	sim.SetContact(ann, map[string]string{"company": ""})
	event := connectors.Lookup{Type: "contact.propertyChange", Body: []byte(`{"objectId":` + ann + `,"propertyName":"company","propertyValue":""}`)}
	records, err := c.Enrich(t.Context(), []connectors.Lookup{event})
	if err != nil {
		t.Fatal(err)
	}
	m := flatRecord(t, records[0])
	if value, there := m["company"]; !there || value != nil {
		t.Errorf("company is %v (there: %v), want null", value, there)
	}
	if _, there := m["jobtitle"]; there {
		t.Error("a property without a value is told")
	}
}

// A deal whose sum has no currency yet waits until the account's can be read.
func TestEnrichWithoutCurrency(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{})
	plain := sim.AddDeal(map[string]string{"amount": "7"})
	named := sim.AddDeal(map[string]string{"amount": "7", "deal_currency_code": "USD"})
	empty := sim.AddDeal(nil)
	lookups := []connectors.Lookup{lookup("deal.creation", plain), lookup("deal.creation", named), lookup("deal.creation", empty)}
	sim.Fail(hubspotsim.Fault{Match: route("account-info"), Status: 503})
	records, err := c.Enrich(t.Context(), lookups)
	if err != nil {
		t.Fatal(err)
	}
	if e := records[0].Err; e == nil || !e.Retryable {
		t.Errorf("the deal without a currency gives %+v, want a retry", records[0])
	}
	if flatRecord(t, records[1])["currency"] != "USD" || flatRecord(t, records[2])["currency"] != nil {
		t.Errorf("the others are %s and %s", records[1].JSON, records[2].JSON)
	}
	for range 2 {
		if records, err = c.Enrich(t.Context(), lookups); err != nil {
			t.Fatal(err)
		}
		if got := flatRecord(t, records[0])["currency"]; got != "EUR" {
			t.Errorf("currency %v, want the account's", got)
		}
	}
	if n := sim.Counts().Requests["GET /account-info/v3/details"]; n != 2 {
		t.Errorf("the account was read %d times, want a failure and one success", n)
	}
}
