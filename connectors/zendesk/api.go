package zendesk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// concurrency is how many requests one connection has under way.
const concurrency = 4

// api speaks to one account's API. It knows HTTP and JSON and nothing of
// stages.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
	// slots bounds the requests under way over all callers.
	slots chan struct{}
}

// newAPI hides all the given secrets in what it says, not only the token: a
// careless answer may repeat any of them.
func newAPI(client *connectors.Client, base, email string, token secret.Text, hide []secret.Text) *api {
	a := &api{
		client:  client,
		base:    base,
		header:  http.Header{"Accept": {"application/json"}},
		secrets: hide,
		slots:   make(chan struct{}, concurrency),
	}
	switch {
	case token.Empty():
	case email == "":
		a.header.Set("Authorization", "Bearer "+token.Reveal())
	default:
		a.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(email+"/token:"+token.Reveal())))
	}
	return a
}

// authenticated reports whether there is a token to call with.
func (a *api) authenticated() bool { return a.header.Get("Authorization") != "" }

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "zendesk".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	answer, err := a.do(ctx, act, method, path, in)
	if err != nil || out == nil {
		return err
	}
	return answer.JSON("zendesk: "+act, out)
}

func (a *api) do(ctx context.Context, act, method, path string, in any) (*connectors.Answer, error) {
	act = "zendesk: " + act
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
	defer func() { <-a.slots }()
	return a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge, Pause: untilReset,
	})
}

// judge reads Zendesk's own forms of failure; nil leaves the rest to the
// shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	e := &connectors.PushError{Message: errorWords(a.Body)}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	if a.Status == http.StatusConflict {
		// Two writes of one record at once: the same again goes through.
		e.Retryable = true
	}
	if e.Message == "" {
		if a.Status != http.StatusConflict {
			return nil
		}
		e.Message = "another write of the same record was under way"
	}
	return e
}

// untilReset reads when the minute's budget is filled up again, in seconds.
func untilReset(a *connectors.Answer) time.Duration {
	s, err := strconv.Atoi(a.Header.Get("Ratelimit-Reset"))
	if err != nil || a.Status != http.StatusTooManyRequests || s < 0 || s > int(time.Hour.Seconds()) {
		return 0
	}
	return time.Duration(s) * time.Second
}

// errorWords reads {"error", "description", "details": {field: [{description}]}}
// and the form whose error is an object; "" where the body is neither.
func errorWords(body []byte) string {
	var e struct {
		Error       json.RawMessage
		Description string
		Details     map[string][]struct{ Description string }
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	var words string
	if json.Unmarshal(e.Error, &words) != nil {
		var object struct{ Title, Message string }
		if json.Unmarshal(e.Error, &object) == nil {
			words = join(object.Title, object.Message)
		}
	}
	words = join(words, e.Description)
	for _, field := range sortedKeys(e.Details) {
		for _, d := range e.Details[field] {
			words = join(words, field+": "+d.Description)
		}
	}
	return words
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "zendesk: " + act, Reason: connectors.ReasonSettings, Message: words}
}
