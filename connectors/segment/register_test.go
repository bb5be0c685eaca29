package segment_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/connectors/segment/segmentsim"
	"github.com/stagebridge/stagebridge/secret"
)

func registering(t *testing.T, sim *segmentsim.Sim, change func(*connectors.Config)) *segment.Connector {
	t.Helper()
	return connect(t, sim, sim, func(cfg *connectors.Config) {
		cfg.Settings["forward_source_id"] = segmentsim.SourceID
		if change != nil {
			change(cfg)
		}
	})
}

// TestRegister makes the webhook once, and with the secret that it stores what
// Segment signs is taken.
func TestRegister(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	sim.AddDestination(segmentsim.Destination{SourceID: "another-source", MetadataID: segmentsim.WebhooksID})
	sim.AddDestination(segmentsim.Destination{SourceID: segmentsim.SourceID, MetadataID: "another-kind"})
	first, err := registering(t, sim, nil).Register(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	key := first.Secrets["shared_secret"]
	made := sim.Destinations()[2]
	if key.Empty() || made.Secret != key.Reveal() || !made.Enabled || len(made.Mappings) != 1 {
		t.Fatalf("made %+v", made)
	}
	want := segmentsim.Mapping{
		ID: first.ID, Name: "Stagebridge", ActionID: "action-send", Enabled: true,
		Trigger:  `type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group" or type = "alias"`,
		Settings: map[string]any{"url": "https://bridge.example.com/hooks/product", "method": "POST", "data": map[string]any{"@path": "$."}, "enable_batching": false},
	}
	if diff := cmp.Diff(want, made.Mappings[0]); diff != "" {
		t.Errorf("mapping (-want +got):\n%s", diff)
	}

	// Again, with the secret stored, other types and a header's secret.
	c := registering(t, sim, func(cfg *connectors.Config) {
		cfg.Secrets["shared_secret"] = []secret.Text{key}
		cfg.Secrets["header_secret"] = []secret.Text{secret.New("header-secret-now")}
	})
	again, err := c.Register(t.Context(), []string{"track.order_completed", "track.signed_up", "identify", "delete"})
	if err != nil || again.ID != first.ID || len(again.Secrets) != 0 || len(sim.Destinations()) != 3 {
		t.Errorf("again: %+v, %v, %d destinations", again, err, len(sim.Destinations()))
	}
	changed := sim.Destinations()[2].Mappings
	if len(changed) != 1 || changed[0].Trigger != `type = "track" or type = "identify"` || changed[0].ActionID != "action-send" ||
		!cmp.Equal(changed[0].Settings["headers"], map[string]any{"X-Stagebridge-Secret": "header-secret-now"}) {
		t.Errorf("changed %+v", changed)
	}
	listed, err := c.Registered(t.Context())
	if err != nil || len(listed) != 1 || listed[0].ID != first.ID || !cmp.Equal(listed[0].Types, []string{"track", "identify"}) {
		t.Errorf("registered: %+v, %v", listed, err)
	}
	body := []byte(`{"type":"identify","userId":"u-1"}`)
	if _, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: body, Header: http.Header{
		"X-Signature": {sign(made.Secret, body)}, "X-Stagebridge-Secret": {"header-secret-now"},
	}}); err != nil {
		t.Errorf("what Segment signs is refused: %v", err)
	}
}

// TestUnregister removes our mapping, and the destination when it was the last.
func TestUnregister(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := registering(t, sim, nil)
	if _, err := c.Register(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	mine := segmentsim.Mapping{ID: "mine", Settings: map[string]any{"url": "https://bridge.example.com/hooks/product"}}
	other := segmentsim.Mapping{ID: "other", Settings: map[string]any{"url": "https://example.com/"}}
	sim.AddDestination(segmentsim.Destination{SourceID: segmentsim.SourceID, MetadataID: segmentsim.WebhooksID, Mappings: []segmentsim.Mapping{mine, other}})
	for range 2 {
		if err := c.Unregister(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left := sim.Destinations()
	if len(left) != 1 || len(left[0].Mappings) != 1 || left[0].Mappings[0].ID != "other" {
		t.Errorf("left %+v", left)
	}
}

func TestRegisterRefused(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	for name, tt := range map[string]struct {
		change func(*connectors.Config)
		types  []string
		want   connectors.Reason
	}{
		"no token":       {func(c *connectors.Config) { delete(c.Secrets, "public_api_token") }, nil, connectors.ReasonSettings},
		"no source":      {func(c *connectors.Config) { delete(c.Settings, "forward_source_id") }, nil, connectors.ReasonSettings},
		"unknown source": {func(c *connectors.Config) { c.Settings["forward_source_id"] = "nobody" }, nil, connectors.ReasonInvalid},
		"wrong token": {func(c *connectors.Config) {
			c.Secrets["public_api_token"] = []secret.Text{secret.New("wrong-token")}
		}, nil, connectors.ReasonAuth},
		"unknown type": {nil, []string{"video"}, connectors.ReasonSettings},
		"no type":      {nil, []string{"delete"}, connectors.ReasonSettings},
	} {
		_, err := registering(t, sim, tt.change).Register(t.Context(), tt.types)
		if reasonOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(sim.Destinations()) != 0 {
		t.Errorf("made %+v", sim.Destinations())
	}
}

// TestRegisterHalfWay: where the mapping is refused nothing is left behind.
func TestRegisterHalfWay(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/subscriptions") {
			http.Error(w, "no", http.StatusUnprocessableEntity)
			return
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	c := registering(t, sim, func(cfg *connectors.Config) { cfg.Settings["public_api_url"] = s.URL })
	if _, err := c.Register(t.Context(), nil); reasonOf(err) != connectors.ReasonInvalid || len(sim.Destinations()) != 0 {
		t.Errorf("%v, left %+v", err, sim.Destinations())
	}
}

// TestRegisterKeepsItsSecret: a careless answer that repeats the new secret
// does not show it.
func TestRegisterKeepsItsSecret(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	told := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body := make([]byte, 2000)
			n, _ := r.Body.Read(body)
			told = string(body[:n])
			http.Error(w, "refused: "+told, http.StatusUnprocessableEntity)
			return
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	c := registering(t, sim, func(cfg *connectors.Config) { cfg.Settings["public_api_url"] = s.URL })
	_, err := c.Register(t.Context(), nil)
	_, rest, _ := strings.Cut(told, `"sharedSecret":"`)
	key, _, _ := strings.Cut(rest, `"`)
	var e *connectors.PushError
	if !errors.As(err, &e) || len(key) < 20 || strings.Contains(err.Error(), key) {
		t.Errorf("%v (a key of %d characters)", err, len(key))
	}
}
