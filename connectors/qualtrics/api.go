package qualtrics

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// version is the part of every API path behind the host.
const version = "/API/v3"

// api speaks Qualtrics' API version 3. It knows HTTP and JSON and nothing of
// stages.
type api struct {
	client  *connectors.Client
	root    string
	token   secret.Text        // of a user; empty with OAuth
	tokens  *connectors.Tokens // nil without OAuth
	secrets []secret.Text
}

// newAPI hides all the connection's secrets in what it says: a careless answer
// may repeat any of them.
func newAPI(cfg connectors.Config, root string, oauth bool, clientID, scope string) *api {
	a := &api{client: cfg.HTTP, root: root, secrets: slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...)}
	if !oauth {
		a.token = secret.New(strings.TrimSpace(cfg.Secret(secretAPI).Reveal()))
		return a
	}
	a.tokens = connectors.NewTokens(cfg.Now, func(ctx context.Context) (connectors.Token, error) {
		return a.fetchToken(ctx, clientID, cfg.Secret(secretClient), scope)
	})
	return a
}

// fetchToken is the client credentials grant: there is no refresh token that
// could be used up.
func (a *api) fetchToken(ctx context.Context, id string, key secret.Text, scope string) (connectors.Token, error) {
	const act = "qualtrics: get an access token"
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(key.Reveal())))
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope != "" {
		form.Set("scope", scope)
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: a.root + "/oauth2/token", Secrets: a.secrets, Body: []byte(form.Encode()),
		Header: http.Header{"Authorization": {"Basic " + basic}, "Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
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

// call makes one request and decodes the result of the answer into out, which
// may be nil. A token that was refused is fetched anew once. Any error is a
// *connectors.PushError whose act begins with "qualtrics".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	_, err := a.ask(ctx, act, method, path, in, out)
	return err
}

// ask is call, and gives what the answer says about itself.
func (a *api) ask(ctx context.Context, act, method, path string, in, out any) (meta, error) {
	act = "qualtrics: " + act
	if a.root == "" || a.tokens == nil && a.token.Empty() {
		return meta{}, settingError(act, "api_token, or client_id with client_secret, is not set; receiving from a workflow does without it")
	}
	if a.tokens == nil {
		return a.once(ctx, act, method, path, in, out, http.Header{"X-Api-Token": {a.token.Reveal()}}, a.secrets)
	}
	for again := false; ; again = true {
		token, err := a.tokens.Get(ctx)
		if err != nil {
			e := *connectors.AsPushError(err)
			if !strings.HasPrefix(e.Act, "qualtrics") {
				e.Act = act // ended while another call was fetching the token
			}
			return meta{}, &e
		}
		header := http.Header{"Authorization": {"Bearer " + token.Value.Reveal()}}
		m, err := a.once(ctx, act, method, path, in, out, header, append(slices.Clone(a.secrets), token.Value))
		if err == nil || again || connectors.AsPushError(err).Status != http.StatusUnauthorized {
			return m, err
		}
		a.tokens.Forget(token.Value)
	}
}

func (a *api) once(ctx context.Context, act, method, path string, in, out any, header http.Header, hide []secret.Text) (meta, error) {
	header.Set("Accept", "application/json")
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.root + version + path, Header: header, JSON: in, Secrets: hide, Judge: judge,
	})
	if err != nil {
		return meta{}, err
	}
	var e envelope
	if err := answer.JSON(act, &e); err != nil {
		return meta{}, err
	}
	if e.Meta == nil || out != nil && len(e.Result) == 0 {
		return meta{}, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Status: answer.Status, Retryable: true, Message: "the answer has no meta or no result"}
	}
	if out == nil {
		return *e.Meta, nil
	}
	if err := json.Unmarshal(e.Result, out); err != nil {
		return meta{}, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Status: answer.Status, Retryable: true, Message: "the answer's result is not what was expected"}
	}
	return *e.Meta, nil
}

// envelope is every answer.
type envelope struct {
	Result json.RawMessage `json:"result"`
	Meta   *meta           `json:"meta"`
}

type meta struct {
	Status    string `json:"httpStatus"` // "200 - OK"
	RequestID string `json:"requestId"`
	Notice    string `json:"notice"`
	Error     *struct {
		Message string `json:"errorMessage"`
		Code    string `json:"errorCode"`
	} `json:"error"`
}

// judge reads the error in an answer, under whatever status it came; nil leaves
// the rest to the shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	var e envelope
	if !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) || json.Unmarshal(a.Body, &e) != nil || e.Meta == nil {
		return nil
	}
	status := a.Status
	if n, err := strconv.Atoi(strings.TrimSpace(strings.Split(e.Meta.Status, "-")[0])); err == nil && n >= 300 && status < 300 {
		status = n
	}
	if e.Meta.Error == nil && status < 300 {
		return nil
	}
	failed := &connectors.PushError{}
	failed.Reason, failed.Retryable = connectors.Classify(status)
	if e.Meta.Error != nil {
		failed.Message = strings.TrimPrefix(e.Meta.Error.Code+": "+e.Meta.Error.Message, ": ")
	}
	return failed
}

// concernsAll reports whether a failure will meet the next request as well.
func concernsAll(e *connectors.PushError) bool {
	switch e.Reason {
	case connectors.ReasonNotFound, connectors.ReasonInvalid, connectors.ReasonBadAnswer, connectors.ReasonGone, connectors.ReasonTooLarge, connectors.ReasonConflict:
		return false
	}
	return true
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: words}
}
