package customerio_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
)

// TestRequestsFollowTheDescription holds every request to the Track API, in
// every form that it has, and every answer of the stand-in against Customer.io's
// own description. There is none of the App API.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "customer-io-track.openapi.json")
	v := newVendor(t, nil)
	described := d.Wrap(v)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			v.ServeHTTP(w, r)
			return
		}
		described.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	for _, action := range []string{"suppress", "delete"} {
		c := open(t, v, func(cfg *connectors.Config) { cfg.Settings["erase_by"] = action })
		if _, err := c.Check(t.Context()); err != nil {
			t.Error(err)
		}
		all := people()
		connectortest.Push(t, c, all...)
		known := all[0].Want
		all[0].Known, all[0].Want.Stage, all[0].Want.Traits = &known, "Advocate", map[string]any{"company": nil}
		connectortest.Push(t, c, all[0], person("no address", "Trial"))
		for _, u := range all {
			if _, err := c.Erase(t.Context(), u); err != nil {
				t.Error(err)
			}
		}
	}
	bare := open(t, v, func(cfg *connectors.Config) {
		delete(cfg.Secrets, "app_api_key")
		cfg.Push.Create, cfg.Settings["identify_by"] = false, "id"
	})
	connectortest.Push(t, bare, people()...)
	want := []string{"GET /api/v1/accounts/region", "POST /api/v2/batch"}
	if diff := cmp.Diff(want, d.Seen()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// TestSamplesFollowTheDescription holds the samples under testdata against
// Customer.io's own schemas.
func TestSamplesFollowTheDescription(t *testing.T) {
	t.Parallel()
	d := connectortest.Describe(t, "customer-io-webhooks.openapi.json")
	schemas := map[string]string{
		"subscribed": "person_subscribed", "unsubscribed": "person_unsubscribed", "address-only": "person_unsubscribed",
		"preferences": "person_cio_subscription_preferences_changed", "push-opened": "push_opened", "email-clicked-machine": "email_clicked",
	}
	paths, err := filepath.Glob("testdata/receive/*/request.http")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		if slices.Contains([]string{"truncated", "stranger"}, name) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := bytes.Cut(text, []byte("\n\n"))
		schema := schemas[name]
		if schema == "" {
			schema = strings.ReplaceAll(name, "-", "_")
		}
		d.Payload(t, schema, body)
		checked++
	}
	if checked < 15 {
		t.Errorf("%d samples were checked", checked)
	}
}
