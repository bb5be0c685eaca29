package salesforcemarketingcloud

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to the REST API of one business unit.
type api struct {
	client  *connectors.Client
	auth    string
	rest    string
	id      string
	account string
	key     secret.Text
	secrets []secret.Text
	tokens  *connectors.Tokens
}

// newAPI hides all the given secrets in what it says, not only the client's: a
// careless answer may repeat any of them.
func newAPI(cfg connectors.Config, auth, rest, id, account string, hide []secret.Text) *api {
	a := &api{
		client: cfg.HTTP, auth: auth, rest: rest, id: id, account: account,
		key: secret.New(strings.TrimSpace(cfg.Secret(secretClient).Reveal())), secrets: hide,
	}
	a.tokens = connectors.NewTokens(cfg.Now, a.fetch)
	return a
}

// fetch asks for a token of the installed package. It is a client credentials
// grant, so there is no refresh token that could be lost.
func (a *api) fetch(ctx context.Context) (connectors.Token, error) {
	const act = prefix + "fetch an access token"
	if a.id == "" || a.key.Empty() {
		return connectors.Token{}, settingError("fetch an access token", "client_id or client_secret is not set; receiving signed events does without them")
	}
	in := map[string]string{"grant_type": "client_credentials", "client_id": a.id, "client_secret": a.key.Reveal()}
	if a.account != "" {
		in["account_id"] = a.account
	}
	answer, err := a.client.Do(ctx, connectors.Call{Act: act, Method: http.MethodPost, URL: a.auth + "/v2/token", JSON: in, Secrets: a.secrets})
	if err != nil {
		return connectors.Token{}, err
	}
	var out struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"`
	}
	if err := answer.JSON(act, &out); err != nil {
		return connectors.Token{}, err
	}
	return connectors.Token{Value: secret.New(out.Token), Life: time.Duration(min(max(out.Expires, 0), 86400)) * time.Second}, nil
}

// call makes one request and decodes the answer into out, which may be nil; a
// token that is refused is replaced once. Any error is a *connectors.PushError
// whose act begins with the vendor's id.
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = prefix + act
	for again := false; ; again = true {
		token, err := a.tokens.Get(ctx)
		if err != nil {
			return named(err)
		}
		answer, err := a.client.Do(ctx, connectors.Call{
			Act: act, Method: method, URL: a.rest + path, JSON: in, Judge: judge, Discard: out == nil,
			Header:  http.Header{"Authorization": {"Bearer " + token.Value.Reveal()}, "Accept": {"application/json"}},
			Secrets: append(a.secrets[:len(a.secrets):len(a.secrets)], token.Value),
		})
		if !again && connectors.ReasonOf(err) == connectors.ReasonAuth {
			a.tokens.Forget(token.Value)
			continue
		}
		if err != nil || out == nil {
			return err
		}
		return answer.JSON(act, out)
	}
}

// named puts the vendor's id before an error that came from waiting for a token.
func named(err error) error {
	e := connectors.AsPushError(err)
	if strings.HasPrefix(e.Act, prefix) {
		return e
	}
	copied := *e
	copied.Act = prefix + e.Act
	return &copied
}

// Error codes of the REST API.
const (
	codeCannotSave = "10006" // rows could not be saved for now
	codeBlocked    = "50200" // the account is blocked, not throttled
)

// problem is an error answer. Its code is a number in some calls and a text in
// others.
type problem struct {
	Message string          `json:"message"`
	Code    json.RawMessage `json:"errorcode"`
	More    []struct {
		Message string `json:"message"`
	} `json:"additionalErrors"`
}

func (p *problem) code() string { return strings.Trim(string(p.Code), `" `) }

// judge reads the vendor's own forms of failure; nil leaves the rest to the
// shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	var p problem
	if a.Status < 400 || !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) || json.Unmarshal(a.Body, &p) != nil || p.Message == "" {
		return nil
	}
	e := &connectors.PushError{Message: p.Message}
	for _, more := range p.More {
		if more.Message != "" && more.Message != p.Message {
			e.Message += ": " + more.Message
		}
	}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	switch {
	case p.code() == codeCannotSave && len(p.More) == 0:
		e.Reason, e.Retryable = connectors.ReasonServer, true
	case p.code() == codeBlocked:
		e.Retryable = false
	}
	return e
}

// badAnswer is an answer with a good status that is not what was asked for.
func badAnswer(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: prefix + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: words}
}

// settingError is a call that lacks a setting.
func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: prefix + act, Reason: connectors.ReasonSettings, Message: words}
}
