package salesforce_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/salesforce"
	"github.com/stagebridge/stagebridge/connectors/salesforce/salesforcesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// now is the clock of every connection under test.
var now = time.Date(2026, 11, 20, 9, 20, 0, 0, time.UTC)

// outbound writes an outbound message with one notification for each object,
// in the form of the vendor's WSDL page.
func outbound(objects ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D5g00000AbCdEEAV</OrganizationId>
   <ActionId>04k5g000000XyZ1AAK</ActionId>
   <SessionId xsi:nil="true"/>
`)
	for i, object := range objects {
		id := salesforcesim.Prefixes[object] + "5g00000LkJhGEAV"
		fmt.Fprintf(&b, `   <Notification>
    <Id>04l5g0000%dQwErtAAK</Id>
    <sObject xsi:type="sf:%s" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>%s</sf:Id>
     <sf:Email>dana@example.com</sf:Email>
     <sf:LastModifiedById>0055g000009ZzZzAAA</sf:LastModifiedById>
     <sf:LastModifiedDate>2026-11-20T09:14:05.000Z</sf:LastModifiedDate>
    </sObject>
   </Notification>
`, i, object, id)
	}
	b.WriteString("  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>")
	return b.String()
}

func flow(object, event string) string {
	return fmt.Sprintf(`{"organization_id":"00D5g00000AbCdEEAV","object":%q,"event":%q,"occurred_at":"2026-11-20T09:14:05Z",`+
		`"actor_id":"0055g000009ZzZzAAA","sObject":{"Id":"0035g00000AaBbCAAV","Email":"dana@example.com"}}`, object, event)
}

// vendor is a stand-in that notes what it is asked and can be made to answer
// otherwise.
type vendor struct {
	*salesforcesim.Sim
	url string

	mu      sync.Mutex
	asked   []string
	instead func(w http.ResponseWriter, r *http.Request) bool
}

func newVendor(t *testing.T) *vendor {
	t.Helper()
	v := &vendor{Sim: salesforcesim.New()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		v.asked = append(v.asked, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/services/data/v66.0"))
		instead := v.instead
		v.mu.Unlock()
		if instead == nil || !instead(w, r) {
			v.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// answer replaces the answers for which it says true; nil ends that.
func (v *vendor) answer(instead func(w http.ResponseWriter, r *http.Request) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.instead = instead
}

// took gives the requests since the last call.
func (v *vendor) took() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.asked
	v.asked = nil
	return all
}

func (v *vendor) config() connectors.Config {
	settings, secrets := v.Connection(v.url)
	cfg := connectors.Config{
		ID: "crm", Instance: "instance-1", PublicURL: "https://bridge.example.com/hooks/crm",
		Settings: settings, Secrets: map[string][]secret.Text{},
		Push: connectors.PushConfig{Enabled: true, Create: true},
		HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second}),
		Now:  func() time.Time { return now },
	}
	for name, value := range secrets {
		cfg.Secrets[name] = []secret.Text{secret.New(value)}
	}
	return cfg
}

func open(t *testing.T, cfg connectors.Config) *salesforce.Connector {
	t.Helper()
	c, err := salesforce.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*salesforce.Connector)
}

// start gives a stand-in and a connection to it; change edits the connection.
func start(t *testing.T, change func(*connectors.Config)) (*salesforce.Connector, *vendor) {
	t.Helper()
	v := newVendor(t)
	cfg := v.config()
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg), v
}

func (v *vendor) contact(email string) string {
	return v.Add(salesforcesim.Record{Object: "Contact", Fields: map[string]any{"Email": email, "LastName": "Reed"}})
}

func (v *vendor) lead(email string) string {
	return v.Add(salesforcesim.Record{Object: "Lead", Fields: map[string]any{"Email": email, "LastName": "Reed", "Company": "Acme", "IsConverted": false}})
}

// person is an update to a stage.
func person(id int64, email, stage string) connectors.Update {
	return connectors.Update{ID: fmt.Sprintf("u-%d", id), Person: lifecycle.ProfileID(id), Email: email, Want: connectors.State{Stage: stage}}
}

// push wants results without an error of the whole.
func push(t *testing.T, c *salesforce.Connector, updates ...connectors.Update) []connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	if len(results) != len(updates) {
		t.Fatalf("%d results for %d updates", len(results), len(updates))
	}
	return results
}

func outcome(r connectors.Result) string {
	if r.Reason == connectors.ReasonNone {
		return string(r.Outcome)
	}
	return string(r.Outcome) + " " + string(r.Reason)
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
