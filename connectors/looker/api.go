package looker

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks the Looker API 4.0.
type api struct {
	client  *connectors.Client
	base    string
	tokens  *connectors.Tokens
	secrets []secret.Text
}

// newAPI hides all the connection's secrets in what it says: a careless answer
// may repeat any of them.
func newAPI(cfg connectors.Config, base, clientID string) *api {
	a := &api{client: cfg.HTTP, base: base, secrets: slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)}
	a.tokens = connectors.NewTokens(cfg.Now, func(ctx context.Context) (connectors.Token, error) {
		return a.login(ctx, clientID, cfg.Secret(secretClient))
	})
	return a
}

// login exchanges the API key, which does not end, for a token of an hour.
func (a *api) login(ctx context.Context, id string, key secret.Text) (connectors.Token, error) {
	const act = "looker: log in"
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: a.base + "/login", Secrets: a.secrets,
		Body:   []byte(url.Values{"client_id": {id}, "client_secret": {key.Reveal()}}.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Judge: func(answer *connectors.Answer) *connectors.PushError {
			if answer.Status != http.StatusNotFound {
				return nil
			}
			// Looker answers so to credentials that it does not know.
			return &connectors.PushError{Reason: connectors.ReasonAuth, Message: "Looker does not know the API key, or the address is not that of its API"}
		},
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var got struct {
		Token string `json:"access_token"`
		Life  int64  `json:"expires_in"`
	}
	if err := answer.JSON(act, &got); err != nil {
		return connectors.Token{}, err
	}
	if got.Token == "" {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer holds no access token"}
	}
	return connectors.Token{Value: secret.New(got.Token), Life: time.Duration(min(max(got.Life, 0), 86400)) * time.Second}, nil
}

// call makes one request and decodes the answer into out, which may be nil. A
// token that was refused is fetched anew once. Any error is a
// *connectors.PushError whose act begins with "looker".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "looker: " + act
	if a == nil {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "base_url, client_id and client_secret are not set; receiving does without them"}
	}
	for again := false; ; again = true {
		token, err := a.tokens.Get(ctx)
		if err != nil {
			e := *connectors.AsPushError(err)
			if !strings.HasPrefix(e.Act, "looker") {
				e.Act = act // ended while another call was logging in
			}
			return &e
		}
		answer, err := a.client.Do(ctx, connectors.Call{
			Act: act, Method: method, URL: a.base + path, JSON: in, Secrets: append(slices.Clone(a.secrets), token.Value),
			Header: http.Header{"Authorization": {"token " + token.Value.Reveal()}, "Accept": {"application/json"}},
		})
		switch {
		case err == nil && out == nil:
			return nil
		case err == nil:
			return answer.JSON(act, out)
		case again || connectors.AsPushError(err).Status != http.StatusUnauthorized:
			return err
		}
		a.tokens.Forget(token.Value)
	}
}

// Check implements connectors.Checker.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var me struct {
		Name string `json:"display_name"`
		ID   string `json:"id"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/user?fields=id,display_name", nil, &me); err != nil {
		return "", err
	}
	return connectors.Words("Looker takes the API key of "+me.Name+" (user "+me.ID+")", c.api.secrets...), nil
}
