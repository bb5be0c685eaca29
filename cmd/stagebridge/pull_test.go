package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// TestPullCommand takes over people of a simulated HubSpot, once.
func TestPullCommand(t *testing.T) {
	t.Parallel()
	sim := hubspotsim.New()
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() { sim.Close(); server.Close() })
	for _, email := range []string{"ann@example.com", "bo@example.com"} {
		sim.AddContact(map[string]string{"email": email})
	}
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		env["STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS"] = "true"
		c := newCLI(t, env)
		c.run(exitOK, "apply", c.folder)
		c.run(exitOK, "apply", files(t, map[string]string{
			"connections/hub.yaml": "id: hub\nconnector: hubspot\nsecrets: { client_secret: shh, access_token: token }\nsettings: { base_url: \"" + server.URL + "\" }\n",
		}))
		if got := c.run(exitOK, "pull", "hub"); !strings.Contains(got, "2 people listed, 2 of them new or changed") {
			t.Error(got)
		}
		if got := c.run(exitOK, "pull", "hub"); !strings.Contains(got, "2 people listed, 0 of them new or changed") {
			t.Error(got)
		}
		if got := c.run(exitError, "pull", "shop"); !strings.Contains(got, "cannot list people") {
			t.Error(got)
		}
		if got := c.run(exitError, "pull", "nowhere"); !strings.Contains(got, "nowhere") {
			t.Error(got)
		}
	})
}
