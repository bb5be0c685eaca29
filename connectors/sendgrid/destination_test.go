package sendgrid_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/sendgrid"
)

func TestFieldsAreMadeOnFirstUse(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	for range 2 {
		if got := connectortest.Outcome(connectortest.Push(t, c, people()[0])[0]); got != "submitted" {
			t.Fatal(got)
		}
	}
	if n := v.count("POST /v3/marketing/field_definitions"); n != 4 {
		t.Errorf("%d fields were made, want 4", n)
	}
	if n := v.count("GET /v3/marketing/field_definitions"); n != 1 {
		t.Errorf("the fields were read %d times, want once", n)
	}
	want := map[string]any{"sb_stage": "Customer", "sb_stage_at": "2026-11-20", "sb_segments": ",at_risk,", "company": "Acme"}
	if diff := cmp.Diff(want, v.Contact("dana@example.com")["custom_fields"]); diff != "" {
		t.Errorf("custom fields (-want +got):\n%s", diff)
	}
	strict := open(t, newVendor(t, nil), func(cfg *connectors.Config) { cfg.Settings["create_fields"] = "false" })
	_, err := strict.Push(t.Context(), people())
	var e *connectors.PushError
	if !errors.As(err, &e) || e.Reason != connectors.ReasonSettings || !strings.Contains(e.Message, "company") {
		t.Errorf("without create_fields: %v", err)
	}
}

func TestCreateIsNotAssumed(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	v.Add(map[string]any{"email": "dana@example.com"})
	c := open(t, v, func(cfg *connectors.Config) { cfg.Push.Create = false })
	known := person("gone@example.com", "Trial")
	known.Known = &connectors.State{Stage: "Visit"}
	results := connectortest.Push(t, c, person("dana@example.com", "Trial"), person("new@example.com", "Trial"), known)
	got := []string{connectortest.Outcome(results[0]), connectortest.Outcome(results[1]), connectortest.Outcome(results[2])}
	if diff := cmp.Diff([]string{"submitted", "skipped not_in_vendor", "skipped not_in_vendor"}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if v.Contact("new@example.com") != nil || v.Contact("gone@example.com") != nil {
		t.Error("a contact was made although push.create is off")
	}
}

// TestAContactIsNamedWholly: with a part of its identifiers the job would fail.
func TestAContactIsNamedWholly(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	id := v.Add(map[string]any{"email": "dana@example.com", "external_id": "crm-7", "alternate_emails": []string{"dana.home@example.com"}})
	c := open(t, v, nil)
	moved := person("dana.new@example.com", "Trial")
	moved.VendorID = id
	for name, u := range map[string]connectors.Update{
		"by address": person("dana@example.com", "Trial"), "by another address": person("dana.home@example.com", "Trial"), "by id": moved,
	} {
		r := connectortest.Push(t, c, u)[0]
		if connectortest.Outcome(r) != "submitted" || r.VendorID != id {
			t.Errorf("%s: %+v", name, r)
		}
		if n := len(v.Held()); n != 1 {
			t.Errorf("%s: %d contacts", name, n)
		}
		for range 2 {
			results, err := c.Poll(t.Context(), r.Job, []connectors.Update{u})
			if err != nil || results != nil && connectortest.Outcome(results[0]) != "ok" {
				t.Errorf("%s: the job ends in %+v, %v", name, results, err)
			}
		}
	}
	both := connectortest.Push(t, c, person("dana@example.com", "Trial"), person("dana.home@example.com", "Trial"))
	if connectortest.Outcome(both[0]) != "submitted" || connectortest.Outcome(both[1]) != "permanent conflict" {
		t.Errorf("two people of one contact: %+v", both)
	}
	both = connectortest.Push(t, c, person("new@example.com", "Trial"), person("New@example.com", "Visit"))
	if connectortest.Outcome(both[0]) != "submitted" || connectortest.Outcome(both[1]) != "permanent conflict" {
		t.Errorf("two people of one new contact: %+v", both)
	}
}

// TestAnotherContactGetsEverything: what is known is known of the contact with
// the id, not of another one that has the address now.
func TestAnotherContactGetsEverything(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	v.Add(map[string]any{"email": "dana@example.com"})
	u := person("dana@example.com", "Customer")
	u.VendorID = "5e2d0000-0000-4000-8000-00000000dead"
	u.Want.Segments = []string{"at_risk"}
	u.Known = &connectors.State{Stage: "Trial", Segments: []string{"at_risk"}}
	c := open(t, v, nil)
	r := connectortest.Push(t, c, u)[0]
	if connectortest.Outcome(r) != "submitted" || r.VendorID == u.VendorID {
		t.Fatalf("%+v", r)
	}
	for range 2 {
		if _, err := c.Poll(t.Context(), r.Job, []connectors.Update{u}); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]any{"sb_stage": "Customer", "sb_segments": ",at_risk,"}
	if diff := cmp.Diff(want, v.Contact("dana@example.com")["custom_fields"]); diff != "" {
		t.Errorf("custom fields (-want +got):\n%s", diff)
	}
}

func TestRefusedContactsAreTakenOut(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	var updates []connectors.Update
	for i := range 8 {
		updates = append(updates, person(fmt.Sprintf("p%d@example.com", i), "Trial"))
	}
	updates[2].Email, updates[5].Email = "no address", "neither this"
	for i, r := range connectortest.Push(t, c, updates...) {
		want := "submitted"
		if i == 2 || i == 5 {
			want = "permanent invalid"
		}
		if connectortest.Outcome(r) != want || want != "submitted" && !strings.Contains(r.Message, "email: must be a valid email address") {
			t.Errorf("result %d = %+v, want %s", i, r, want)
		}
	}
	if n := v.count("PUT /v3/marketing/contacts"); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	for i := range updates {
		updates[i].Email = fmt.Sprintf("none %d", i)
	}
	updates = append(updates, updates...)
	for i := range updates {
		updates[i].Email = fmt.Sprintf("none %d", i)
	}
	got := map[string]int{}
	for _, r := range connectortest.Push(t, c, updates...) {
		got[connectortest.Outcome(r)]++
	}
	if diff := cmp.Diff(map[string]int{"permanent invalid": 10, "retry not_attempted": 6}, got); diff != "" {
		t.Errorf("when nobody is taken (-want +got):\n%s", diff)
	}
}

func TestValuesFitTheirFields(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	v.AddField("age", "Number")
	v.AddField("Trial_Ends", "Date")
	c := open(t, v, func(cfg *connectors.Config) {
		cfg.Push.Traits = map[string]string{"age": "age", "trial_ends": "trial_ends", "notes": "notes", "city": "city"}
	})
	for name, test := range map[string]struct {
		traits, custom map[string]any
		want           string
	}{
		"fitting":   {map[string]any{"age": "41", "trial_ends": "2026-12-01T10:00:00Z", "notes": true}, map[string]any{"age": 41.0, "Trial_Ends": "2026-12-01", "notes": "true"}, "submitted"},
		"emptied":   {map[string]any{"age": nil, "trial_ends": nil, "notes": nil}, map[string]any{"age": nil, "Trial_Ends": nil, "notes": ""}, "submitted"},
		"no number": {map[string]any{"age": "old"}, nil, "permanent invalid"},
		"NaN":       {map[string]any{"age": "NaN"}, nil, "permanent invalid"},
		"no date":   {map[string]any{"trial_ends": "soon"}, nil, "permanent invalid"},
		"long":      {map[string]any{"notes": strings.Repeat("é", 1200), "city": strings.Repeat("x", 99)}, map[string]any{"notes": strings.Repeat("é", 1000)}, "submitted"},
	} {
		email := strings.ReplaceAll(name, " ", ".") + "@example.com"
		u := person(email, "")
		u.Want.Traits = test.traits
		if got := connectortest.Outcome(connectortest.Push(t, c, u)[0]); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
			continue
		}
		if test.custom == nil {
			continue
		}
		held := v.Contact(email)
		if diff := cmp.Diff(test.custom, held["custom_fields"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if city, ok := held["city"].(string); ok && len(city) != 60 {
			t.Errorf("%s: the city has %d characters", name, len(city))
		}
	}
	many := person("many@example.com", "")
	for i := range 200 {
		many.Want.Segments = append(many.Want.Segments, fmt.Sprintf("segment_%03d", i))
	}
	if got := connectortest.Outcome(connectortest.Push(t, c, many)[0]); got != "permanent too_large" {
		t.Errorf("too many segments: %s", got)
	}
}

func TestManyPeople(t *testing.T) {
	t.Parallel()
	v := newVendor(t, nil)
	c := open(t, v, nil)
	var updates []connectors.Update
	for i := range 450 {
		updates = append(updates, person(fmt.Sprintf("p%d@example.com", i), "Trial"))
	}
	results := connectortest.Push(t, c, updates...)
	for i, r := range results {
		if connectortest.Outcome(r) != "submitted" || r.Job == "" || r.Job != results[0].Job {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if n := v.count("POST /v3/marketing/contacts/search/emails"); n != 5 {
		t.Errorf("%d look-ups, want 5", n)
	}
}

// TestRateLimitHeader reads how long the limit lasts.
func TestRateLimitHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{"1795166150": 40 * time.Second, "1795166000": time.Second, "": 0, "soon": 0} {
		v := newVendor(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Reset", header)
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"errors":[{"message":"too many requests"}]}`))
		})
		_, err := open(t, v, nil).Push(t.Context(), people())
		var e *connectors.PushError
		if !errors.As(err, &e) || e.Reason != connectors.ReasonRateLimit || e.RetryAfter != want || !strings.Contains(e.Message, "too many requests") {
			t.Errorf("reset %q: %v after %v, want %v", header, err, e.RetryAfter, want)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"stage_field":    func(c *connectors.Config) { c.Settings["stage_field"] = "email" },
		"segments_field": func(c *connectors.Config) { c.Settings["segments_field"] = "SB_STAGE" },
		"base_url":       func(c *connectors.Config) { c.Settings["base_url"] = "api.sendgrid.com" },
		"region":         func(c *connectors.Config) { c.Settings["region"] = "mars" },
		"push.traits":    func(c *connectors.Config) { c.Push.Traits = map[string]string{"list_ids": "x"} },
	} {
		cfg := conforming()
		change(&cfg)
		_, err := sendgrid.Vendor().Open(cfg)
		var e *connectors.SettingError
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: error = %v", field, err)
		}
	}
	cfg := conforming()
	cfg.Push.Traits = map[string]string{"email_opt_in": "consent"}
	if _, err := sendgrid.Vendor().Open(cfg); err == nil {
		t.Error("a field of consent is written to")
	}
}
