package salesforcemarketingcloud_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	sfmc "github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud"
	sfmcsim "github.com/stagebridge/stagebridge/connectors/salesforcemarketingcloud/salesforcemarketingcloudsim"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// open opens a connection against an address; change edits it first.
func open(t testing.TB, base string, change func(*connectors.Config)) *sfmc.Connector {
	t.Helper()
	cfg := conforming()
	cfg.Settings["base_url"] = base
	cfg.Push.Enabled = true
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true})
	if change != nil {
		change(&cfg)
	}
	c, err := sfmc.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*sfmc.Connector)
}

// unit starts a stand-in.
func unit(t testing.TB) (*sfmcsim.Sim, string) {
	t.Helper()
	sim := sfmcsim.New()
	s := httptest.NewServer(sim)
	t.Cleanup(s.Close)
	return sim, s.URL
}

func push(t testing.TB, c *sfmc.Connector, updates ...connectors.Update) []connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), updates)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestPushFindsTheKey: the one known, the contact of the address, or the one
// that the settings give.
func TestPushFindsTheKey(t *testing.T) {
	t.Parallel()
	user := []lifecycle.Key{{Namespace: "user", Value: "u-42"}}
	for _, tt := range []struct {
		name    string
		change  func(*connectors.Config)
		update  connectors.Update
		outcome connectors.Outcome
		reason  connectors.Reason
		key     string
	}{
		{"known", nil, connectors.Update{VendorID: "cus_1", Email: "dana@example.com"}, connectors.OK, "", "cus_1"},
		{"by address", nil, connectors.Update{Email: "Dana@Example.com"}, connectors.OK, "", "cus_dana"},
		{"no contact", nil, connectors.Update{Email: "new@example.com"}, connectors.Skipped, connectors.ReasonNotInVendor, ""},
		{"no contact, create", func(c *connectors.Config) { c.Push.Create = true }, connectors.Update{Email: "New@example.com"}, connectors.OK, "", "new@example.com"},
		{"create by user id", func(c *connectors.Config) { c.Push.Create, c.Settings["contact_key"] = true, "user" }, connectors.Update{Email: "new@example.com", Keys: user}, connectors.OK, "", "u-42"},
		{"create without a user id", func(c *connectors.Config) { c.Push.Create, c.Settings["contact_key"] = true, "user" }, connectors.Update{Email: "new@example.com"}, connectors.Skipped, connectors.ReasonNotInVendor, ""},
		{"without looking", func(c *connectors.Config) { c.Settings["find_contacts"] = "false" }, connectors.Update{Email: "dana@example.com"}, connectors.OK, "", "dana@example.com"},
		{"nothing to know by", nil, connectors.Update{Keys: user}, connectors.Skipped, connectors.ReasonNoIdentity, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, base := unit(t)
			sim.AddContact("cus_dana", "dana@example.com")
			u := tt.update
			u.ID, u.Want = "u1", connectors.State{Stage: "Customer", Segments: []string{"b", "a, c"}, Absent: []string{"d"}}
			r := push(t, open(t, base, tt.change), u)[0]
			if r.Outcome != tt.outcome || r.Reason != tt.reason || r.VendorID != tt.key {
				t.Fatalf("result = %+v, want %s %s for %q", r, tt.outcome, tt.reason, tt.key)
			}
			if tt.key == "" {
				if sim.Writes() != 0 {
					t.Error("something was written")
				}
				return
			}
			if row := sim.Row(tt.key); row["stage"] != "Customer" || row["segments"] != ",a%2C c,b," {
				t.Errorf("row = %v", row)
			}
		})
	}
}

// TestExtension is found, made once, or named; without leave none is made.
func TestExtension(t *testing.T) {
	t.Parallel()
	u := connectors.Update{ID: "u1", VendorID: "cus_1", Want: connectors.State{Stage: "Customer"}}
	t.Run("made once", func(t *testing.T) {
		t.Parallel()
		sim, base := unit(t)
		c := open(t, base, func(c *connectors.Config) { c.Settings["folder_id"] = "12345" })
		push(t, c, u)
		push(t, open(t, base, nil), u)
		if sim.Writes() != 3 {
			t.Errorf("%d writes, want one extension and two rows", sim.Writes())
		}
	})
	t.Run("found by its name", func(t *testing.T) {
		t.Parallel()
		sim, base := unit(t)
		sim.AddExtension("SB_Lifecycle_old", "OLD", "Stage")
		sim.AddExtension("sb_lifecycle", "OURS", "Stage")
		push(t, open(t, base, nil), u)
		if sim.Row("cus_1") == nil || sim.Writes() != 1 {
			t.Errorf("row %v after %d writes", sim.Row("cus_1"), sim.Writes())
		}
	})
	t.Run("named by its key", func(t *testing.T) {
		t.Parallel()
		sim, base := unit(t)
		sim.AddExtension("Something else", "GIVEN-KEY", "Stage")
		push(t, open(t, base, func(c *connectors.Config) { c.Settings["data_extension_key"] = "GIVEN-KEY" }), u)
		if sim.Row("cus_1")["stage"] != "Customer" {
			t.Errorf("row %v", sim.Row("cus_1"))
		}
	})
	t.Run("must not be made", func(t *testing.T) {
		t.Parallel()
		_, base := unit(t)
		_, err := open(t, base, func(c *connectors.Config) { c.Settings["create_data_extension"] = "false" }).Push(t.Context(), []connectors.Update{u})
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("deleted meanwhile", func(t *testing.T) {
		t.Parallel()
		sim, base := unit(t)
		c := open(t, base, nil)
		push(t, c, u)
		sim.DropExtensions()
		_, err := c.Push(t.Context(), []connectors.Update{u})
		var e *connectors.PushError
		if !errors.As(err, &e) || !e.Retryable {
			t.Fatalf("error = %v, want one to try again", err)
		}
		if r := push(t, c, u)[0]; r.Outcome != connectors.OK {
			t.Errorf("result = %+v", r)
		}
	})
}

// TestToken: a token that ended is replaced once, and no more.
func TestToken(t *testing.T) {
	t.Parallel()
	sim, base := unit(t)
	c := open(t, base, nil)
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	sim.Expire()
	if said, err := c.Check(t.Context()); err != nil || !strings.Contains(said, "510001") {
		t.Errorf("check = %q, %v", said, err)
	}
	f := connectortest.NewFake(t)
	f.Reply("POST /v2/token", 200, `{"access_token":"a-token-that-is-refused","expires_in":1079}`)
	f.Reply("GET /platform/v1/tokenContext", 401, `{"message":"Not Authorized: a-token-that-is-refused","errorcode":0}`)
	_, err := open(t, f.URL, nil).Check(t.Context())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonAuth || strings.Contains(err.Error(), "a-token") {
		t.Errorf("error = %v", err)
	}
	if n := len(f.Requests()); n != 4 {
		t.Errorf("%d requests, want two tokens and two tries", n)
	}
}

// TestPushFailures goes through the vendor's own forms of failure at the rowset.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   string
		words  string
	}{
		{"a bad row", 400, `{"message":"Unable to save rows for data extension ID x","errorcode":10006,"additionalErrors":[{"message":"The column Plan does not exist","errorcode":10000}]}`, "permanent invalid", "Plan does not exist"},
		{"not now", 400, `{"message":"Unable to save rows for data extension ID x","errorcode":10006,"additionalErrors":[]}`, "error server retryable", "Unable to save"},
		{"not now, as text", 400, `{"message":"Unable to save rows","errorcode":"10006"}`, "error server retryable", "Unable"},
		{"permission", 403, `{"message":"Insufficient Privileges","errorcode":20002}`, "error forbidden", "Insufficient"},
		{"throttled", 429, `{"message":"Too many requests","errorcode":50100}`, "error rate_limit retryable", "Too many"},
		{"blocked", 429, `{"message":"Account blocked","errorcode":50200}`, "error rate_limit", "blocked"},
		{"away", 503, `{"message":"Service unavailable","errorcode":50300}`, "error server retryable", "unavailable"},
		{"fewer rows than sent", 200, `[]`, "retry bad_answer", "does not list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, _ := unit(t)
			f := connectortest.NewFake(t)
			for _, route := range []string{"POST /v2/token", "GET /data/v1/customobjects", "POST /data/v1/customobjects"} {
				f.Handle(route, sim.ServeHTTP)
			}
			f.Reply("POST /hub/v1/dataevents/{x}/rowset", tt.status, tt.body)
			results, err := open(t, f.URL, nil).Push(t.Context(), []connectors.Update{{ID: "u1", VendorID: "cus_1", Want: connectors.State{Stage: "Customer"}}})
			got, words := "", ""
			var e *connectors.PushError
			switch {
			case errors.As(err, &e):
				if got, words = "error "+string(e.Reason), e.Error(); e.Retryable {
					got += " retryable"
				}
			case err != nil:
				t.Fatal(err)
			default:
				got, words = string(results[0].Outcome)+" "+string(results[0].Reason), results[0].Message
			}
			if got != tt.want || !strings.Contains(words, tt.words) {
				t.Errorf("got %s (%s), want %s (%s)", got, words, tt.want, tt.words)
			}
		})
	}
}

// TestBisect: bad rows are found by halving; when too many are bad the rest is
// left for the next time.
func TestBisect(t *testing.T) {
	t.Parallel()
	for _, bad := range []int{0, 1, 3, 50} {
		t.Run(fmt.Sprint(bad), func(t *testing.T) {
			t.Parallel()
			sim, base := unit(t)
			var updates []connectors.Update
			for i := range 50 {
				email := fmt.Sprintf("p%02d@example.com", i)
				if i%17 == 0 && i/17 < bad || bad == 50 {
					sim.Refuse(email, "bad")
				}
				updates = append(updates, connectors.Update{ID: email, VendorID: email, Email: email, Want: connectors.State{Stage: "Customer"}})
			}
			count := map[connectors.Outcome]int{}
			for i, r := range push(t, open(t, base, nil), updates...) {
				count[r.Outcome]++
				if r.Outcome == connectors.OK && sim.Row(updates[i].VendorID)["stage"] != "Customer" {
					t.Errorf("%s is ok and has no row", updates[i].ID)
				}
			}
			if bad < 50 && (count[connectors.Permanent] != bad || count[connectors.OK] != 50-bad) {
				t.Errorf("outcomes %v with %d bad rows", count, bad)
			}
			if bad == 50 && (count[connectors.OK] != 0 || count[connectors.Permanent] < 10 || count[connectors.Retry] == 0) {
				t.Errorf("outcomes %v with all rows bad", count)
			}
		})
	}
}

// TestTooLong: a list that fits no column is told, and nobody else is held.
func TestTooLong(t *testing.T) {
	t.Parallel()
	_, base := unit(t)
	long := connectors.Update{ID: "u1", VendorID: "cus_1", Want: connectors.State{Segments: []string{strings.Repeat("x", 4000)}}}
	fine := connectors.Update{ID: "u2", VendorID: "cus_2", Want: connectors.State{Stage: "Trial", Traits: map[string]any{"Plan": strings.Repeat("ä", 600)}}}
	results := push(t, open(t, base, nil), long, fine)
	if results[0].Outcome != connectors.Permanent || results[0].Reason != connectors.ReasonTooLarge || results[1].Outcome != connectors.OK {
		t.Errorf("results = %+v", results)
	}
}

// TestRead gives back what was pushed, and nothing for somebody without a row.
func TestRead(t *testing.T) {
	t.Parallel()
	sim, base := unit(t)
	sim.AddContact("o'neil", "dana@example.com")
	c := open(t, base, nil)
	want := connectors.State{Stage: "Customer", Segments: []string{"a, b"}, Absent: []string{"c"}, Traits: map[string]any{"Plan": "team"}}
	people := []connectors.Update{{ID: "u1", Email: "dana@example.com", Want: want}, {ID: "u2", Email: "new@example.com", Want: want}, {ID: "u3", Want: want}}
	if states, err := c.Read(t.Context(), people); err != nil || states[0] != nil {
		t.Errorf("before there is an extension: %v, %v", states, err)
	}
	push(t, c, people[0])
	states, err := c.Read(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*connectors.State{&want, nil, nil}, states); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

// TestErase gives all keys of the person to be deleted.
func TestErase(t *testing.T) {
	t.Parallel()
	sim, base := unit(t)
	sim.AddContact("cus_work", "dana@work.example.com")
	sim.AddContact("cus_old", "dana@work.example.com")
	c := open(t, base, nil)
	who := connectors.Update{VendorID: "cus_1", Email: "dana@example.com", Keys: []lifecycle.Key{{Namespace: "email", Value: "dana@work.example.com"}}}
	done, err := c.Erase(t.Context(), who)
	if err != nil || done.Outcome != connectors.Submitted || done.Proof != "4711 m-1" {
		t.Errorf("erased %+v, %v", done, err)
	}
	if diff := cmp.Diff([]string{"cus_1", "cus_old", "cus_work"}, sim.Erased()); diff != "" {
		t.Errorf("erased (-want +got):\n%s", diff)
	}
	if done, err := c.Erase(t.Context(), connectors.Update{Email: "new@example.com"}); err != nil || done.Outcome != connectors.OK {
		t.Errorf("erasing nobody %+v, %v", done, err)
	}
	for body, want := range map[string]connectors.Outcome{
		`{"operationStatus":"FAIL","hasErrors":true}`: connectors.Permanent, `{}`: connectors.Unconfirmed, `{"operationInitiated":true}`: connectors.Submitted,
	} {
		f := connectortest.NewFake(t)
		f.Handle("POST /v2/token", sim.ServeHTTP)
		f.Handle("POST /contacts/v1/addresses/email/search", func(w http.ResponseWriter, r *http.Request) {
			connectortest.Reply(200, `{"channelAddressResponseEntities":[]}`)(w, r)
		})
		f.Reply("POST /contacts/v1/contacts/actions/delete", 200, body)
		if done, err := open(t, f.URL, nil).Erase(t.Context(), who); err != nil || done.Outcome != want {
			t.Errorf("%s: %+v, %v", body, done, err)
		}
	}
}

// TestSettings: what is wrong is refused at the door, by the name of the field.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range [][2]string{
		{"subdomain", "evil.example.com/"}, {"subdomain", "a@b"}, {"base_url", "mc.example.com"}, {"account_id", "x"}, {"folder_id", "x"},
		{"data_extension", "a'b"}, {"contact_key", "phone"},
	} {
		cfg := conforming()
		cfg.Settings[tt[0]] = tt[1]
		_, err := sfmc.Vendor().Open(cfg)
		var e *connectors.SettingError
		if !errors.As(err, &e) || e.Field != tt[0] {
			t.Errorf("%v: %v", tt, err)
		}
	}
	cfg := conforming()
	cfg.Push.Traits = map[string]string{"subscriberkey": "plan"}
	if _, err := sfmc.Vendor().Open(cfg); err == nil {
		t.Error("a trait takes the place of the key")
	}
}

// TestLimits are those of one batch a call.
func TestLimits(t *testing.T) {
	t.Parallel()
	want := connectors.Limits{Batch: 50, Concurrency: 1, Rate: 5, Per: time.Second, Takes: connectors.TakesState}
	if got := open(t, "https://proxy.example.com", nil).Limits(); got != want {
		t.Errorf("limits = %+v", got)
	}
}
