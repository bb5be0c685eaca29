package customerio_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/customerio"
	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestCreateIsNotAssumed(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	id := v.Add("u-1", "dana@example.com", nil)
	c := open(t, v, func(cfg *connectors.Config) { cfg.Push.Create = false })
	results := connectortest.Push(t, c, person("dana@example.com", "Trial"), person("new@example.com", "Trial"))
	if connectortest.Outcome(results[0]) != "ok" || results[0].VendorID != id || connectortest.Outcome(results[1]) != "skipped not_in_vendor" {
		t.Errorf("results = %+v", results)
	}
	if _, made := v.Person("new@example.com"); made {
		t.Error("a person was made although push.create is off")
	}
	if p, _ := v.Person("dana@example.com"); p.Attributes["sb_stage"] != "Trial" {
		t.Errorf("attributes = %v", p.Attributes)
	}
}

// TestSomebodyWhoWasDeleted is skipped, or made again with everything.
func TestSomebodyWhoWasDeleted(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	u := person("dana@example.com", "Customer")
	u.Want.Segments = []string{"eu"}
	u.Known = &connectors.State{Stage: "Trial", Segments: []string{"eu"}}
	update := open(t, v, func(cfg *connectors.Config) { cfg.Push.Create = false })
	if got := connectortest.Outcome(connectortest.Push(t, update, u)[0]); got != "skipped not_in_vendor" {
		t.Error(got)
	}
	if got := connectortest.Outcome(connectortest.Push(t, open(t, v, nil), u)[0]); got != "ok" {
		t.Error(got)
	}
	p, _ := v.Person("dana@example.com")
	if diff := cmp.Diff(map[string]any{"sb_stage": "Customer", "sb_seg_eu": true}, p.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// TestWithoutTheAppKey: the Track API takes a write for nobody without a word,
// so its answer says nothing about people who may not be there.
func TestWithoutTheAppKey(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	v.Add("u-1", "dana@example.com", nil)
	bare := func(create bool) *customerio.Connector {
		return open(t, v, func(cfg *connectors.Config) {
			cfg.Push.Create = create
			delete(cfg.Secrets, "app_api_key")
		})
	}
	known := person("dana@example.com", "Customer")
	known.Known = &connectors.State{Stage: "Trial"}
	known.VendorID = "a3000001" // Customer.io named it
	// What an unconfirmed write brought is no proof that somebody is there.
	again := person("nobody@example.com", "Customer")
	again.Known = &connectors.State{Stage: "Trial"}
	results := connectortest.Push(t, bare(false), person("new@example.com", "Trial"), known, again)
	if connectortest.Outcome(results[0]) != "unconfirmed" || results[0].Message == "" || connectortest.Outcome(results[1]) != "ok" || connectortest.Outcome(results[2]) != "unconfirmed" {
		t.Errorf("results = %+v", results)
	}
	if _, made := v.Person("new@example.com"); made {
		t.Error("a person was made although push.create is off")
	}
	if got := connectortest.Outcome(connectortest.Push(t, bare(true), person("new@example.com", "Trial"))[0]); got != "ok" {
		t.Errorf("with create: %s", got)
	}
	if _, made := v.Person("new@example.com"); !made {
		t.Error("nobody was made")
	}
}

func TestWhoIsWho(t *testing.T) {
	t.Parallel()
	user := func(u connectors.Update, id string) connectors.Update {
		u.Keys = []lifecycle.Key{{Namespace: "user", Value: id}}
		return u
	}
	t.Run("a changed address follows the id", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, nil)
		u := person("dana.new@example.com", "Trial")
		u.VendorID = v.Add("", "dana@example.com", nil)
		if got := connectortest.Outcome(connectortest.Push(t, open(t, v, nil), u)[0]); got != "ok" {
			t.Error(got)
		}
		if len(v.Held()) != 1 || v.Held()[0].Stage != "Trial" {
			t.Errorf("held = %+v", v.Held())
		}
	})
	t.Run("an id that is gone", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, nil)
		u := person("dana@example.com", "Trial")
		u.VendorID = "a3999999"
		if r := connectortest.Push(t, open(t, v, nil), u)[0]; connectortest.Outcome(r) != "ok" || r.VendorID != "" {
			t.Errorf("result = %+v", r)
		}
		if len(v.Held()) != 1 {
			t.Errorf("held = %+v", v.Held())
		}
		// The old id is still remembered here; what was known is gone with it.
		u.Known = &connectors.State{Stage: "Trial", Segments: []string{"eu"}}
		u.Want.Stage, u.Want.Segments = "Customer", []string{"eu"}
		if r := connectortest.Push(t, open(t, v, nil), u)[0]; connectortest.Outcome(r) != "ok" || r.VendorID != "a3000001" {
			t.Errorf("result = %+v", r)
		}
		if p, _ := v.Person("dana@example.com"); p.Attributes["sb_stage"] != "Customer" || p.Attributes["sb_seg_eu"] != true {
			t.Errorf("attributes of the other record = %v", p.Attributes)
		}
		u.Email, u.Known = "", nil
		if got := connectortest.Outcome(connectortest.Push(t, open(t, v, nil), u)[0]); got != "skipped not_in_vendor" {
			t.Errorf("nothing to make a person with: %s", got)
		}
	})
	t.Run("by user id alone", func(t *testing.T) {
		t.Parallel()
		v := newVendor(t, nil)
		c := open(t, v, func(cfg *connectors.Config) { cfg.Settings["identify_by"] = "id" })
		results := connectortest.Push(t, c, user(person("dana@example.com", "Trial"), "u-9"), person("lee@example.com", "Trial"))
		if connectortest.Outcome(results[0]) != "ok" || connectortest.Outcome(results[1]) != "skipped no_identity" {
			t.Errorf("results = %+v", results)
		}
		if p, ok := v.Person("dana@example.com"); !ok || p.ID != "u-9" {
			t.Errorf("made %+v", p)
		}
		v.Add("u-10", "kim@example.com", nil)
		connectortest.Push(t, c, user(person("kim.work@example.com", "Trial"), "u-10"))
		if _, ok := v.Person("kim@example.com"); !ok {
			t.Error("the address of somebody who was there was changed")
		}
	})
}

func TestPushSplitsByBytes(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	var updates []connectors.Update
	for i := range 40 {
		u := person(fmt.Sprintf("p%d@example.com", i), "Trial")
		u.Want.Traits = map[string]any{"company": strings.Repeat("é", 1200), "notes": strings.Fields(strings.Repeat("word ", 3500))}
		updates = append(updates, u)
	}
	huge := person("huge@example.com", "Trial")
	huge.Want.Traits = map[string]any{"notes": strings.Fields(strings.Repeat("word ", 9000))}
	results := connectortest.Push(t, c, append(updates, huge)...)
	for i, r := range results[:40] {
		if connectortest.Outcome(r) != "ok" {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if got := connectortest.Outcome(results[40]); got != "permanent too_large" {
		t.Errorf("a person above 32 KB: %s", got)
	}
	if n := len(v.sent()); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	if p, _ := v.Person("p0@example.com"); p.Attributes["company"] != strings.Repeat("é", 500) {
		t.Error("a long text was not cut at 1,000 bytes")
	}
}

// TestALaterRequestFails keeps what arrived before.
func TestALaterRequestFails(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{503: "retry server", 401: "retry auth", 400: "permanent invalid"} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			calls := 0
			v := newVendor(t, nil)
			front := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/v2/batch" {
					if calls++; calls > 1 {
						w.WriteHeader(status)
						return
					}
				}
				v.ServeHTTP(w, r)
			})
			var updates []connectors.Update
			for i := range 60 {
				u := person(fmt.Sprintf("p%d@example.com", i), "Trial")
				u.Want.Traits = map[string]any{"notes": strings.Fields(strings.Repeat("word ", 3500))}
				updates = append(updates, u)
			}
			got := map[string]int{}
			for _, r := range connectortest.Push(t, open(t, front, nil), updates...) {
				got[connectortest.Outcome(r)]++
			}
			if got["ok"] == 0 || got[want] == 0 || got["retry not_attempted"] == 0 || calls != 2 {
				t.Errorf("outcomes = %v after %d calls", got, calls)
			}
		})
	}
}

func TestFailuresOfTheWhole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   connectors.Reason
		words  string
	}{
		"refused":      {400, `{"errors":[{"reason":"invalid","field":"batch","message":"must not be empty"}]}`, connectors.ReasonInvalid, "must not be empty"},
		"v1 words":     {400, `{"meta":{"errors":["malformed"]}}`, connectors.ReasonInvalid, "malformed"},
		"keys":         {401, `{"meta":{"error":"Unauthorized request"}}`, connectors.ReasonAuth, "Unauthorized request"},
		"other region": {301, ``, connectors.ReasonRedirect, "redirect"},
		"nobody named": {207, `{"errors":[{"reason":"invalid","field":"id","message":"?"}]}`, connectors.ReasonBadAnswer, "nobody"},
		"slow down":    {429, ``, connectors.ReasonRateLimit, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v2/batch" {
					_, _ = w.Write([]byte(`{"customers":[]}`))
					return
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			_, err := open(t, v, nil).Push(t.Context(), []connectors.Update{person("dana@example.com", "Trial")})
			var e *connectors.PushError
			if !errors.As(err, &e) || e.Reason != test.want || !strings.Contains(e.Message, test.words) {
				t.Errorf("error = %v, want %s with %q", err, test.want, test.words)
			}
		})
	}
}

// TestSeveralMistakesOfOnePerson are told together.
func TestSeveralMistakesOfOnePerson(t *testing.T) {
	t.Parallel()
	v := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v2/batch" {
			_, _ = w.Write([]byte(`{"customers":[]}`))
			return
		}
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = w.Write([]byte(`{"errors":[{"batch_index":1,"reason":"invalid","field":"identifiers.email","message":"is wrong"},{"batch_index":1,"reason":"required","field":"attributes"}]}`))
	})
	results := connectortest.Push(t, open(t, v, nil), person("a@example.com", "Trial"), person("b@example.com", "Trial"), person("c@example.com", "Trial"))
	got := []string{connectortest.Outcome(results[0]), connectortest.Outcome(results[1]), results[1].Message, connectortest.Outcome(results[2])}
	want := []string{"ok", "permanent invalid", "identifiers.email: is wrong; attributes: required", "ok"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*connectors.Config){
		"stage_attribute": func(c *connectors.Config) { c.Settings["stage_attribute"] = "unsubscribed" },
		"segment_prefix":  func(c *connectors.Config) { c.Settings["segment_prefix"] = "cio_" },
		"base_url":        func(c *connectors.Config) { c.Settings["base_url"] = "track.customer.io" },
		"region":          func(c *connectors.Config) { c.Settings["region"] = "mars" },
		"push.traits":     func(c *connectors.Config) { c.Push.Traits = map[string]string{"cio_subscription_preferences": "x"} },
	} {
		cfg := conforming()
		change(&cfg)
		_, err := customerio.Vendor().Open(cfg)
		var e *connectors.SettingError
		if !errors.As(err, &e) || e.Field != name {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	cfg := conforming()
	cfg.Push.Traits = map[string]string{"email_opt_in": "consent"}
	if _, err := customerio.Vendor().Open(cfg); err == nil {
		t.Error("a field of consent is written to")
	}
}
