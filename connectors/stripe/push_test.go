package stripe_test

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
	"github.com/stagebridge/stagebridge/connectors/stripe"
	"github.com/stagebridge/stagebridge/connectors/stripe/stripesim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// open opens a connection against an address; change edits it first.
func open(t testing.TB, base string, change func(*connectors.Config)) *stripe.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Instance = "instance-under-test"
	cfg.Settings = map[string]string{"base_url": base, "mode": "any"}
	cfg.Push.Enabled = true
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
	if change != nil {
		change(&cfg)
	}
	c, err := stripe.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*stripe.Connector)
}

// account starts a stand-in.
func account(t testing.TB) (*stripesim.Sim, string) {
	t.Helper()
	sim := stripesim.New()
	s := httptest.NewServer(sim)
	t.Cleanup(s.Close)
	return sim, s.URL
}

func pushOne(t testing.TB, c *stripe.Connector, u connectors.Update) connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), []connectors.Update{u})
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

// TestPushFindsTheCustomer: by id, by address, and by address where the id is
// that of a customer who has gone.
func TestPushFindsTheCustomer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		create  bool
		update  func(old, gone, newest string) connectors.Update
		outcome connectors.Outcome
		reason  connectors.Reason
		who     string // old or newest
	}{
		{"by id", false, func(old, _, _ string) connectors.Update { return connectors.Update{VendorID: old} }, connectors.OK, "", "old"},
		{"the newest of the address", false, func(_, _, _ string) connectors.Update { return connectors.Update{Email: "dana@example.com"} }, connectors.OK, "", "newest"},
		{"id gone, address there", false, func(_, gone, _ string) connectors.Update {
			return connectors.Update{VendorID: gone, Email: "dana@example.com", Known: &connectors.State{Stage: "Customer"}}
		}, connectors.OK, "", "newest"},
		{"id gone, no address", true, func(_, gone, _ string) connectors.Update { return connectors.Update{VendorID: gone} }, connectors.Skipped, connectors.ReasonNotInVendor, ""},
		{"id never there", false, func(_, _, _ string) connectors.Update { return connectors.Update{VendorID: "cus_none"} }, connectors.Skipped, connectors.ReasonNotInVendor, ""},
		{"address unknown", false, func(_, _, _ string) connectors.Update { return connectors.Update{Email: "new@example.com"} }, connectors.Skipped, connectors.ReasonNotInVendor, ""},
		{"address unknown, create", true, func(_, _, _ string) connectors.Update { return connectors.Update{Email: "new@example.com"} }, connectors.OK, "", "made"},
		{"nothing to know by", true, func(_, _, _ string) connectors.Update { return connectors.Update{} }, connectors.Skipped, connectors.ReasonNoIdentity, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, base := account(t)
			old := sim.AddCustomer("dana@example.com", map[string]string{"shop": "yes"})
			gone := sim.AddCustomer("dana@example.com", nil)
			newest := sim.AddCustomer("dana@example.com", nil)
			sim.Delete(gone)
			u := tt.update(old, gone, newest)
			u.ID = "u1"
			u.Want = connectors.State{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"dormant"}}
			r := pushOne(t, open(t, base, func(c *connectors.Config) { c.Push.Create = tt.create }), u)
			if r.Outcome != tt.outcome || r.Reason != tt.reason {
				t.Fatalf("result = %+v, want %s %s", r, tt.outcome, tt.reason)
			}
			if tt.who == "" {
				if sim.Writes() != 0 {
					t.Error("something was written")
				}
				return
			}
			if want := map[string]string{"old": old, "newest": newest}[tt.who]; want != "" && r.VendorID != want {
				t.Errorf("vendor id = %s, want %s", r.VendorID, want)
			}
			held := sim.Metadata(r.VendorID)
			if held["sb_stage"] != "Customer" || held["sb_segments"] != "at_risk" {
				t.Errorf("the customer holds %v", held)
			}
			if tt.who == "old" && held["shop"] != "yes" {
				t.Error("the shop's own metadata is gone")
			}
		})
	}
}

// TestSegmentsAreAManagedSet: names that others put into the list stay, and a
// comma in a name is no separator.
func TestSegmentsAreAManagedSet(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	id := sim.AddCustomer("dana@example.com", map[string]string{"sb_segments": "by_hand,dormant, trialists"})
	u := connectors.Update{ID: "u1", VendorID: id, Want: connectors.State{Segments: []string{"a, b", "at_risk"}, Absent: []string{"dormant", "promoters"}}}
	c := open(t, base, nil)
	if r := pushOne(t, c, u); r.Outcome != connectors.OK {
		t.Fatalf("result = %+v", r)
	}
	if got, want := sim.Metadata(id)["sb_segments"], "a%2C b,at_risk,by_hand,trialists"; got != want {
		t.Errorf("the list is %q, want %q", got, want)
	}
	states, err := c.Read(t.Context(), []connectors.Update{u})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&connectors.State{Segments: []string{"a, b", "at_risk"}, Absent: []string{"dormant", "promoters"}}, states[0]); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

// TestSegmentsTooLong: the rest is written, and the person is told apart.
func TestSegmentsTooLong(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	id := sim.AddCustomer("dana@example.com", nil)
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("segment_%02d", i))
	}
	r := pushOne(t, open(t, base, nil), connectors.Update{ID: "u1", VendorID: id, Want: connectors.State{Stage: "Trial", Segments: names}})
	if r.Outcome != connectors.Permanent || r.Reason != connectors.ReasonTooLarge || !strings.Contains(r.Message, "500") {
		t.Errorf("result = %+v", r)
	}
	if held := sim.Metadata(id); held["sb_stage"] != "Trial" || held["sb_segments"] != "" {
		t.Errorf("the customer holds %v", held)
	}
}

// TestTraits: a value that is too long is cut, and one that is gone removes its
// entry and no other.
func TestTraits(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	id := sim.AddCustomer("dana@example.com", map[string]string{"plan": "old", "shop": "yes"})
	c := open(t, base, func(c *connectors.Config) { c.Push.Traits = map[string]string{"plan": "plan", "note": "note"} })
	u := connectors.Update{ID: "u1", VendorID: id, Want: connectors.State{Traits: map[string]any{"plan": nil, "note": strings.Repeat("ä", 600)}}}
	if r := pushOne(t, c, u); r.Outcome != connectors.OK {
		t.Fatalf("result = %+v", r)
	}
	want := map[string]string{"shop": "yes", "note": strings.Repeat("ä", 500)}
	if diff := cmp.Diff(want, sim.Metadata(id)); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// TestPushFailures goes through Stripe's own forms of failure at the write.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	problem := func(code, message string) string {
		return fmt.Sprintf(`{"error":{"type":"invalid_request_error","code":%q,"message":%q,"param":"metadata"}}`, code, message)
	}
	for _, tt := range []struct {
		name   string
		status int
		again  string
		body   string
		want   string
		words  string
	}{
		{"refused", 400, "", problem("", "Metadata values can have up to 500 characters"), "permanent invalid", "Metadata values can have up to 500 characters"},
		{"the parameter is named", 400, "false", problem("", "Too long"), "permanent invalid", "Too long (metadata)"},
		{"key", 401, "", problem("", "Invalid API Key provided: sk_test_stand_in"), "error auth", "Invalid API Key"},
		{"permission", 403, "", problem("", "The provided key does not have the required permissions"), "error forbidden", "permissions"},
		{"gone", 404, "", problem("resource_missing", "No such customer: 'cus_1'"), "skipped not_in_vendor", ""},
		{"another address", 404, "", problem("", "Unrecognized request URL"), "permanent not_found", "Unrecognized"},
		{"lock", 409, "", problem("lock_timeout", "This object cannot be accessed right now"), "retry conflict", "right now"},
		{"conflict for good", 409, "false", problem("", "no"), "permanent conflict", "no"},
		{"idempotency", 400, "", `{"error":{"type":"idempotency_error","message":"Keys for idempotent requests"}}`, "permanent invalid", "Keys"},
		{"rate", 429, "", problem("rate_limit", "Too many requests"), "error rate_limit", "Too many"},
		{"server", 500, "", `{"error":{"type":"api_error"}}`, "retry server", "api_error"},
		{"server, not again", 500, "false", `{"error":{"type":"api_error","message":"no"}}`, "permanent server", "no"},
		{"refused, but again", 400, "true", "", "retry invalid", "without a reason"},
		{"another value", 200, "", `{"id":"cus_1","object":"customer","metadata":{"sb_stage":"Trial"}}`, "retry bad_answer", "what was written"},
		{"deleted", 200, "", `{"id":"cus_1","object":"customer","deleted":true}`, "skipped not_in_vendor", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := connectortest.NewFake(t)
			f.Handle("POST /v1/customers/{id}", func(w http.ResponseWriter, r *http.Request) {
				if tt.again != "" {
					w.Header().Set("Stripe-Should-Retry", tt.again)
				}
				connectortest.Reply(tt.status, tt.body)(w, r)
			})
			results, err := open(t, f.URL, nil).Push(t.Context(), []connectors.Update{{ID: "u1", VendorID: "cus_1", Want: connectors.State{Stage: "Customer"}}})
			got, words := "", ""
			var e *connectors.PushError
			switch {
			case errors.As(err, &e):
				got, words = "error "+string(e.Reason), e.Error()
			case err != nil:
				t.Fatal(err)
			default:
				got, words = string(results[0].Outcome)+" "+string(results[0].Reason), results[0].Message
			}
			if got != tt.want || !strings.Contains(words, tt.words) || strings.Contains(words, stripesim.APIKey) {
				t.Errorf("got %s (%s), want %s (%s)", got, words, tt.want, tt.words)
			}
		})
	}
}

// TestPushStops: once the vendor is seen to be away, the rest of the batch is
// left for later, and one refused person stops nobody.
func TestPushStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status, most int
		wantError    bool
	}{
		{400, 10, false}, {429, 5, true}, {500, 7, false}, {401, 5, true},
	} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			t.Parallel()
			f := connectortest.NewFake(t)
			f.Reply("POST /v1/customers/{id}", tt.status, `{"error":{"type":"api_error","message":"no"}}`)
			var updates []connectors.Update
			for i := range 10 {
				updates = append(updates, connectors.Update{ID: fmt.Sprint(i), VendorID: fmt.Sprintf("cus_%d", i), Want: connectors.State{Stage: "Customer"}})
			}
			results, err := open(t, f.URL, nil).Push(t.Context(), updates)
			if n := len(f.Requests()); n > tt.most || (err != nil) != tt.wantError {
				t.Errorf("%d requests, at most %d wanted; error %v", n, tt.most, err)
			}
			for i, r := range results {
				left := r.Outcome == connectors.Retry && (r.Reason == connectors.ReasonServer || r.Reason == connectors.ReasonNotDone)
				if tt.status == 400 && r.Outcome != connectors.Permanent || tt.status == 500 && !left {
					t.Errorf("result %d = %+v", i, r)
				}
			}
		})
	}
}

// TestCreate: a lost answer makes no second customer, and nothing empty is sent.
func TestCreate(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	c := open(t, base, func(c *connectors.Config) { c.Push.Create = true })
	u := connectors.Update{ID: "u1", Email: "new@example.com", Want: connectors.State{Stage: "Customer", Absent: []string{"dormant"}, Traits: map[string]any{"plan": nil}}}
	first := pushOne(t, c, u)
	second := pushOne(t, c, u)
	if first.Outcome != connectors.OK || second.VendorID != first.VendorID || len(sim.Held()) != 1 {
		t.Errorf("first %+v, second %+v, held %v", first, second, sim.Held())
	}
	if diff := cmp.Diff(map[string]string{"sb_stage": "Customer"}, sim.Metadata(first.VendorID)); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// TestList goes through all pages.
func TestList(t *testing.T) {
	t.Parallel()
	sim, base := account(t)
	for i := range 205 {
		sim.AddCustomer(fmt.Sprintf("p%d@example.com", i), map[string]string{"sb_stage": "Trial", "sb_segments": "b,a"})
	}
	c := open(t, base, nil)
	var emails []string
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		listed, err := c.List(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range listed.People {
			emails = append(emails, p.Email)
			if p.VendorID == "" || p.State.Stage != "Trial" || !slices.Equal(p.State.Segments, []string{"a", "b"}) {
				t.Fatalf("listing = %+v", p)
			}
		}
		cursor = listed.Cursor
	}
	slices.Sort(emails)
	if len(slices.Compact(emails)) != 205 {
		t.Errorf("%d people listed, want 205", len(emails))
	}
}

// TestCheckWithARestrictedKey: without the account's permission a look at the
// customers decides.
func TestCheckWithARestrictedKey(t *testing.T) {
	t.Parallel()
	f := connectortest.NewFake(t)
	f.Reply("GET /v1/account", 403, `{"error":{"type":"invalid_request_error","message":"no permission"}}`)
	f.Reply("GET /v1/customers", 200, `{"object":"list","data":[],"has_more":false,"url":"/v1/customers"}`)
	said, err := open(t, f.URL, func(c *connectors.Config) { c.Settings["mode"] = "test" }).Check(t.Context())
	if err != nil || !strings.Contains(said, "restricted key") || !strings.Contains(said, "test mode") {
		t.Errorf("check = %q, %v", said, err)
	}
	f.Reply("GET /v1/customers", 403, `{"error":{"type":"invalid_request_error","message":"no permission"}}`)
	if _, err := open(t, f.URL, nil).Check(t.Context()); err == nil {
		t.Error("a key without any permission passes")
	}
}

// TestErase: by default our metadata goes and the outcome says that the
// customer stays; with on_erasure delete every customer of the person goes.
func TestErase(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"clear", "delete"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			sim, base := account(t)
			full := map[string]string{"sb_stage": "Customer", "sb_stage_at": "x", "sb_segments": "a", "plan": "team", "shop": "yes"}
			ids := []string{sim.AddCustomer("dana@example.com", full), sim.AddCustomer("dana@example.com", full), sim.AddCustomer("dana@home.example.com", full)}
			c := open(t, base, func(c *connectors.Config) { c.Settings["on_erasure"] = mode })
			done, err := c.Erase(t.Context(), connectors.Update{
				VendorID: ids[0], Email: "dana@example.com", Keys: []lifecycle.Key{{Namespace: "email", Value: "dana@home.example.com"}, {Namespace: "email", Value: "dana@example.com"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if mode == "delete" {
				if done.Outcome != connectors.OK || done.Proof == "" || len(sim.Held()) != 0 {
					t.Errorf("erased = %+v, held %v", done, sim.Held())
				}
			} else {
				if done.Outcome != connectors.Skipped || !strings.Contains(done.Message, "remain") || sim.Writes() != 3 {
					t.Errorf("erased = %+v after %d writes", done, sim.Writes())
				}
				for _, id := range ids {
					if diff := cmp.Diff(map[string]string{"shop": "yes"}, sim.Metadata(id)); diff != "" {
						t.Errorf("metadata (-want +got):\n%s", diff)
					}
				}
			}
			if done, err := c.Erase(t.Context(), connectors.Update{Email: "nobody@example.com"}); err != nil || done.Outcome != connectors.OK {
				t.Errorf("erasing nobody = %+v, %v", done, err)
			}
		})
	}
}

// TestRegister: an endpoint is made once with its secret, brought in line when
// the secret is known, replaced when it is not, and never touched elsewhere.
func TestRegister(t *testing.T) {
	t.Parallel()
	_, base := account(t)
	bare := func(c *connectors.Config) { delete(c.Secrets, "signing_secret") }
	other := open(t, base, func(c *connectors.Config) { c.PublicURL = "https://other.example.com/hooks/shop" })
	if _, err := other.Register(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	first, err := open(t, base, bare).Register(t.Context(), nil)
	if err != nil || first.Secrets["signing_secret"].Empty() || !slices.Contains(first.Types, "invoice.paid") {
		t.Fatalf("registered %+v, %v", first, err)
	}
	withSecret := open(t, base, func(c *connectors.Config) {
		c.Secrets["signing_secret"] = []secret.Text{first.Secrets["signing_secret"]}
	})
	again, err := withSecret.Register(t.Context(), []string{"invoice.paid"})
	if err != nil || again.ID != first.ID || len(again.Secrets) != 0 {
		t.Fatalf("registered again %+v, %v", again, err)
	}
	replaced, err := open(t, base, bare).Register(t.Context(), nil)
	if err != nil || replaced.ID == first.ID || replaced.Secrets["signing_secret"].Empty() {
		t.Fatalf("replaced %+v, %v", replaced, err)
	}
	there, err := withSecret.Registered(t.Context())
	if err != nil || len(there) != 1 || there[0].ID != replaced.ID {
		t.Fatalf("registered are %+v, %v", there, err)
	}
	for range 2 {
		if err := withSecret.Unregister(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := other.Registered(t.Context()); err != nil || len(there) != 1 {
		t.Errorf("the other installation's are %+v, %v", there, err)
	}
}
