package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// TestImportAndPullBesideTheServer reads a file and lists a vendor's people
// from another command line while the server takes webhooks: the rows come in
// once, the pull is the server's work, and webhooks go on.
func TestImportAndPullBesideTheServer(t *testing.T) {
	t.Parallel()
	sim := hubspotsim.New()
	vendor := httptest.NewServer(sim.Handler())
	t.Cleanup(func() { sim.Close(); vendor.Close() })
	for _, email := range []string{"ann@example.com", "bo@example.com"} {
		sim.AddContact(map[string]string{"email": email})
	}
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		c := newCLI(t, env)
		c.run(exitOK, "apply", c.folder)
		c.run(exitOK, "apply", files(t, map[string]string{
			"connections/hub.yaml": "id: hub\nconnector: hubspot\nsecrets: { client_secret: shh, access_token: token }\nsettings: { base_url: \"" + vendor.URL + "\" }\n",
		}))
		serve(t, env)
		c.run(exitOK, "send", "shop", "profile.updated")
		var text strings.Builder
		text.WriteString("id,email\n")
		for n := range 2500 {
			fmt.Fprintf(&text, "%d,p%d@example.com\n", n, n)
		}
		folder := files(t, map[string]string{"people.csv": text.String()})
		for _, want := range []string{"2500 rows kept, 0 were there already", "0 rows kept, 2500 were there already"} {
			if got := c.run(exitOK, "import", "shop", folder+"/people.csv"); !strings.Contains(got, want) {
				t.Errorf("%s, want %s", got, want)
			}
		}
		if got := c.run(exitOK, "pull", "hub"); !strings.Contains(got, "2 people listed, 2 of them new or changed") {
			t.Error(got)
		}
		c.run(exitOK, "send", "shop", "profile.updated")
	})
}
