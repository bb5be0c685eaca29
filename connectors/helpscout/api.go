package helpscout

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to the Mailbox API for one account. It knows HTTP and JSON and
// nothing of stages.
type api struct {
	client *connectors.Client
	base   string
	app    string
	key    secret.Text
	hide   []secret.Text
	tokens *connectors.Tokens
	ready  bool // there are an app's id and secret
}

// newAPI hides all the given secrets in what it says, not only the app's.
func newAPI(cfg connectors.Config, base, app string, key secret.Text, hide []secret.Text) *api {
	a := &api{client: cfg.HTTP, base: base, app: app, key: key, hide: hide, ready: app != "" && !key.Empty()}
	a.tokens = connectors.NewTokens(cfg.Now, a.fetchToken)
	return a
}

// hiding gives the same API with more secrets to cut from errors.
func (a *api) hiding(more ...secret.Text) *api {
	b := *a
	b.hide = slices.Concat(a.hide, more)
	return &b
}

// fetchToken asks for an access token by client credentials, which know no
// refresh token that could get lost.
func (a *api) fetchToken(ctx context.Context) (connectors.Token, error) {
	const act = "helpscout: fetch an access token"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.app}, "client_secret": {a.key.Reveal()}}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: a.base + "/oauth2/token", Secrets: a.hide, Pause: pause,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body:   []byte(form.Encode()),
		Judge: func(got *connectors.Answer) *connectors.PushError {
			if got.Status != http.StatusBadRequest {
				return nil
			}
			// An app that is not known is a bad request in OAuth.
			return &connectors.PushError{Reason: connectors.ReasonAuth, Message: "Help Scout does not take the app's id and secret"}
		},
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var got struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"`
	}
	if err := answer.JSON(act, &got); err != nil {
		return connectors.Token{}, err
	}
	return connectors.Token{Value: secret.New(got.Token), Life: time.Duration(min(max(got.Expires, 0), 1e6)) * time.Second}, nil
}

// call makes one request and decodes the answer into out, which may be nil.
// After a 401 it is made once more with a new token. Any error is a
// *connectors.PushError whose act begins with "helpscout".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) (*connectors.Answer, error) {
	act = "helpscout: " + act
	if !a.ready {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "app_id and app_secret are needed for this"}
	}
	var answer *connectors.Answer
	var err error
	for range 2 {
		token, refused := a.tokens.Get(ctx)
		if refused != nil {
			return nil, named(act, refused)
		}
		answer, err = a.client.Do(ctx, connectors.Call{
			Act: act, Method: method, URL: a.base + path, JSON: in, Pause: pause, Judge: judge,
			Secrets: append(slices.Clone(a.hide), token.Value),
			Header:  http.Header{"Authorization": {"Bearer " + token.Value.Reveal()}, "Accept": {"application/json"}},
		})
		if connectors.ReasonOf(err) != connectors.ReasonAuth {
			break
		}
		a.tokens.Forget(token.Value)
	}
	if err != nil || out == nil {
		return answer, err
	}
	return answer, answer.JSON(act, out)
}

// named makes an error of the keeper of tokens begin with the vendor.
func named(act string, err error) error {
	e := *connectors.AsPushError(err)
	if !strings.HasPrefix(e.Act, "helpscout") {
		e.Act = act
	}
	return &e
}

// judge finds the vendor's words, which name the fields that were refused; nil
// leaves the rest to the shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	var p struct {
		Message  string `json:"message"`
		Embedded struct {
			Errors []struct {
				Path    string `json:"path"`
				Message string `json:"message"`
			} `json:"errors"`
		} `json:"_embedded"`
	}
	if json.Unmarshal(a.Body, &p) != nil || p.Message == "" || len(p.Embedded.Errors) == 0 {
		return nil
	}
	var parts []string
	for _, e := range p.Embedded.Errors {
		parts = append(parts, strings.Trim(e.Path+": "+e.Message, ": "))
	}
	e := &connectors.PushError{Message: p.Message + " (" + strings.Join(parts, "; ") + ")"}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	return e
}

// pause reads Help Scout's own header: seconds until the next request may come.
func pause(a *connectors.Answer) time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("X-Ratelimit-Retry-After"))
	if err != nil || seconds < 0 || seconds > 86400 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func badAnswer(act string) *connectors.PushError {
	return &connectors.PushError{Act: "helpscout: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer lacks what was asked for"}
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "helpscout: " + act, Reason: connectors.ReasonSettings, Message: words}
}
