package qualtrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/qualtrics"
	"github.com/stagebridge/stagebridge/connectors/qualtrics/qualtricssim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// TestPushKeepsWhatItDoesNotName, whether or not an update replaces embedded data.
func TestPushKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	for _, replaces := range []bool{false, true} {
		c, sim := start(t, nil)
		if replaces {
			sim.Replace()
		}
		id := sim.Add(qualtricssim.Contact{First: "Ada", Email: "ada@example.com", ExtRef: "u-1001", Unsubscribed: true, Embedded: map[string]any{"plan": "gold", "seats": 5.0}})
		if diff := cmp.Diff([]string{"ok"}, push(t, c, person("ada@example.com", "u-1001", "Customer"))); diff != "" {
			t.Fatalf("results (-want +got):\n%s", diff)
		}
		got, _ := sim.Contact(id)
		want := qualtricssim.Contact{ID: id, First: "Ada", Email: "ada@example.com", ExtRef: "u-1001", Unsubscribed: true, Embedded: map[string]any{"plan": "gold", "seats": 5.0, "sb_stage": "Customer", "sb_segments": ",at_risk,"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("replaces %t: contact (-want +got):\n%s", replaces, diff)
		}
	}
}

func TestPushFindsPeople(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { cfg.Push.Create = false })
	id := sim.Add(qualtricssim.Contact{Email: "old@example.com", ExtRef: "u-1"})
	sim.Add(qualtricssim.Contact{Email: "Bo@Example.com"})
	gone := person("bo@example.com", "", "Visit")
	gone.VendorID, gone.Known = "CID_9999", &gone.Want
	changed := gone
	changed.Known = &connectors.State{Stage: "Lead", Segments: []string{"at_risk"}}
	got := push(t, c, person("new@example.com", "u-1", "Customer"), person("bo@example.com", "u-2", "Visit"), person("cy@example.com", "", "Visit"),
		connectors.Update{Want: connectors.State{Stage: "Visit"}}, gone, changed)
	if diff := cmp.Diff([]string{"ok", "ok", "skipped not_in_vendor", "skipped no_identity", "ok", "ok"}, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if k, _ := sim.Contact(id); k.Email != "new@example.com" || k.Embedded["sb_stage"] != "Customer" {
		t.Errorf("a changed address was not followed: %+v", k)
	}
	// Known under an id that is gone, found by address: nothing is known of this
	// record, so everything is written.
	if k, ok := sim.Find("bo@example.com"); !ok || k.Embedded["sb_segments"] != ",at_risk," {
		t.Errorf("contact = %+v", k)
	}
	if _, there := sim.Find("cy@example.com"); there {
		t.Error("a contact was made although create is off")
	}
}

func TestPushCreates(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { cfg.Settings["new_contacts"] = "unsubscribed" })
	u := person("New@example.com", "u-7", "Visit")
	u.Want.Traits = map[string]any{"firstName": "Nia", "company": nil}
	if diff := cmp.Diff([]string{"ok"}, push(t, c, u)); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	k, _ := sim.Find("new@example.com")
	want := qualtricssim.Contact{ID: k.ID, First: "Nia", ExtRef: "u-7", Email: "New@example.com", Unsubscribed: true, Embedded: map[string]any{"sb_stage": "Visit", "sb_segments": ",at_risk,", "company": ""}}
	if diff := cmp.Diff(want, k); diff != "" {
		t.Errorf("contact (-want +got):\n%s", diff)
	}
	u.Want.Segments, u.Want.Absent = nil, []string{"at_risk", "promoters"}
	push(t, c, u)
	if k, _ := sim.Find("new@example.com"); k.Embedded["sb_segments"] != "" {
		t.Errorf("left segments are still there: %v", k.Embedded)
	}
}

func TestReadListErase(t *testing.T) {
	t.Parallel()
	c, sim := start(t, nil)
	id := sim.Add(qualtricssim.Contact{First: "Ada", Email: "Ada@example.com", ExtRef: "u-1", Embedded: map[string]any{"sb_stage": "Customer", "sb_segments": ",vip,at_risk,", "company": "Acme"}})
	sim.Add(qualtricssim.Contact{Email: "bo@example.com"})
	sim.Add(qualtricssim.Contact{Email: "ada@example.com"})
	states, err := c.Read(t.Context(), []connectors.Update{person("", "u-1", ""), person("nobody@example.com", "", "")})
	want := []*connectors.State{{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"company": "Acme", "firstName": "Ada"}}, nil}
	if diff := cmp.Diff(want, states); diff != "" || err != nil {
		t.Errorf("read: %v (-want +got):\n%s", err, diff)
	}
	var people []connectors.Listing
	cursor := ""
	for {
		l, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		people, cursor = append(people, l.People...), l.Cursor
		if cursor == "" {
			break
		}
	}
	if len(people) != 3 || people[0].VendorID != id || people[0].Email != "ada@example.com" || people[0].State.Stage != "Customer" {
		t.Errorf("listed %+v", people)
	}
	if _, err := c.List(t.Context(), "/whoami"); err == nil {
		t.Error("a cursor may lead anywhere")
	}
	who := connectors.Update{VendorID: id, Email: "ada@example.com", Keys: []lifecycle.Key{{Namespace: "email", Value: "bo@example.com"}}}
	e, err := c.Erase(t.Context(), who)
	if err != nil || e.Outcome != connectors.OK || !strings.Contains(e.Proof, id) {
		t.Errorf("erase = %+v, %v", e, err)
	}
	for _, email := range []string{"ada@example.com", "bo@example.com"} {
		if _, there := sim.Find(email); there {
			t.Errorf("%s is still there", email)
		}
	}
	if e, err := c.Erase(t.Context(), who); err != nil || e.Outcome != connectors.OK || e.Proof == "" {
		t.Errorf("erase again = %+v, %v", e, err)
	}
}

// TestSearchLagsBehind: a search that still shows a contact that is gone hides
// nobody, neither from an erasure nor from a push, which would make a double.
func TestSearchLagsBehind(t *testing.T) {
	t.Parallel()
	sim := qualtricssim.New()
	id := sim.Add(qualtricssim.Contact{Email: "ada@example.com"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/contacts/search") {
			fmt.Fprintf(w, `{"result":{"elements":[{"id":"CID_gone","email":"ada@example.com"},{"id":%q}]},"meta":{"httpStatus":"200 - OK"}}`, id)
			return
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := open(t, config(server.URL))
	if got := push(t, c, person("ada@example.com", "", "Customer")); !slices.Equal(got, []string{"ok"}) || len(sim.Held()) != 1 {
		t.Errorf("pushed %v, held %+v", got, sim.Held())
	}
	if k, _ := sim.Contact(id); k.Embedded["sb_stage"] != "Customer" {
		t.Errorf("%+v", k)
	}
	// Shown without its address, the contact must be looked at.
	if e, err := c.Erase(t.Context(), connectors.Update{Email: "bo@example.com"}); err != nil || e.Proof != "no contact found" {
		t.Errorf("somebody else: %+v, %v", e, err)
	}
	if e, err := c.Erase(t.Context(), connectors.Update{Email: "ada@example.com"}); err != nil || e.Proof != "deleted contact "+id {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestListEnds: a page that names itself as the next one is the last.
func TestListEnds(t *testing.T) {
	t.Parallel()
	path := "/API/v3/directories/" + qualtricssim.Directory + "/contacts?pageSize=50"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"result":{"elements":[],"nextPage":"https://fra1.qualtrics.com%s"},"meta":{"httpStatus":"200 - OK"}}`, path)
	}))
	t.Cleanup(server.Close)
	if l, err := open(t, config(server.URL)).List(t.Context(), ""); err != nil || l.Cursor != "" {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestEraseEverything(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { cfg.Settings["erase"] = "everything" })
	e, err := c.Erase(t.Context(), person("Ada@example.com", "", ""))
	if err != nil || e.Outcome != connectors.Submitted || e.Proof != "erasure request ERASE_1" {
		t.Errorf("erase = %+v, %v", e, err)
	}
	if diff := cmp.Diff([]any{map[string]any{"emails": []any{"ada@example.com"}, "searchOnly": false}}, sim.Erasures()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if e, err := c.Erase(t.Context(), connectors.Update{VendorID: "CID_1"}); err != nil || e.Reason != connectors.ReasonNoIdentity {
		t.Errorf("without an address: %+v, %v", e, err)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { delete(cfg.Secrets, "shared_key") })
	done, err := c.Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	key := done.Secrets["shared_key"].Reveal()
	want := []map[string]any{{"topics": "surveyengine.completedResponse.*", "publicationUrl": "https://bridge.example.com/hooks/surveys", "encrypt": false, "sharedKey": key}}
	if diff := cmp.Diff(want, sim.Subscriptions()); diff != "" || len(key) < 20 {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
	// The key was not stored: a subscription with a key nobody knows is made anew.
	again, err := c.Register(t.Context(), []string{"surveyengine.completedResponse", "controlpanel.activateSurvey"})
	if err != nil || again.ID == done.ID || len(sim.Subscriptions()) != 2 {
		t.Errorf("again: %+v, %v, %v", again, err, sim.Subscriptions())
	}
	there, err := c.Registered(t.Context())
	if err != nil || len(there) != 2 || there[0].Types[0] != "surveyengine.completedResponse" {
		t.Errorf("registered: %+v, %v", there, err)
	}
	if err := c.Unregister(t.Context()); err != nil || len(sim.Subscriptions()) != 0 {
		t.Errorf("unregister: %v, %v", err, sim.Subscriptions())
	}
}

func TestRegisterKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	c, sim := start(t, func(cfg *connectors.Config) { cfg.Settings["survey_ids"] = "SV_1, SV_2" })
	first, err := c.Register(t.Context(), nil)
	if err != nil || len(first.Secrets) != 0 || len(sim.Subscriptions()) != 2 {
		t.Fatalf("register: %+v, %v", first, err)
	}
	writes := sim.Writes()
	if _, err := c.Register(t.Context(), nil); err != nil || sim.Writes() != writes {
		t.Errorf("registering twice: %v, %d writes more", err, sim.Writes()-writes)
	}
	if _, err := c.Register(t.Context(), []string{"no.such"}); err == nil {
		t.Error("an unknown event is subscribed to")
	}
	// While a key is being rotated out, the subscriptions get the new one.
	rotating, sim := start(t, func(cfg *connectors.Config) {
		cfg.Secrets["shared_key"] = []secret.Text{secret.New("key-number-two"), secret.New("key-number-one")}
	})
	for range 2 {
		if done, err := rotating.Register(t.Context(), nil); err != nil || len(done.Secrets) != 0 {
			t.Fatalf("rotating: %+v, %v", done, err)
		}
	}
	if all := sim.Subscriptions(); len(all) != 1 || all[0]["sharedKey"] != "key-number-two" || sim.Writes() != 3 {
		t.Errorf("subscriptions = %v after %d writes", all, sim.Writes())
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"datacenter":              func(cfg *connectors.Config) { cfg.Settings["datacenter"] = "fra1.qualtrics.com" },
		"directory_id":            func(cfg *connectors.Config) { cfg.Settings["directory_id"] = "Default" },
		"survey_ids":              func(cfg *connectors.Config) { cfg.Settings["survey_ids"] = "SV_1, ../2" },
		"stage_field":             func(cfg *connectors.Config) { cfg.Settings["stage_field"] = "a\"b" },
		"segment_field":           func(cfg *connectors.Config) { cfg.Settings["segment_field"] = "sb_stage" },
		"push.traits":             func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"unsubscribed": "x"} },
		"push.traits.Opted Out: ": func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"Opted Out": "x"} },
		"client_id":               func(cfg *connectors.Config) { cfg.Settings["client_id"] = "c" },
		"api_token":               func(cfg *connectors.Config) { delete(cfg.Secrets, "api_token") },
		"completed_zone":          func(cfg *connectors.Config) { cfg.Settings["completed_zone"] = "Local" },
		"datacenter: bas":         func(cfg *connectors.Config) { cfg.Settings["base_url"] = "fra1.qualtrics.com" },
	} {
		cfg := config("")
		change(&cfg)
		_, err := qualtrics.Vendor().Open(cfg)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error = %v", field, err)
		}
	}
	// A workflow alone needs no credentials; then nothing can be asked.
	c := open(t, connectors.Config{Secrets: map[string][]secret.Text{"workflow_secret": {secret.New("w")}}})
	if _, err := c.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "api_token") {
		t.Errorf("check without credentials: %v", err)
	}
}
