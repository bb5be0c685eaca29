package intercom

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// version is the version of the API that this connector is written for.
const version = "2.15"

// concurrency is how many requests one connection has under way. With answers
// in a tenth of a second that is half of what an app may ask in a minute.
const concurrency = 8

// api speaks to one workspace's API. It knows HTTP and JSON and nothing of
// stages.
type api struct {
	client  *connectors.Client
	now     func() time.Time
	base    string
	header  http.Header
	secrets []secret.Text
	// slots bounds the requests under way over all callers.
	slots chan struct{}
}

// newAPI hides all the given secrets in what it says, not only the token: a
// careless answer may repeat any of them.
func newAPI(client *connectors.Client, now func() time.Time, base string, token secret.Text, hide []secret.Text) *api {
	a := &api{
		client: client, now: now, base: base, secrets: hide,
		header: http.Header{"Accept": {"application/json"}, "Intercom-Version": {version}},
		slots:  make(chan struct{}, concurrency),
	}
	if !token.Empty() {
		a.header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return a
}

// authenticated reports whether there is a token to call with.
func (a *api) authenticated() bool { return a.header.Get("Authorization") != "" }

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "intercom".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "intercom: " + act
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return &connectors.PushError{Act: act, Reason: connectors.ReasonNotDone, Retryable: true, Message: "the time of this batch was up before its turn"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge, Pause: a.pause,
	})
	<-a.slots
	if err != nil || out == nil {
		return err
	}
	return answer.JSON(act, out)
}

// contactPath is the path of a contact, with more of it.
func contactPath(id string, more ...string) string {
	path := "/contacts/" + url.PathEscape(id)
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return path
}

// judge reads Intercom's list of errors; nil leaves the answer to the shared
// status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status < 400 {
		return nil
	}
	var p problem
	if json.Unmarshal(a.Body, &p) != nil || len(p.Errors) == 0 {
		return nil
	}
	e := &connectors.PushError{}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	var words []string
	for _, one := range p.Errors {
		word := one.Code
		if one.Field != "" {
			word += " (" + one.Field + ")"
		}
		if one.Message != "" {
			word += ": " + one.Message
		}
		words = append(words, word)
		if one.Code == "rate_limit_exceeded" {
			e.Reason, e.Retryable = connectors.ReasonRateLimit, true
		}
	}
	e.Message = strings.Join(words, "; ")
	return e
}

// pause reads when the window of the rate limit ends, in Unix seconds.
func (a *api) pause(answer *connectors.Answer) time.Duration {
	at, err := strconv.ParseInt(answer.Header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil || answer.Status != http.StatusTooManyRequests {
		return 0
	}
	return min(max(time.Unix(at, 0).Sub(a.now()), 0), time.Hour)
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "intercom: " + act, Reason: connectors.ReasonSettings, Message: words}
}
