package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// renewable reports whether a refused token can be replaced without a person:
// an OAuth token can, the static one of a private app cannot.
func (c *Connector) renewable() bool { return !c.config.Secret(secretRefresh).Empty() }

// bearer gives the token to call with. Any error is a *connectors.PushError.
func (c *Connector) bearer(ctx context.Context) (secret.Text, error) {
	if c.renewable() {
		token, err := c.tokens.Get(ctx)
		return token.Value, err
	}
	static := c.config.Secret(secretToken)
	if static.Empty() {
		return static, lacks("call", "the connection has no access token")
	}
	return static, nil
}

// renew fetches an OAuth token with the refresh token, which stays the same.
// OAuth tokens live 30 minutes (developers.hubspot.com, "Manage OAuth tokens",
// read 2026-11).
func (c *Connector) renew(ctx context.Context) (connectors.Token, error) {
	const act = "hubspot: renew the access token"
	refresh, client := c.config.Secret(secretRefresh), c.config.Secret(secretClient)
	answer, err := c.http.Do(ctx, connectors.Call{
		Act:    act,
		Method: http.MethodPost,
		URL:    c.base + "/oauth/v1/token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: []byte(url.Values{
			"grant_type":    {"refresh_token"},
			"client_id":     {c.config.Settings[settingClientID]},
			"client_secret": {client.Reveal()},
			"refresh_token": {refresh.Reveal()},
		}.Encode()),
		Secrets: c.hide(),
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
		return connectors.Token{}, err
	}
	var got tokenAnswer
	if err := answer.JSON(act, &got); err != nil {
		return connectors.Token{}, err
	}
	return connectors.Token{Value: got.AccessToken, Life: time.Duration(got.ExpiresIn) * time.Second}, nil
}
