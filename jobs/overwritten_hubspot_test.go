package jobs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestHubspotIsWrittenAgain: a salesperson moves a contact's lifecycle stage,
// the plan lets another stage stand, and HubSpot gets that one again; its report
// of our own write is no change.
func TestHubspotIsWrittenAgain(t *testing.T) {
	t.Parallel()
	sim := hubspotsim.New(hubspotsim.Options{ClientSecret: secret.New(outSecret), Subscriptions: []string{"contact.creation", "contact.propertyChange:lifecyclestage"}})
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	f := newFaults(t, storetest.SQLite(t))
	if _, err := f.admin.Create(t.Context(), jobs.ConnectionInput{
		ID: "hub", Connector: "hubspot", Settings: map[string]string{"base_url": server.URL, "stage_property": "lifecyclestage"},
		Secrets: map[string]secret.Text{"access_token": secret.New(outToken), "client_secret": secret.New(outSecret)},
		Push:    &connectors.PushConfig{Enabled: true, Segments: "none", Stages: map[string]string{"Customer": "customer", "Subscriber": "subscriber"}},
	}); err != nil {
		t.Fatal(err)
	}
	hear := func() int {
		t.Helper()
		events := sim.Take()
		body, err := json.Marshal(events)
		if err != nil {
			t.Fatal(err)
		}
		r, err := sim.Request(t.Context(), "http://lab.example.com/hooks/hub", body)
		if err != nil {
			t.Fatal(err)
		}
		source := f.registry.Config().Connections["hub"].Open.(connectors.Source)
		got, err := source.Receive(&connectors.Request{Method: http.MethodPost, URL: "http://lab.example.com/hooks/hub", Header: r.Header, Body: body, Received: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		kept := jobs.Keep(got.Events, jobs.Origin{})
		for i := range kept {
			if kept[i].Flag == store.FlagRecord {
				kept[i].Flag = 0 // the record cannot be read
			}
		}
		if _, err := f.store.Append("hub", lifecycle.At(time.Now()), kept); err != nil {
			t.Fatal(err)
		}
		f.now = time.Now()
		f.process()
		return len(events)
	}
	push := func() {
		t.Helper()
		if err := f.push("hub"); err != nil {
			t.Fatal(err)
		}
	}
	stage := func(id string) string {
		c, _ := sim.Contact(id)
		return c.Properties["lifecyclestage"]
	}
	id := sim.AddContact(map[string]string{"email": ann})
	hear()
	p, _ := f.person("hub:" + id)
	if p == nil {
		t.Fatal("the contact is nobody")
	}
	if err := f.admin.Pin(t.Context(), p.ID, jobs.PinInput{Stage: "Customer"}); err != nil {
		t.Fatal(err)
	}
	push()
	if got := stage(id); got != "customer" {
		t.Fatalf("after the first push: %q", got)
	}
	if hear() == 0 {
		t.Fatal("HubSpot does not report our write")
	}
	writes := sim.Writes()
	if push(); sim.Writes() != writes {
		t.Error("our own write coming back is answered by another")
	}
	sim.SetContact(id, map[string]string{"lifecyclestage": "subscriber"})
	hear()
	push()
	if got := stage(id); got != "customer" {
		t.Errorf("the salesperson's stage stands: %q", got)
	}
	page, err := f.store.Conflicts(t.Context(), store.ConflictFilter{Connection: "hub"})
	if err != nil || len(page.Conflicts) != 1 || page.Conflicts[0].Stage != "Subscriber" || page.Conflicts[0].Won != "Customer" {
		t.Errorf("conflicts: %+v, %v", page.Conflicts, err)
	}
}
