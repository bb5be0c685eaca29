package eloqua_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/eloqua"
	"github.com/stagebridge/stagebridge/mapping"
)

// TestRead: what was pushed is what is read.
func TestRead(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	cfg := config(v)
	cfg.Push.Traits["No Such Field"] = "x"
	c := open(t, cfg)
	dana := person("dana@example.com", "Customer", []string{"at_risk", "new"}, []string{"dormant"})
	dana.Want.Traits = map[string]any{"C_Company": "Acme"}
	lee := person("", "Lead", nil, []string{"at_risk"})
	lee.VendorID = v.AddContact("lee@example.com", nil)
	for _, r := range followed(t, c, dana, lee) {
		if connectortest.Outcome(r) != "ok" {
			t.Fatalf("push: %+v", r)
		}
	}
	moved := dana
	moved.VendorID = "7"
	people := []connectors.Update{dana, lee, moved, person("gone@example.com", "", nil, nil), {Email: "not an address"}}
	want := []*connectors.State{
		{Stage: "Customer", Segments: []string{"at_risk", "new"}, Absent: []string{"dormant"}, Traits: map[string]any{"C_Company": "Acme"}},
		{Stage: "Lead", Absent: []string{"at_risk"}, Traits: map[string]any{"C_Company": ""}},
		nil, nil, nil,
	}
	want[2] = want[0]
	states, err := c.Read(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	for _, form := range []string{`[{"name":"sb:at_risk"},{"name":"sb:new"}]`, `{"type":"ContactList","name":"sb:at_risk"}`, ``} {
		v.failing(http.MethodGet, "/membership", 1, 200, form)
		if form == "" {
			v.failing(http.MethodGet, "/membership", 1, 204, form)
		}
		states, err := c.Read(t.Context(), people[:1])
		if err != nil || len(states[0].Segments) != strings.Count(form, "sb:") {
			t.Errorf("lists as %s: %+v, %v", form, states[0], err)
		}
	}
	v.failing(http.MethodGet, "/membership", 1, 500, "")
	if _, err := c.Read(t.Context(), people); err == nil {
		t.Error("a failure is no answer")
	}
}

// TestList goes through all pages.
func TestList(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("sb_stage")
	for i := range 450 {
		v.AddContact(fmt.Sprintf("p%d@example.com", i), map[string]string{"C_sb_stage1": "Lead"})
	}
	c := open(t, config(v))
	var seen []string
	cursor, pages := "", 0
	for pages = range 10 {
		got, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range got.People {
			if p.State.Stage != "Lead" || p.VendorID == "" {
				t.Fatalf("listed %+v", p)
			}
			seen = append(seen, p.Email)
		}
		if cursor = got.Cursor; cursor == "" {
			break
		}
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 450 || pages != 2 {
		t.Errorf("%d people on %d pages", len(seen), pages+1)
	}
	if _, err := c.List(t.Context(), "x"); err == nil {
		t.Error("a cursor that is none was taken")
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := open(t, config(v))
	one, two := v.AddContact("dana@example.com", nil), v.AddContact("dana.new@example.com", nil)
	who := connectors.Update{Email: "Dana.New@example.com", VendorID: one}
	done, err := c.Erase(t.Context(), who)
	if err != nil || done.Outcome != connectors.OK || done.Proof != "deleted contact "+one+", "+two || v.Writes() != 2 {
		t.Fatalf("erase: %+v, %v", done, err)
	}
	if done, err = c.Erase(t.Context(), who); err != nil || done.Outcome != connectors.OK || done.Proof != "not found" {
		t.Errorf("again: %+v, %v", done, err)
	}
	who.VendorID = v.AddContact("lee@example.com", nil)
	v.failing(http.MethodDelete, "/contact/"+who.VendorID, 1, 412, "has dependencies")
	if done, err = c.Erase(t.Context(), who); err != nil || done.Outcome != connectors.Permanent || !strings.Contains(done.Message, "dependencies") {
		t.Errorf("refused: %+v, %v", done, err)
	}
	v.failing(http.MethodDelete, "/contact/"+who.VendorID, 1, 503, "")
	if _, err = c.Erase(t.Context(), who); err == nil {
		t.Error("a failure is told as done")
	}
}

// TestRulesNameKnownTypes: a rule for a type that never arrives would be dead.
func TestRulesNameKnownTypes(t *testing.T) {
	t.Parallel()
	d := eloqua.Vendor().Descriptor
	rs, err := mapping.Compile("rules.yaml", d.Rules, mapping.Options{Connection: "eloqua", Connector: d.ID})
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	var known []string
	for _, e := range d.Events {
		known = append(known, e.Type)
	}
	for _, typ := range rs.Types() {
		if !slices.Contains(known, typ) {
			t.Errorf("a rule names %s, the descriptor does not", typ)
		}
	}
}

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the simulated vendor, against a description of
// Oracle's API.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	description := connectortest.Describe(t, "eloqua.openapi.json")
	v := newVendor(t)
	server := httptest.NewServer(description.Wrap(http.HandlerFunc(v.serve)))
	t.Cleanup(server.Close)
	cfg := config(v)
	cfg.Settings["base_url"], cfg.Settings["auth"], cfg.Settings["activities"] = server.URL, "oauth", "FormSubmit,EmailClickthrough"
	c := open(t, cfg)
	dana := v.AddContact("dana@example.com", nil)
	v.AddList("sb:promoters")
	v.Log("FormSubmit", dana, "Contact us", "2026-11-20 09:04:00")
	began := fetch(t, c, "")
	if read := fetch(t, c, began.Cursor); len(read.Events) != 1 {
		t.Errorf("told %+v", read)
	}
	u := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Want.Traits = map[string]any{"C_Company": "Acme"}
	gone := person("lee@example.com", "Lead", nil, nil)
	gone.VendorID = "7"
	for i, r := range followed(t, c, u, person("new@example.com", "Lead", []string{"at_risk"}, nil), gone) {
		if (connectortest.Outcome(r) == "ok") != (i < 2) {
			t.Errorf("person %d: %+v", i, r)
		}
	}
	v.failing(http.MethodGet, "/syncs/77", 1, 200, `{"uri":"/syncs/77","status":"error"}`)
	_, poll := c.Poll(t.Context(), "77", []connectors.Update{u})
	_, release := c.Enrich(t.Context(), []connectors.Lookup{{Type: "release", Body: []byte(`{"instance":"0b6c7d2e111142228333944455556666","execution":"900","contacts":["` + dana + `"]}`)}})
	u.VendorID = dana
	_, read := c.Read(t.Context(), []connectors.Update{u, person("new@example.com", "", []string{"at_risk"}, nil)})
	_, listed := c.List(t.Context(), "")
	_, check := c.Check(t.Context())
	_, erase := c.Erase(t.Context(), u)
	if err := errors.Join(poll, release, read, listed, check, erase); err != nil {
		t.Error(err)
	}
	if seen := description.Seen(); len(seen) < 15 {
		t.Errorf("only %d operations were exercised: %v", len(seen), seen)
	} else {
		t.Log(len(seen), seen)
	}
}
