package jobs_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

const bo = "bo@example.com"

// twoPeople makes Ann, who buys much, and Bo, who only signed up.
func (f *faults) twoPeople() {
	f.t.Helper()
	at := f.now.Add(-2 * time.Hour)
	f.tell("crm", told{"order", at, `{"email":"` + ann + `","order":"o1","amount":"2000"}`}, told{"signup", at.Add(time.Minute), `{"email":"` + bo + `"}`})
	f.process()
}

// sent pushes to a connection and stops the test where the vendor refuses.
func (f *faults) sent(id string) {
	f.t.Helper()
	if err := f.push(id); err != nil {
		f.t.Fatal(err)
	}
}

// should is what a vendor should hold of a person, stage and segments.
func (f *faults) should(email string) string {
	f.t.Helper()
	_, prof := f.person("email:" + email)
	names := make([]string, 0, len(prof.Segments))
	for _, m := range prof.Segments {
		names = append(names, string(m.Name))
	}
	return fmt.Sprint(prof.Stage, " ", names)
}

// TestRecordsAfterJoinAndSplit: of two people joined here the record that the
// survivor is known by holds what the two are together, the other stays as it was
// written last; parted, each record holds what is its own person's and nothing
// of the other.
func TestRecordsAfterJoinAndSplit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		sim := hubspotsim.New()
		server := httptest.NewServer(sim.Handler())
		t.Cleanup(func() { sim.Close(); server.Close() })
		f.destination("hub", "hubspot", map[string]string{"base_url": server.URL}, map[string]string{"access_token": outToken, "client_secret": "shh"})
		f.twoPeople()
		f.sent("hub")
		one, _ := sim.ByEmail(ann)
		two, _ := sim.ByEmail(bo)
		holds := func(id string) string {
			t.Helper()
			c, there := sim.Contact(id)
			if !there {
				t.Fatalf("no contact %s", id)
			}
			names := strings.FieldsFunc(c.Properties["sb_segments"], func(r rune) bool { return r == ';' })
			slices.Sort(names)
			return fmt.Sprint(c.Properties["sb_stage"], " ", names)
		}
		annAlone, boAlone := f.should(ann), f.should(bo)
		if holds(one.ID) != annAlone || holds(two.ID) != boAlone || annAlone == boAlone || annAlone == "Customer []" {
			t.Fatalf("at HubSpot %s and %s, want %s and %s", holds(one.ID), holds(two.ID), annAlone, boAlone)
		}
		p, _ := f.person("email:" + bo) // the younger
		at := f.now.Add(-time.Hour)
		for id, email := range map[string]string{one.ID: ann, two.ID: bo} {
			f.tell("hub", told{"contact.propertyChange", at, fmt.Sprintf(`{"objectId":%s,"propertyName":"email","propertyValue":%q}`, id, email)})
		}
		f.process()
		preview, err := f.admin.PreviewJoin(t.Context(), p.ID, lifecycle.Key{Namespace: "email", Value: ann})
		if err != nil {
			t.Fatal(err)
		}
		stays, goes := one.ID, two.ID
		if preview.Survivor == p.ID {
			stays, goes = goes, stays
		}
		if diff := cmp.Diff([]jobs.JoinReach{{Connection: "hub", Written: true, Record: stays, Left: []string{goes}}}, preview.Reach); diff != "" {
			t.Errorf("foretold (-want +got):\n%s", diff)
		}
		if _, err := f.admin.Join(t.Context(), p.ID, lifecycle.Key{Namespace: "email", Value: ann}, "the same", "kim"); err != nil {
			t.Fatal(err)
		}
		f.tell("crm", told{"praise", at.Add(time.Minute), `{"email":"` + ann + `"}`}, told{"demo", at.Add(2 * time.Minute), `{"email":"` + bo + `","score":90}`})
		f.process()
		f.sent("hub")
		both := f.should(ann)
		if both == annAlone || both != f.should(bo) {
			t.Fatalf("together they are %s and %s", both, f.should(bo))
		}
		alone := map[string]string{one.ID: annAlone, two.ID: boAlone}
		if holds(stays) != both || holds(goes) != alone[goes] {
			t.Errorf("joined: the record that is written holds %s, want %s; the one that is left %s, want %s as it was", holds(stays), both, holds(goes), alone[goes])
		}
		joined, _ := f.person("email:" + ann)
		if _, err := f.admin.Split(t.Context(), joined.ID, []lifecycle.Key{{Namespace: "email", Value: bo}, {Namespace: "hub", Value: two.ID}}, "two after all", "kim"); err != nil {
			t.Fatal(err)
		}
		f.sent("hub")
		if f.should(ann) == f.should(bo) {
			t.Fatalf("parted, both are %s", f.should(ann))
		}
		if got, want := [2]string{holds(one.ID), holds(two.ID)}, [2]string{f.should(ann), f.should(bo)}; got != want {
			t.Errorf("parted: the records hold %v, want %v", got, want)
		}
		if n := sim.Counts().Created; n != 2 {
			t.Errorf("%d contacts were made", n)
		}
	})
}

// heard is one message as a receiver of events reads it.
type heard struct {
	Type string
	Data struct {
		ProfileID  string `json:"profile_id"`
		Email      string
		Stage      string
		Previous   string `json:"previous_stage"`
		Transition string
		Segments   []string
	}
}

// TestSplitIsToldOnce: who takes events hears of somebody who was parted where
// they stand, and not again, as somebody else's, what it was told long ago.
func TestSplitIsToldOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		var mu sync.Mutex
		var all []heard
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var m heard
			body, err := io.ReadAll(r.Body)
			if err == nil {
				err = json.Unmarshal(body, &m)
			}
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, m)
		}))
		t.Cleanup(server.Close)
		in := jobs.ConnectionInput{ID: "warehouse", Connector: "generic-webhook", Settings: map[string]string{"url": server.URL},
			Secrets: map[string]secret.Text{"signing_secret": secret.New(outSecret)},
			Push:    &connectors.PushConfig{Enabled: true, Since: lifecycle.At(f.now.Add(-30 * 24 * time.Hour))}}
		if _, err := f.admin.Create(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		news := func() []string {
			t.Helper()
			f.sent("warehouse")
			mu.Lock()
			defer mu.Unlock()
			var lines []string
			for _, m := range all {
				who, _, _ := strings.Cut(m.Data.Email, "@")
				lines = append(lines, fmt.Sprintf("%s: %s %s to %s %v", who, m.Data.Transition, m.Data.Previous, m.Data.Stage, m.Data.Segments))
			}
			all = nil
			slices.Sort(lines)
			return lines
		}
		f.twoPeople()
		at := f.now.Add(-time.Hour)
		f.tell("crm", told{"demo", at, `{"email":"` + bo + `","score":90}`})
		f.process()
		if first := news(); len(first) < 3 {
			t.Fatalf("told of two people: %v", first)
		}
		p, _ := f.person("email:" + bo)
		survivor, err := f.admin.Join(t.Context(), p.ID, lifecycle.Key{Namespace: "email", Value: ann}, "the same", "kim")
		if err != nil {
			t.Fatal(err)
		}
		news()
		if _, err := f.admin.Split(t.Context(), survivor, []lifecycle.Key{{Namespace: "email", Value: bo}}, "two after all", "kim"); err != nil {
			t.Fatal(err)
		}
		_, prof := f.person("email:" + bo)
		for _, line := range news() {
			if strings.HasPrefix(line, "bo:") && line != fmt.Sprintf("bo: merge  to %s %v", prof.Stage, prof.SegmentNames()) {
				t.Errorf("after the split it is told %q", line)
			}
		}
		// News of the two is told as ever, once. It is older than the decision.
		f.tell("crm", told{"order", at.Add(time.Minute), `{"email":"` + bo + `","order":"o2","amount":"5"}`})
		f.process()
		after := news()
		if len(after) != 1 || !strings.HasPrefix(after[0], "bo: correction Qualified Lead to Customer") {
			t.Errorf("what happens afterwards is told as %q", after)
		}
	})
}
