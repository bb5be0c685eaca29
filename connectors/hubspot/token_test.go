package hubspot

import (
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

const tokenRoute = "POST /oauth/v1/token"

func oauth(refresh string) func(*connectors.Config) {
	return func(c *connectors.Config) {
		delete(c.Secrets, secretToken)
		withSecret(secretRefresh, refresh)(c)
		c.Settings[settingClientID] = "client-id"
	}
}

func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	now := testNow
	c, sim := startAccount(t, hubspotsim.Options{}, oauth("refresh-token-example"), func(c *connectors.Config) { c.Now = func() time.Time { return now } })
	check := func(renewals int) {
		t.Helper()
		if _, err := c.Check(t.Context()); err != nil {
			t.Fatalf("check: %v", err)
		}
		if n := sim.Counts().Requests[tokenRoute]; n != renewals {
			t.Errorf("%d renewals, want %d", n, renewals)
		}
	}
	check(1)
	check(1)
	now = now.Add(30 * time.Minute)
	check(2) // before HubSpot has to say so
	sim.RevokeTokens()
	check(3) // after HubSpot said so, once
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, oauth("revoked"))
	_, err := c.Check(t.Context())
	if e := asPush(err); e == nil || e.Reason != connectors.ReasonAuth || e.Retryable || strings.Contains(err.Error(), testSecret) {
		t.Errorf("a revoked refresh token gives %v, want auth", err)
	}
	if n := sim.Counts().Requests[tokenRoute]; n != 1 {
		t.Errorf("%d renewals, want 1", n)
	}
}

// A token that is refused again right after its renewal is not renewed for ever.
func TestTokenRefusedTwice(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{}, oauth("refresh-token-example"))
	sim.Fail(hubspotsim.Fault{Match: route("account-info"), Times: -1, Status: 401})
	if _, err := c.Check(t.Context()); reason(err) != connectors.ReasonAuth {
		t.Errorf("check gives %v, want auth", err)
	}
	if n := sim.Counts().Requests[tokenRoute]; n != 2 {
		t.Errorf("%d renewals, want 2", n)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	c, _ := startAccount(t, hubspotsim.Options{})
	words, err := c.Check(t.Context())
	if err != nil || !strings.Contains(words, "4400112") {
		t.Errorf("check says %q, %v; want the account's number", words, err)
	}
	wrong, _ := startAccount(t, hubspotsim.Options{}, withSecret(secretToken, "wrong-token-example"))
	if _, err := wrong.Check(t.Context()); reason(err) != connectors.ReasonAuth {
		t.Errorf("a wrong token gives %v, want auth", err)
	}
}
