package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestPull takes over everybody at HubSpot: each is there once with record and
// address, whom we know already is not doubled, a page that fails for a moment
// is asked for again, and pulling again brings only who changed.
func TestPull(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		sim := hubspotsim.New()
		server := httptest.NewServer(sim.Handler())
		t.Cleanup(func() { sim.Close(); server.Close() })
		f.destination("hub", "hubspot", map[string]string{"base_url": server.URL}, map[string]string{"access_token": outToken, "client_secret": "shh"})
		works := jobs.NewWorks(s, time.Now, nil)
		works.Add((&jobs.Puller{Store: s, Registry: f.registry, Limiter: jobs.NewLimiter(nil), Now: time.Now}).Kind())
		f.admin.Works = works
		f.move(ann)
		const contacts = 230
		var ids []string
		for i := range contacts {
			email := fmt.Sprintf("p%d@example.com", i)
			if i == 0 {
				email = ann
			}
			ids = append(ids, sim.AddContact(map[string]string{"email": email}))
		}
		pull := func() jobs.Pulled {
			t.Helper()
			one, err := f.admin.Pull(t.Context(), "hub", "kim")
			if err != nil {
				t.Fatal(err)
			}
			if again, err := f.admin.Pull(t.Context(), "hub", "kim"); err != nil || again.ID != one.ID {
				t.Errorf("asked twice: job %d and %d: %v", one.ID, again.ID, err)
			}
			if one, err = works.Follow(t.Context(), one.ID, nil); err != nil || one.State != store.WorkDone {
				t.Fatalf("%+v: %v", one, err)
			}
			f.process()
			var r jobs.Pulled
			if err := json.Unmarshal([]byte(one.Result), &r); err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := pull(); r != (jobs.Pulled{People: contacts, New: contacts}) {
			t.Errorf("the first pull: %+v", r)
		}
		counters, err := s.Counters(t.Context())
		if err != nil || counters[""]["people"] != contacts {
			t.Errorf("%d people of %d: %v", counters[""]["people"], contacts, err)
		}
		if p, _ := f.person("email:" + ann); !slices.Contains(p.Keys, "hub:"+ids[0]) {
			t.Errorf("whom we knew has %v", p.Keys)
		}
		if r := pull(); r != (jobs.Pulled{People: contacts}) {
			t.Errorf("again: %+v", r)
		}
		sim.SetContact(ids[7], map[string]string{"email": "p7.new@example.com"})
		if r := pull(); r != (jobs.Pulled{People: contacts, New: 1}) {
			t.Errorf("after one changed: %+v", r)
		}
		if p, _ := f.person("email:p7.new@example.com"); !slices.Contains(p.Keys, "email:p7@example.com") {
			t.Errorf("an address that changed belongs to %v", p.Keys)
		}
		if _, err := f.admin.Pull(t.Context(), "crm", "kim"); !errors.Is(err, jobs.ErrCannot) {
			t.Errorf("a vendor that lists nobody: %v", err)
		}
	})
}

// TestPullGoesOn: a pull that broke off is gone on with where it was, by
// whoever comes next, and brings nobody twice.
func TestPullGoesOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		sim := hubspotsim.New()
		server := httptest.NewServer(sim.Handler())
		t.Cleanup(func() { sim.Close(); server.Close() })
		f.destination("hub", "hubspot", map[string]string{"base_url": server.URL}, map[string]string{"access_token": outToken, "client_secret": "shh"})
		for i := range 230 {
			sim.AddContact(map[string]string{"email": fmt.Sprintf("p%d@example.com", i)})
		}
		ctx, stop := context.WithCancel(t.Context())
		t.Cleanup(stop)
		puller := &jobs.Puller{Store: s, Registry: f.registry, Limiter: jobs.NewLimiter(nil), Now: time.Now, Received: func(string, bool) { stop() }}
		works := jobs.NewWorks(s, time.Now, nil)
		works.Add(puller.Kind())
		f.admin.Works = works
		one, err := f.admin.Pull(t.Context(), "hub", "kim")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = works.Follow(ctx, one.ID, nil) // stopped behind the first page
		if one, err = s.WorkByID(t.Context(), one.ID); err != nil || one.State != store.WorkQueued || one.Done == 0 || one.Done >= 230 {
			t.Fatalf("stopped: %+v: %v", one, err)
		}
		first := one.Done
		if one, err = works.Follow(t.Context(), one.ID, nil); err != nil || one.State != store.WorkDone {
			t.Fatalf("%+v: %v", one, err)
		}
		if one.Done != 230 || first == 0 {
			t.Errorf("%d people were listed, %d of them before the stop", one.Done, first)
		}
		f.process()
		counters, err := s.Counters(t.Context())
		if err != nil || counters[""]["people"] != 230 {
			t.Errorf("%d people: %v", counters[""]["people"], err)
		}
		d, err := f.admin.Delivery(t.Context(), "hub")
		if err != nil || d != (jobs.Delivery{People: 230, Waiting: 230}) {
			t.Errorf("delivery: %+v, %v", d, err)
		}
	})
}
