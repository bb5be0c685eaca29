package demandbase_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
)

// Accounts are found by website, those of the same columns in one import, and
// people of the same connection are none of them.
func TestAccountsAreImported(t *testing.T) {
	t.Parallel()
	c, v := start(t, func(cfg *connectors.Config) { cfg.Push.Accounts = &connectors.PushConfig{Enabled: true, Create: true} })
	client := connectors.State{Stage: "Client", Segments: []string{"large", "new"}, Absent: []string{"quiet"}}
	account := func(domain string, known *connectors.State) connectors.AccountUpdate {
		return connectors.AccountUpdate{Key: "domain:" + domain, ID: "a-" + domain, Domain: domain, Name: "Some Name", Want: client, Known: known}
	}
	got, err := c.PushAccounts(t.Context(), []connectors.AccountUpdate{
		account("acme.example.com", nil), account("", nil), account("same.example.com", &client),
		account("bolt.example.com", nil), account("moved.example.com", &connectors.State{Stage: "Known", Segments: client.Segments, Absent: client.Absent}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"submitted", "skipped no_identity", "ok", "submitted", "submitted"} {
		if outcome(got[i]) != want {
			t.Errorf("account %d = %+v, want %s", i, got[i], want)
		}
	}
	if got[0].Job == "" || got[0].Job != got[3].Job || got[0].Job == got[4].Job {
		t.Errorf("jobs %q, %q and %q", got[0].Job, got[3].Job, got[4].Job)
	}
	for domain, want := range map[string]map[string]string{
		"acme.example.com":  {"Lifecycle Stage": "Client", "Lifecycle Segments": "large;new"},
		"moved.example.com": {"Lifecycle Stage": "Client"},
		"same.example.com":  nil,
	} {
		if diff := cmp.Diff(want, v.Account(domain)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", domain, diff)
		}
	}
	if held := v.Held(); len(held) != 0 {
		t.Errorf("people were written: %v", held)
	}
}
