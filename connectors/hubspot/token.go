package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// tokenEarly is how long before its end an OAuth token is renewed.
const tokenEarly = time.Minute

// tokenSource gives the bearer token: the static one of a private app, or an
// OAuth token that it renews with the refresh token. OAuth tokens live 30
// minutes (developers.hubspot.com, "Manage OAuth tokens", read 2026-11).
type tokenSource struct {
	c    *Connector
	turn chan struct{} // guards the fields below

	current secret.Text
	ends    time.Time
}

func newTokenSource(c *Connector) *tokenSource {
	return &tokenSource{c: c, turn: make(chan struct{}, 1)}
}

// renewable reports whether a refused token can be replaced without a person.
func (t *tokenSource) renewable() bool { return !t.c.config.Secret(secretRefresh).Empty() }

// get gives a token that is worth trying. Any error is a *connectors.PushError.
func (t *tokenSource) get(ctx context.Context) (secret.Text, error) {
	if !t.renewable() {
		static := t.c.config.Secret(secretToken)
		if static.Empty() {
			return static, lacks("call", "the connection has no access token")
		}
		return static, nil
	}
	if err := lock(ctx, "renew the access token", t.turn); err != nil {
		return secret.Text{}, err
	}
	defer func() { <-t.turn }()
	if !t.current.Empty() && t.c.now().Before(t.ends) {
		return t.current, nil
	}
	return t.renew(ctx)
}

// renew fetches a new token. The caller holds the turn.
func (t *tokenSource) renew(ctx context.Context) (secret.Text, error) {
	const act = "hubspot: renew the access token"
	refresh, client := t.c.config.Secret(secretRefresh), t.c.config.Secret(secretClient)
	answer, err := t.c.http.Do(ctx, connectors.Call{
		Act:    act,
		Method: http.MethodPost,
		URL:    t.c.base + "/oauth/v1/token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: []byte(url.Values{
			"grant_type":    {"refresh_token"},
			"client_id":     {t.c.config.Settings[settingClientID]},
			"client_secret": {client.Reveal()},
			"refresh_token": {refresh.Reveal()},
		}.Encode()),
		Secrets: t.c.hide(),
		// A refused refresh token is answered with 400: that is about the
		// credentials, not about what was sent.
		Judge: func(a *connectors.Answer) *connectors.PushError {
			if a.Status != http.StatusBadRequest {
				return nil
			}
			return &connectors.PushError{Reason: connectors.ReasonAuth, Message: errorOf(a).Message}
		},
	})
	if err != nil {
		return secret.Text{}, err
	}
	var got tokenAnswer
	if err := answer.JSON(act, &got); err != nil {
		return secret.Text{}, err
	}
	if got.AccessToken.Empty() {
		return secret.Text{}, &connectors.PushError{Reason: connectors.ReasonBadAnswer, Retryable: true, Act: act, Message: "the answer holds no access token"}
	}
	life := min(max(time.Duration(got.ExpiresIn)*time.Second, 2*tokenEarly), 24*time.Hour)
	t.current, t.ends = got.AccessToken, t.c.now().Add(life-tokenEarly)
	return t.current, nil
}

// forget drops a token that HubSpot refused, unless it was replaced meanwhile.
func (t *tokenSource) forget(refused secret.Text) {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if t.current.Equal(refused.Reveal()) {
		t.current = secret.Text{}
	}
}
