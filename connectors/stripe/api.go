package stripe

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to Stripe's API: forms go, JSON comes. It knows nothing of stages.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
}

// newAPI hides all the given secrets in what it says, not only the key: a
// careless answer may repeat any of them.
func newAPI(client *connectors.Client, base string, key secret.Text, hide []secret.Text) *api {
	a := &api{client: client, base: base, header: http.Header{}, secrets: hide}
	if !key.Empty() {
		a.header.Set("Authorization", "Bearer "+key.Reveal())
	}
	return a
}

// anonymous reports whether there is no key to call with.
func (a *api) anonymous() bool { return a.header.Get("Authorization") == "" }

// call is one request.
type call struct {
	act, method, path string
	form              url.Values // the query of a GET, else the body
	key               string     // Idempotency-Key
}

// do makes the request and decodes the answer into out. Any error is a
// *connectors.PushError whose act begins with "stripe".
func (a *api) do(ctx context.Context, c call, out any) (*connectors.Answer, error) {
	act := "stripe: " + c.act
	if a.anonymous() {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "api_key is not set; receiving events does without it"}
	}
	in := connectors.Call{Act: act, Method: c.method, URL: a.base + c.path, Header: a.header.Clone(), Secrets: a.secrets, Judge: judge}
	switch {
	case len(c.form) == 0:
	case c.method == http.MethodGet:
		in.URL += "?" + c.form.Encode()
	default:
		in.Body = []byte(c.form.Encode())
		in.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.key != "" {
		in.Header.Set("Idempotency-Key", c.key)
	}
	answer, err := a.client.Do(ctx, in)
	if err != nil {
		return answer, err
	}
	return answer, answer.JSON(act, out)
}

// customerPath is where a customer is found.
func customerPath(id string) string { return "/v1/customers/" + url.PathEscape(id) }

// missing reports whether err says that the object asked for is not there.
func missing(err error) bool {
	return err != nil && connectors.AsPushError(err).Reason == connectors.ReasonNotInVendor
}

// badAnswer is an answer with a good status that is not what was asked for.
func badAnswer(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "stripe: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: words}
}

// judge reads Stripe's own forms of failure; nil leaves the rest to the shared
// status table. Stripe-Should-Retry decides where it is sent, and a conflict is
// with another request under way, so that it passes
// (https://docs.stripe.com/error-low-level).
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status >= 200 && a.Status <= 299 {
		return nil
	}
	p, told := readProblem(a)
	again := a.Header.Get("Stripe-Should-Retry")
	if !told && again == "" && a.Status != http.StatusConflict {
		return nil
	}
	e := &connectors.PushError{Message: p.Error.Message}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	if !told {
		e.Message = "refused without a reason"
	}
	switch {
	case again == "true" || again == "" && a.Status == http.StatusConflict:
		e.Retryable = true
	case again == "false":
		e.Retryable = false
	}
	if a.Status == http.StatusNotFound && p.Error.Code == "resource_missing" {
		e.Reason, e.Retryable = connectors.ReasonNotInVendor, false
	}
	return e
}

func readProblem(a *connectors.Answer) (problem, bool) {
	var p problem
	if !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) || json.Unmarshal(a.Body, &p) != nil || p.Error.Message == "" && p.Error.Type == "" {
		return problem{}, false
	}
	if p.Error.Message == "" {
		p.Error.Message = p.Error.Type
	}
	if p.Error.Param != "" && !strings.Contains(p.Error.Message, p.Error.Param) {
		p.Error.Message += " (" + p.Error.Param + ")"
	}
	return p, true
}
