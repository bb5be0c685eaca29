package helpscout_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	if text, err := connect(t, v.url).Check(t.Context()); err != nil || text != `The app works for "Ines Example" in the account 42` {
		t.Errorf("check = %q, %v", text, err)
	}
	_, err := connect(t, v.url, func(cfg *connectors.Config) { cfg.Push.Enabled = false; delete(cfg.Secrets, "app_secret") }).Check(t.Context())
	if e := connectors.AsPushError(err); e == nil || e.Reason != connectors.ReasonSettings {
		t.Errorf("without a secret: %v", err)
	}
}

func TestReadAndList(t *testing.T) {
	t.Parallel()
	for _, lean := range []bool{false, true} {
		v := newVendor(t)
		v.Lean(lean)
		v.Define("seats", "number")
		v.Define("sb_stage", "dropdown", "Customer")
		dana := strconv.FormatInt(v.AddCustomer("dana@example.com"), 10)
		for i := range 6 {
			v.AddCustomer(fmt.Sprintf("p%d@example.com", i))
		}
		c := connect(t, v.url, traits("seats"))
		u := wanting("dana@example.com", "Customer", "at_risk", "eu")
		u.Want.Traits = map[string]any{"seats": int64(12)}
		connectortest.Push(t, c, u)
		ask := func(id, address string) connectors.Update {
			return connectors.Update{VendorID: id, Email: address, Want: connectors.State{Segments: []string{"at_risk"}, Absent: []string{"promoters"}}}
		}
		states, err := c.Read(t.Context(), []connectors.Update{ask(dana, ""), ask("1", "Dana@Example.com"), ask("", "p1@example.com"), ask("", "no@example.com"), ask("1", "")})
		full := &connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"promoters"}, Traits: map[string]any{"seats": int64(12)}}
		bare := &connectors.State{Absent: []string{"at_risk", "promoters"}, Traits: map[string]any{"seats": nil}}
		if diff := cmp.Diff([]*connectors.State{full, full, bare, nil, nil}, states); err != nil || diff != "" {
			t.Errorf("lean %v: %v (-want +got):\n%s", lean, err, diff)
		}
		var people []connectors.Listing
		pages := 1
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
		if len(people) != 7 || pages != 3 {
			t.Fatalf("%d people on %d pages", len(people), pages)
		}
		want := connectors.Listing{VendorID: dana, Email: "dana@example.com", State: connectors.State{Stage: "Customer", Segments: []string{"at_risk", "eu"}}}
		if diff := cmp.Diff(want, people[0]); diff != "" {
			t.Errorf("lean %v (-want +got):\n%s", lean, diff)
		}
	}
	if page, err := connect(t, newVendor(t).url).List(t.Context(), ""); err != nil || len(page.People) != 0 || page.Cursor != "" {
		t.Errorf("an empty account: %+v, %v", page, err)
	}
}

func rating(customer string) connectors.Lookup {
	return connectors.Lookup{Type: "satisfaction.ratings", Body: []byte(`{"id":610,"customerId":` + customer + `}`)}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	dana := strconv.FormatInt(v.AddCustomer("dana@example.com"), 10)
	c := connect(t, v.url)
	records, err := c.Enrich(t.Context(), []connectors.Lookup{rating(dana), rating("99"), rating(dana), {Body: []byte("{")}, rating(`"../x"`)})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"contacts":[{"email":"dana@example.com","first_name":"Dana","id":"` + dana + `","last_name":"Reed"}],"id":"` + dana + `"}`
	for i, w := range []string{want, "", want, "", ""} {
		if diff := cmp.Diff(w, string(records[i].JSON)); diff != "" || records[i].Err != nil {
			t.Errorf("record %d: %v (-want +got):\n%s", i, records[i].Err, diff)
		}
	}
	if records[0].ModifiedAt == 0 {
		t.Error("no time of modification")
	}
	if got := v.took(); len(got) != 2 {
		t.Errorf("calls %v", got)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(server.Close)
	if _, err := connect(t, server.URL).Enrich(t.Context(), []connectors.Lookup{rating(dana)}); err == nil {
		t.Error("a vendor that is away is no answer")
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	first := strconv.FormatInt(v.AddCustomer("dana@example.com"), 10)
	second := strconv.FormatInt(v.AddCustomer("Dana@example.com"), 10)
	v.AddCustomer("lee@example.com")
	c := connect(t, v.url)
	erase := func(u connectors.Update) *connectors.Erased {
		t.Helper()
		done, err := c.Erase(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	who := connectors.Update{VendorID: first, Email: "dana@example.com"}
	if done := erase(who); done.Outcome != connectors.OK || done.Proof != "Help Scout deleted customer "+first+", "+second {
		t.Errorf("%+v", done)
	}
	if done := erase(who); done.Outcome != connectors.OK || !strings.Contains(done.Proof, "no such") {
		t.Errorf("again: %+v", done)
	}
	if done := erase(connectors.Update{}); done.Outcome != connectors.Skipped {
		t.Errorf("nobody: %+v", done)
	}
	if page, err := c.List(t.Context(), ""); err != nil || len(page.People) != 1 {
		t.Errorf("left: %+v, %v", page, err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	done, err := connect(t, server.URL).Erase(t.Context(), connectors.Update{Email: "lee@example.com"})
	if err != nil || done.Outcome != connectors.Submitted {
		t.Errorf("taken for later: %+v, %v", done, err)
	}
}

// TestEraseByAllAddresses: each address is looked for, and nobody is deleted
// whom the search found for another reason.
func TestEraseByAllAddresses(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	work, home := v.AddCustomer("dana@example.com"), v.AddCustomer("dana@home.example.com")
	stranger := v.AddCustomer("lee@example.com")
	done, err := connect(t, v.url).Erase(t.Context(), connectors.Update{
		Email: "dana@example.com", Keys: []lifecycle.Key{{Namespace: lifecycle.NamespaceEmail, Value: "dana@home.example.com"}},
	})
	if want := fmt.Sprintf("Help Scout deleted customer %d, %d", work, home); err != nil || done.Proof != want {
		t.Errorf("%+v, %v, want %s", done, err, want)
	}
	// A search that is not exact, and whose list shows no addresses.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Has("query") {
			fmt.Fprintf(w, `{"_embedded":{"customers":[{"id":%d}]},"page":{"totalPages":1}}`, stranger)
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for _, address := range []string{"dana@example.com", `"lee"@example.com`} {
		done, err = connect(t, server.URL).Erase(t.Context(), connectors.Update{Email: address})
		if err != nil || done.Proof != "Help Scout holds no such customer" {
			t.Errorf("%s: %+v, %v", address, done, err)
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	v := newVendor(t)
	c := connect(t, v.url, setting("mailbox_ids", "3001, 3002"))
	made, err := c.Register(t.Context(), nil)
	if err != nil || made.ID == "" || len(made.Types) != 7 || len(made.Secrets) != 0 {
		t.Fatalf("register: %+v, %v", made, err)
	}
	if w := v.took(); !strings.Contains(w[1], `"secret":"webhook-secret-now","payloadVersion":"V2","label":"Stagebridge","notification":false,"mailboxIds":[3001,3002]`) {
		t.Errorf("requests %v", w)
	}
	again, err := c.Register(t.Context(), []string{"customer.deleted"})
	if err != nil || again.ID != made.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	all, err := c.Registered(t.Context())
	if err != nil || len(all) != 1 || !slices.Equal(all[0].Types, []string{"customer.deleted"}) || all[0].URL != "https://bridge.example.com/hooks/support" {
		t.Errorf("registered: %+v, %v", all, err)
	}
	v.SwitchOff()
	if all, err := c.Registered(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("switched off: %+v, %v", all, err)
	}
	bare := connect(t, v.url, func(cfg *connectors.Config) { delete(cfg.Secrets, "webhook_secret") })
	anew, err := bare.Register(t.Context(), nil)
	if err != nil || anew.ID == made.ID || anew.Secrets["webhook_secret"] == (secret.Text{}) {
		t.Errorf("anew: %+v, %v", anew, err)
	}
	if all, err := c.Registered(t.Context()); err != nil || len(all) != 1 || all[0].ID != anew.ID {
		t.Errorf("after that: %+v, %v", all, err)
	}
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil {
			t.Errorf("unregister: %v", err)
		}
	}
	for name, fail := range map[string]func() (*connectors.Registration, error){
		"an unknown event": func() (*connectors.Registration, error) {
			return c.Register(t.Context(), []string{"invoice.created"})
		},
		"no events": func() (*connectors.Registration, error) { return c.Register(t.Context(), []string{}) },
		"no address": func() (*connectors.Registration, error) {
			return connect(t, v.url, func(cfg *connectors.Config) { cfg.PublicURL = "" }).Register(t.Context(), nil)
		},
	} {
		if made, err := fail(); err == nil {
			t.Errorf("%s: %+v", name, made)
		}
	}
}
