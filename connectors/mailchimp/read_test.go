package mailchimp_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mailchimp"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{Name: "Friends"})
	v.AddMember("dana@example.com", "", nil)
	if words, err := open(t, config(v)).Check(t.Context()); err != nil || words != `Audience "Friends" with 1 subscribed contacts` {
		t.Errorf("check: %q, %v", words, err)
	}
	for _, tt := range []struct {
		name   string
		change func(*connectors.Config)
		want   connectors.Reason
	}{
		{"other audience", func(c *connectors.Config) { c.Settings["audience_id"] = "ffffffffff" }, connectors.ReasonNotFound},
		{"other key", func(c *connectors.Config) { c.Secrets["api_key"] = []secret.Text{secret.New("guess-us1")} }, connectors.ReasonAuth},
		{"no key", func(c *connectors.Config) { c.Push.Enabled, c.Secrets = false, nil }, connectors.ReasonSettings},
		{"no audience", func(c *connectors.Config) { c.Push.Enabled = false; delete(c.Settings, "audience_id") }, ""},
	} {
		cfg := config(v)
		tt.change(&cfg)
		words, err := open(t, cfg).Check(t.Context())
		var e *connectors.PushError
		switch {
		case tt.want == "":
			if err != nil || !strings.Contains(words, "takes the API key") {
				t.Errorf("%s: %q, %v", tt.name, words, err)
			}
		case !errors.As(err, &e) || e.Reason != tt.want:
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	v.AddField("SBSTAGE", "text", false)
	v.AddField("SCORE", "number", false)
	var tags []string
	for i := range 60 {
		tags = append(tags, fmt.Sprintf("a%02d", i))
	}
	v.AddMember("dana@example.com", "", map[string]any{"SBSTAGE": "Customer", "SCORE": 12, "FNAME": "Dana"}, append(tags, "SB:At_Risk", "sb:unmanaged")...)
	v.AddMember("old@example.com", "cleaned", nil)
	v.AddMember("archived@example.com", "archived", nil)
	cfg := config(v)
	cfg.Push.Traits = map[string]string{"SCORE": "score", "ABSENT": "x"}
	c := open(t, cfg)
	const oldID = "b9fee8b9a2a9a7e6b9d2b1f0d6d0f9c1"
	people := []connectors.Update{
		person("dana@example.com", "Trial", []string{"promoters", "at_risk"}, []string{"dormant"}),
		person("gone@example.com", "Trial", nil, nil),
		{Email: "moved@example.com", VendorID: oldID},
		person("archived@example.com", "", nil, nil),
		person("old@example.com", "", nil, nil),
	}
	states, err := c.Read(t.Context(), people)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	want := []*connectors.State{
		{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"dormant", "promoters"}, Traits: map[string]any{"SCORE": int64(12)}},
		nil, nil, nil,
		{Traits: map[string]any{"SCORE": ""}},
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	v.Fail(mailchimpsim.Fault{Method: http.MethodGet, Times: 1, Status: 503})
	var e *connectors.PushError
	if _, err := c.Read(t.Context(), people); !errors.As(err, &e) || !e.Retryable {
		t.Errorf("read while the vendor is away: %v", err)
	}
}

// TestReadAfterPush: what was pushed is what is read, so that a comparison
// finds no drift.
func TestReadAfterPush(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	cfg := config(v)
	c := open(t, cfg)
	u := person("dana@example.com", "Customer", []string{"at_risk"}, []string{"promoters"})
	u.Want.Traits = map[string]any{"COMPANY": "Acme"}
	r := connectortest.Push(t, c, u)[0]
	u.Email, u.VendorID = "", r.VendorID
	states, err := c.Read(t.Context(), []connectors.Update{u})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if diff := cmp.Diff(&u.Want, states[0]); diff != "" {
		t.Errorf("state (-pushed +read):\n%s", diff)
	}
}

func TestOpenListsEveryMistake(t *testing.T) {
	t.Parallel()
	cfg := connectors.Config{
		ID: "newsletter",
		Settings: map[string]string{
			"audience_id": "My list!", "base_url": "ftp://example.com", "stage_field": "lifecycle stage",
			"fired_at_zone": "Mars/Olympus", "status_if_new": "subscribed", "colour": "blue",
		},
		Push: connectors.PushConfig{Enabled: true, Traits: map[string]string{"EMAIL": "email", "first name": "first_name"}},
	}
	_, err := mailchimp.Vendor().Open(cfg)
	if err == nil {
		t.Fatal("opened")
	}
	for _, field := range []string{"api_key", "audience_id", "base_url", "stage_field", "fired_at_zone", "status_if_new", "colour", `push.traits: "EMAIL"`, `push.traits: "first name"`} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("nothing about %s in: %v", field, err)
		}
	}
	var e *connectors.SettingError
	if !errors.As(err, &e) {
		t.Errorf("%T is no SettingError", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	v := newVendor(t, mailchimpsim.Options{})
	l := open(t, config(v)).Limits()
	if l.Batch < 1 || l.Concurrency < 1 || l.Takes != connectors.TakesState {
		t.Errorf("limits %+v", l)
	}
}
