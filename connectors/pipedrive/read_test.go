package pipedrive_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// guarded answers one path with a status and leaves the rest to the vendor.
func guarded(t *testing.T, v *vendor, path string, status int) *vendor {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			w.WriteHeader(status)
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &vendor{url: server.URL}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	text, err := connect(t, v).Check(t.Context())
	if err != nil || text != "User Ines Example (number 331) of Acme (company number 4410)" {
		t.Errorf("check = %q, %v", text, err)
	}
	_, err = connect(t, v, setting("company_id", "1")).Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
		t.Errorf("another company: %v", err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	v.AddField("Seats", "double")
	dana := strconv.FormatInt(v.AddPerson("Dana", "dana@example.com"), 10)
	v.AddPerson("Lee", "lee@example.com")
	c := connect(t, v, trait("Seats", "seats"))
	u := wanting("dana@example.com", "Customer", "at_risk")
	u.Want.Traits = map[string]any{"Seats": int64(12)}
	connectortest.Push(t, c, u)
	ask := func(id, email string) connectors.Update {
		return connectors.Update{VendorID: id, Email: email, Want: connectors.State{Segments: []string{"at_risk"}, Absent: []string{"promoters"}}}
	}
	states, err := c.Read(t.Context(), []connectors.Update{ask(dana, ""), ask("", "Dana@Example.com"), ask("77", "lee@example.com"), ask("", "no@example.com"), ask("77", "")})
	if err != nil {
		t.Fatal(err)
	}
	full := &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"Seats": int64(12)}}
	bare := &connectors.State{Absent: []string{"at_risk", "promoters"}, Traits: map[string]any{"Seats": nil}}
	if diff := cmp.Diff([]*connectors.State{full, full, bare, nil, nil}, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	for i := range 130 {
		v.AddPerson("P", fmt.Sprintf("p%d@example.com", i))
	}
	c := connect(t, v)
	connectortest.Push(t, c, wanting("p7@example.com", "Customer", "at_risk"))
	var people []connectors.Listing
	pages := 0
	for cursor := ""; ; pages++ {
		page, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		people = append(people, page.People...)
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	if len(people) != 130 || pages != 1 {
		t.Fatalf("%d people on %d pages", len(people), pages+1)
	}
	p := people[7]
	if diff := cmp.Diff(connectors.State{Stage: "Customer", Segments: []string{"at_risk"}}, p.State); diff != "" || p.Email != "p7@example.com" || p.VendorID == "" {
		t.Errorf("%+v (-want +got):\n%s", p, diff)
	}
	if p := people[8]; p.State.Stage != "" || p.State.Segments != nil {
		t.Errorf("%+v", p)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	first := strconv.FormatInt(v.AddPerson("Dana", "dana@example.com"), 10)
	v.AddPerson("Dana again", "dana@example.com")
	other := strconv.FormatInt(v.AddPerson("Lee", "lee@example.com"), 10)
	c := connect(t, v)
	erase := func(u connectors.Update) *connectors.Erased {
		t.Helper()
		done, err := c.Erase(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	who := connectors.Update{VendorID: first, Email: "dana@example.com"}
	if done := erase(who); done.Outcome != connectors.OK || !strings.Contains(done.Proof, first) || strings.Contains(done.Proof, "@") {
		t.Errorf("%+v", done)
	}
	if w := v.writes(); len(w) != 2 {
		t.Errorf("writes %v", w)
	}
	if done := erase(who); done.Outcome != connectors.OK || done.Proof == "" || len(v.writes()) != 1 {
		t.Errorf("again: %+v", done)
	}
	if done := erase(connectors.Update{}); done.Outcome != connectors.Skipped {
		t.Errorf("nobody: %+v", done)
	}
	states, err := c.Read(t.Context(), []connectors.Update{{VendorID: other}})
	if err != nil || states[0] == nil {
		t.Errorf("somebody else is gone too: %v", err)
	}
	if _, err := connect(t, guarded(t, v, "/api/v2/persons/search", http.StatusServiceUnavailable)).Erase(t.Context(), who); err == nil {
		t.Error("an erasure that nobody knows the outcome of is told as done")
	}
}

// TestSearchShowsNoAddress: a person whom a search names without an address is
// looked at before being written to or deleted.
func TestSearchShowsNoAddress(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := strconv.FormatInt(v.AddPerson("Dana", "dana@example.com"), 10)
	lee := strconv.FormatInt(v.AddPerson("Lee", "lee@example.com"), 10)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v2/persons/search" {
			v.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"success":true,"data":{"items":[{"item":{"id":%s}},{"item":{"id":%s}}]}}`, lee, dana)
	}))
	t.Cleanup(front.Close)
	c := connect(t, v, setting("base_url", front.URL))
	if r := connectortest.Push(t, c, wanting("Dana@example.com", "Customer"))[0]; connectortest.Outcome(r) != "ok" || r.VendorID != dana {
		t.Errorf("push: %+v, want person %s", r, dana)
	}
	if done, err := c.Erase(t.Context(), connectors.Update{Email: "dana@example.com"}); err != nil || strings.Contains(done.Proof, lee) || !strings.Contains(done.Proof, dana) {
		t.Errorf("erase: %+v, %v", done, err)
	}
}
