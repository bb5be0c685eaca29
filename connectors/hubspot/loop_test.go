package hubspot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// What a push changes comes back as an echo, what a person changes does not:
// over HTTP, signed, as HubSpot sends it.
func TestOwnWritesComeBackAsEchoes(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, native, creating)
	var mu sync.Mutex
	var got []connectors.RawEvent
	var target string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		receipt, err := c.Receive(&connectors.Request{Method: r.Method, URL: target, Header: r.Header, Body: body, Received: testNow})
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		got = append(got, receipt.Events...)
		mu.Unlock()
	}))
	t.Cleanup(receiver.Close)
	target = receiver.URL + "/hooks/hubspot-eu"
	sim.SetTarget(target)

	mustPush(t, c, update("u1", "ann@example.com", connectors.State{Stage: "customer"}))
	deliver(t, sim)
	if len(got) == 0 {
		t.Fatal("nothing came back")
	}
	for _, e := range got {
		if e.Echo == "" {
			t.Errorf("our own write came back as news: %s", e.Body)
		}
	}
	echoes := len(got)
	ann, _ := sim.ByEmail("ann@example.com")
	sim.SetContact(ann.ID, map[string]string{"lifecyclestage": "lead"})
	sim.Merge(ann.ID, sim.AddContact(map[string]string{"email": "other@example.com"}))
	sim.Delete(ann.ID, true)
	deliver(t, sim)
	types := map[string]int{}
	for _, e := range got[echoes:] {
		if e.Echo != "" || e.Broken != "" || e.At == 0 {
			t.Errorf("a person's change came as %+v", e)
		}
		types[e.Type]++
	}
	for _, kind := range []string{"contact.propertyChange", "contact.creation", "contact.merge", "contact.deletion", "contact.privacyDeletion"} {
		if types[kind] == 0 {
			t.Errorf("no %s among %v", kind, types)
		}
	}
}

func deliver(t *testing.T, sim *hubspotsim.Sim) {
	t.Helper()
	if _, err := sim.Deliver(t.Context()); err != nil {
		t.Fatalf("deliver: %v", err)
	}
}

// Many people in many batches, as in a first sync.
func TestPushManyPeople(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, creating)
	start := time.Now()
	const people = 5000
	for batch := range people / crmBatch {
		updates := make([]connectors.Update, crmBatch)
		for i := range updates {
			updates[i] = update(uniqueID(batch, i), uniqueID(batch, i)+"@example.com", connectors.State{Stage: "Lead", Segments: []string{"promoters"}})
		}
		for _, r := range mustPush(t, c, updates...) {
			if r.Outcome != connectors.OK || r.VendorID == "" {
				t.Fatalf("result %+v", r)
			}
		}
	}
	if n := len(sim.Contacts()); n != people {
		t.Errorf("%d contacts, want %d", n, people)
	}
	if n := sim.Counts().Requests[upsertRoute]; n != people/crmBatch {
		t.Errorf("%d calls", n)
	}
	t.Logf("%d people in %v", people, time.Since(start))
}
