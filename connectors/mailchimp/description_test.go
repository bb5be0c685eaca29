package mailchimp_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
)

// TestRequestsFollowTheDescription holds every request that the connector can
// make, and every answer of the simulated vendor, against Mailchimp's own API
// description.
func TestRequestsFollowTheDescription(t *testing.T) {
	t.Parallel()
	description := connectortest.Describe(t, "mailchimp.openapi.json")
	sim := mailchimpsim.New(mailchimpsim.Options{Key: apiKey})
	server := httptest.NewServer(description.Wrap(sim))
	t.Cleanup(server.Close)
	cfg := conforming()
	cfg.Now, cfg.Settings["base_url"] = time.Now, server.URL
	cfg.HTTP = connectors.NewClient(connectors.ClientOptions{AllowPrivate: true, Timeout: 20 * time.Second})
	exercise(t, cfg, sim)
	if seen := description.Seen(); len(seen) < 15 {
		t.Errorf("only %d operations were exercised: %v", len(seen), seen)
	}
}

// exercise makes every call that there is.
func exercise(t *testing.T, cfg connectors.Config, sim *mailchimpsim.Sim) {
	t.Helper()
	c := open(t, cfg)
	pushed := func(updates ...connectors.Update) {
		t.Helper()
		for _, r := range connectortest.Push(t, c, updates...) {
			if connectortest.Outcome(r) != "ok" {
				t.Errorf("push: %+v", r)
			}
		}
	}
	all := people()
	pushed(all[0])
	pushed(all...)
	u := all[0]
	known := u.Want
	u.Known, u.Want.Stage, u.VendorID = &known, "Advocate", "e556d839bbda3d423c5b09096613f2d7"
	pushed(u)
	u.Email = "dana.new@example.com"
	pushed(u)
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("tag %d", i))
	}
	sim.AddMember("tagged@example.com", "", nil, many...)
	sim.AddWebhook("https://bridge.example.com/other", "")

	_, read := c.Read(t.Context(), []connectors.Update{u, person("tagged@example.com", "", nil, nil), person("gone@example.com", "", nil, nil)})
	_, check := c.Check(t.Context())
	_, list := c.List(t.Context(), "")
	_, erase := c.Erase(t.Context(), u)
	_, register := c.Register(t.Context(), nil)
	_, change := c.Register(t.Context(), []string{"subscribe"})
	remove := c.Unregister(t.Context())
	cfg.Push.Enabled, cfg.Settings = false, map[string]string{"base_url": cfg.Settings["base_url"]}
	_, ping := open(t, cfg).Check(t.Context())
	if err := errors.Join(read, check, list, erase, register, change, remove, ping); err != nil {
		t.Error(err)
	}
}
