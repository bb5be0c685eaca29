package mailchimp

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to the Marketing API for one audience. It knows HTTP and JSON
// and nothing of stages.
type api struct {
	client   *connectors.Client
	base     string
	audience string
	header   http.Header
	secrets  []secret.Text
	// slots bounds the requests under way over all callers.
	slots chan struct{}
}

// newAPI hides all the given secrets in what it says, not only the key: a
// careless answer may repeat any of them.
func newAPI(client *connectors.Client, base, audience string, key secret.Text, hide []secret.Text) *api {
	a := &api{
		client:   client,
		base:     base,
		audience: audience,
		header:   http.Header{"Accept": {"application/json"}},
		slots:    make(chan struct{}, concurrency),
		secrets:  hide,
	}
	if !key.Empty() {
		// Bearer takes API keys and OAuth 2 tokens alike.
		a.header.Set("Authorization", "Bearer "+key.Reveal())
	}
	return a
}

// hiding gives the same API with more secrets to cut from errors.
func (a *api) hiding(more ...secret.Text) *api {
	b := *a
	b.secrets = slices.Concat(a.secrets, more)
	return &b
}

// list is the path of the audience, with more of it.
func (a *api) list(more ...string) string {
	path := "/lists/" + url.PathEscape(a.audience)
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return path
}

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "mailchimp".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "mailchimp: " + act
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge,
	})
	<-a.slots
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return answer.JSON(act, out)
}

// judge reads Mailchimp's own forms of failure; nil leaves the rest to the
// shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 || a.Status > 499 {
		return nil
	}
	p, ok := readProblem(a)
	switch {
	case !ok && a.Status == http.StatusForbidden && !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")):
		// At very high volume the answer is a bare 403, with no word about permissions.
		return &connectors.PushError{Reason: connectors.ReasonRateLimit, Retryable: true, Message: "refused without a reason, which is how Mailchimp throttles"}
	case !ok:
		return nil
	}
	e := &connectors.PushError{Message: p.words()}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	switch {
	case a.Status != http.StatusBadRequest:
	case p.consent():
		e.Reason = connectors.ReasonOptedOut
	case p.taken():
		e.Reason = connectors.ReasonConflict
	}
	return e
}

func readProblem(a *connectors.Answer) (problem, bool) {
	var p problem
	if !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) || json.Unmarshal(a.Body, &p) != nil {
		return problem{}, false
	}
	return p, p.Title != "" || p.Detail != ""
}

// words puts title, detail and the fields complained of into one sentence.
func (p problem) words() string {
	text := p.Title
	if p.Detail != "" {
		text = strings.TrimPrefix(text+": "+p.Detail, ": ")
	}
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, strings.TrimPrefix(e.Field+": "+e.Message, ": "))
	}
	if len(fields) > 0 {
		text += " (" + strings.Join(fields, "; ") + ")"
	}
	return text
}

// consent reports whether the contact's own decision, or a bounce, stands
// against the change. The titles are from general knowledge of the API; it
// answers with them when an address has opted out, bounced or was erased.
func (p problem) consent() bool {
	title, detail := strings.ToLower(p.Title), strings.ToLower(p.Detail)
	return strings.Contains(title, "compliance state") ||
		strings.Contains(title, "forgotten email") ||
		strings.Contains(detail, "was permanently deleted and cannot be re-imported") ||
		strings.Contains(detail, "in a compliance state")
}

// taken reports whether the address that a contact should change to belongs
// to another contact already.
func (p problem) taken() bool {
	said := p.Detail
	for _, e := range p.Errors {
		said += " " + e.Message
	}
	return strings.EqualFold(p.Title, "Member Exists") ||
		strings.Contains(said, "is already a list member") ||
		strings.Contains(said, "is already in this list")
}
