package jobs_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestVendorMergesAreFollowed: two contacts that HubSpot merges become one
// person, whom one contact stands for from then on; the merge told first, or
// twice, gives the same; a change of address there finds the same contact. HubSpot
// has one contact for both, whoever parts them here.
func TestVendorMergesAreFollowed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		sim := hubspotsim.New()
		server := httptest.NewServer(sim.Handler())
		t.Cleanup(func() { sim.Close(); server.Close() })
		f.destination("hub", "hubspot", map[string]string{"base_url": server.URL}, map[string]string{"access_token": outToken, "client_secret": "shh"})
		f.move(ann, bo)
		f.move(bo)
		push := func() {
			t.Helper()
			if err := f.push("hub"); err != nil {
				t.Fatal(err)
			}
		}
		push()
		one, _ := sim.ByEmail(ann)
		two, _ := sim.ByEmail(bo)
		if one.ID == "" || two.ID == "" || one.ID == two.ID {
			t.Fatalf("contacts %q and %q", one.ID, two.ID)
		}
		told := func(kind, body string, after time.Duration) {
			t.Helper()
			f.tell("hub", told{kind, f.now.Add(-time.Hour + after), body})
			f.process()
		}
		for id, email := range map[string]string{one.ID: ann, two.ID: bo} {
			told("contact.propertyChange", fmt.Sprintf(`{"objectId":%s,"propertyName":"email","propertyValue":%q}`, id, email), time.Minute)
		}
		if !sim.Merge(two.ID, one.ID) {
			t.Fatal("HubSpot does not merge")
		}
		merge := fmt.Sprintf(`{"objectId":%s,"primaryObjectId":%s,"mergedObjectIds":[%s],"newObjectId":%s}`, two.ID, two.ID, one.ID, two.ID)
		told("contact.merge", merge, 2*time.Minute)
		told("contact.merge", merge, 2*time.Minute)
		p, prof := f.person("email:" + ann)
		other, _ := f.person("email:" + bo)
		if p.ID != other.ID || !slices.Contains(p.Keys, "hub:"+one.ID) || !slices.Contains(p.Keys, "hub:"+two.ID) {
			t.Fatalf("after the merge: %v and %v", p.Keys, other.Keys)
		}
		push()
		created := sim.Counts().Created
		if c, _ := sim.Contact(two.ID); c.Properties["sb_stage"] != string(prof.Stage) {
			t.Errorf("the contact that is left holds %v, want %s", c.Properties, prof.Stage)
		}
		if c, there := sim.Contact(one.ID); there {
			t.Errorf("the contact that was merged is back: %v", c.Properties)
		}
		told("contact.propertyChange", fmt.Sprintf(`{"objectId":%s,"propertyName":"email","propertyValue":"bo.new@example.com"}`, two.ID), 3*time.Minute)
		f.move(bo)
		push()
		if n := sim.Counts().Created; n != created {
			t.Errorf("%d contacts were made after the merge", n-created)
		}
		if x := f.state("hub", bo); x.State != store.SyncSynced {
			t.Errorf("after the change of address: %+v", x)
		}
		second, err := f.admin.Split(t.Context(), p.ID, []lifecycle.Key{{Namespace: "email", Value: ann}, {Namespace: "hub", Value: one.ID}}, "two after all", "kim")
		if err != nil {
			t.Fatal(err)
		}
		push()
		all, err := s.SyncOf(t.Context(), []lifecycle.ProfileID{p.ID, second})
		if err != nil {
			t.Fatal(err)
		}
		for id, states := range all {
			for _, x := range states {
				if x.Connection == "hub" && x.State != store.SyncSynced {
					t.Errorf("parted: %d is %+v", id, x)
				}
			}
		}
	})
}

// TestAnotherRecordIsTried: where the vendor has no record of the id that is
// known, the person's others are tried, each once.
func TestAnotherRecordIsTried(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		f.connect("lab", connectors.PushConfig{Enabled: true})
		f.tell("lab", told{"merged", f.now.Add(-time.Hour), `{"email":"ann@example.com","records":["51","52","53"]}`})
		f.process()
		var tried []string
		there := "53"
		f.vendor.fail = func(all []connectors.Update) ([]connectors.Result, error) {
			results := make([]connectors.Result, len(all))
			for i, u := range all {
				tried = append(tried, u.VendorID)
				results[i] = connectors.Result{Outcome: connectors.Skipped, Reason: connectors.ReasonNotInVendor}
				if u.VendorID == there {
					results[i] = connectors.Result{Outcome: connectors.OK, VendorID: there}
				}
			}
			return results, nil
		}
		if err := f.push("lab"); err != nil {
			t.Fatal(err)
		}
		if x := f.state("lab", ann); x.State != store.SyncSynced || x.VendorID != "53" || !slices.Equal(tried, []string{"51", "52", "53"}) {
			t.Errorf("tried %v, then %+v", tried, x)
		}
		there, tried = "", nil
		f.tell("crm", told{"order", f.now.Add(-time.Minute), `{"email":"ann@example.com","order":"o1","amount":"5"}`})
		f.process()
		if err := f.push("lab"); err != nil {
			t.Fatal(err)
		}
		if x := f.state("lab", ann); x.State != store.SyncSkipped || len(tried) > 4 || len(tried) < 3 {
			t.Errorf("nobody there: tried %v, then %+v", tried, x)
		}
	})
}
