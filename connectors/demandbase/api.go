package demandbase

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Paths of the APIs that are called.
const (
	tokenPath  = "/auth/v1/token"
	importPath = "/import/v1"
	exportPath = "/data/export/v1"
)

// busyPause is the pause after 429: the API sends no Retry-After.
const busyPause = time.Minute

// call makes one request. When the token was refused, another is fetched and
// the request made once more. The answer is decoded into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "demandbase".
func (c *Connector) call(ctx context.Context, call connectors.Call, out any) error {
	call.Act = "demandbase: " + call.Act
	call.URL = c.base + call.URL
	kind := call.Header
	for attempt := 0; ; attempt++ {
		token, err := c.tokens.Get(ctx)
		if err != nil {
			return failure(err)
		}
		call.Header = kind.Clone()
		if call.Header == nil {
			call.Header = http.Header{}
		}
		call.Header.Set("Authorization", "Bearer "+token.Value.Reveal())
		call.Header.Set("Accept", "application/json")
		call.Secrets, call.Judge, call.Pause = append(c.hide(), token.Value), judge, pause
		answer, err := c.cfg.HTTP.Do(ctx, call)
		if err != nil {
			e := failure(err)
			if e.Reason == connectors.ReasonAuth && attempt == 0 {
				c.tokens.Forget(token.Value)
				continue
			}
			return e
		}
		if out == nil {
			return nil
		}
		return answer.JSON(call.Act, out)
	}
}

// judge words the errors of the APIs that say errorCode and errorMessage; nil
// leaves the rest to the shared table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	var p struct {
		Code    string `json:"errorCode"`
		Message string `json:"errorMessage"`
	}
	if a.JSON("", &p) != nil || p.Code == "" {
		return nil
	}
	e := &connectors.PushError{Message: p.Code + ": " + p.Message}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	return e
}

func pause(a *connectors.Answer) time.Duration {
	if a.Status == http.StatusTooManyRequests {
		return busyPause
	}
	return 0
}

// fetchToken asks for an access token, which lives eight hours. There is no
// refresh token that could get lost.
func (c *Connector) fetchToken(ctx context.Context) (connectors.Token, error) {
	const act = "demandbase: fetch an access token"
	if !c.authenticated() {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "client_id and client_secret are needed to call the API"}
	}
	answer, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.base + tokenPath, Header: http.Header{"Accept": {"application/json"}},
		JSON:    tokenRequest{"client_credentials", c.clientID, c.cfg.Secret(secretClient).Reveal()},
		Secrets: c.hide(),
		// Refused credentials are answered with 400 as well: that is about the
		// connection, not about people.
		Judge: func(a *connectors.Answer) *connectors.PushError {
			if a.Status != http.StatusBadRequest {
				return nil
			}
			return &connectors.PushError{Reason: connectors.ReasonAuth, Message: "the client id and secret are refused"}
		},
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var got struct {
		Token   secret.Text `json:"accessToken"`
		Expires int64       `json:"expiresIn"`
	}
	if err := answer.JSON(act, &got); err != nil {
		return connectors.Token{}, err
	}
	return connectors.Token{Value: got.Token, Life: time.Duration(min(max(got.Expires, 0), 86400)) * time.Second}, nil
}

// tokenRequest is JSON in camel case, not the form that OAuth has.
type tokenRequest struct {
	GrantType    string `json:"grantType"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// failure gives err as the *connectors.PushError that it is, with the vendor
// named.
func failure(err error) *connectors.PushError {
	var e *connectors.PushError
	if !errors.As(err, &e) {
		return &connectors.PushError{Act: "demandbase", Reason: connectors.ReasonBadAnswer, Retryable: true, Err: err}
	}
	if strings.HasPrefix(e.Act, "demandbase") {
		return e
	}
	named := *e
	named.Act = "demandbase: " + e.Act
	return &named
}
