package typeform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// perSecond is how many requests Typeform takes of one token in a second
// (https://www.typeform.com/developers/get-started/).
const perSecond = 2

// api speaks to Typeform's API, no faster than it allows.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
	pace    *rate.Limiter
}

// newAPI hides all the given secrets in what it says, not only the token: a
// careless answer may repeat any of them.
func newAPI(client *connectors.Client, base string, token secret.Text, hide []secret.Text) *api {
	a := &api{
		client: client, base: base, header: http.Header{"Accept": {"application/json"}}, secrets: hide,
		pace: rate.NewLimiter(rate.Every(time.Second/perSecond), perSecond),
	}
	if !token.Empty() {
		a.header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return a
}

// hiding gives the same API with more secrets to cut from errors.
func (a *api) hiding(more ...secret.Text) *api {
	b := *a
	b.secrets = append(b.secrets[:len(b.secrets):len(b.secrets)], more...)
	return &b
}

// call makes one request and decodes the answer into out, which may be nil. Any
// error is a *connectors.PushError whose act begins with "typeform".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "typeform: " + act
	if a.header.Get("Authorization") == "" {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "access_token is not set; receiving responses does without it"}
	}
	if err := a.pace.Wait(ctx); err != nil {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time was up before the request's turn", Err: err}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge, Discard: out == nil,
	})
	if err != nil || out == nil {
		return err
	}
	return answer.JSON(act, out)
}

// judge reads Typeform's error body, {"code", "description"}; nil leaves the
// rest to the shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	var p struct {
		Code        string `json:"code"`
		Description string `json:"description"`
	}
	if a.Status < 300 || !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) || json.Unmarshal(a.Body, &p) != nil || p.Code+p.Description == "" {
		return nil
	}
	e := &connectors.PushError{Message: strings.Trim(p.Code+": "+p.Description, ": ")}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	return e
}

// form is the path of a form, with more of it.
func form(id string, more ...string) string {
	path := "/forms/" + url.PathEscape(id)
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return path
}

// missing reports whether err says that what was asked for is not there.
func missing(err error) bool {
	var e *connectors.PushError
	return errors.As(err, &e) && e.Reason == connectors.ReasonNotFound
}

// settingError is a call that lacks a setting.
func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "typeform: " + act, Reason: connectors.ReasonSettings, Message: words}
}
