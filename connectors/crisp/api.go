package crisp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// quotaPause is how long to wait after 420 or 429 without a Retry-After: both
// also stand for a daily quota that is spent, which no header tells.
const quotaPause = 30 * time.Minute

// statusQuota is Crisp's other status for too many requests.
const statusQuota = 420

// credentials of the REST API.
type credentials struct {
	identifier string
	key        secret.Text
	tier       string
	hide       []secret.Text // more to cut from errors
}

// api speaks to the REST API for one workspace. It knows HTTP and JSON and
// nothing of stages.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
	ready   bool // there are a workspace and a token
	bare    bool // custom data is sent without its wrapping

	// proved is set once custom data that was written has been read back.
	proved atomic.Bool
}

func newAPI(client *connectors.Client, base, website string, c credentials) *api {
	a := &api{
		client:  client,
		base:    strings.TrimSuffix(base, "/v1") + "/v1/website/" + url.PathEscape(website),
		header:  http.Header{"Accept": {"application/json"}, "X-Crisp-Tier": {c.tier}},
		secrets: c.hide,
		ready:   website != "" && c.identifier != "" && !c.key.Empty(),
	}
	if a.ready {
		r := http.Request{Header: a.header}
		r.SetBasicAuth(c.identifier, c.key.Reveal())
	}
	return a
}

// reply is the data of an answer.
type reply struct {
	data json.RawMessage
	// cached says that a read came from Crisp's cache, so that it may be older
	// than a write.
	cached bool
}

// call makes one request. Any error is a *connectors.PushError whose act
// begins with "crisp".
func (a *api) call(ctx context.Context, act, method, path string, in any) (reply, error) {
	act = "crisp: " + act
	if !a.ready {
		return reply{}, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "website_id, token_identifier and token_key are needed for this"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge, Pause: pause,
	})
	if err != nil {
		return reply{}, err
	}
	var e envelope
	if err := answer.JSON(act, &e); err != nil {
		return reply{}, err
	}
	if e.Error == nil {
		return reply{}, badAnswer(act)
	}
	return reply{data: e.Data, cached: answer.Header.Get("Bloom-Status") == "HIT"}, nil
}

// get reads something and decodes it into out.
func (a *api) get(ctx context.Context, act, path string, out any) (cached bool, err error) {
	r, err := a.call(ctx, act, http.MethodGet, path, nil)
	if err != nil {
		return false, err
	}
	if len(r.data) == 0 || string(r.data) == "null" || json.Unmarshal(r.data, out) != nil {
		return false, badAnswer("crisp: " + act)
	}
	return r.cached, nil
}

func badAnswer(act string) *connectors.PushError {
	return &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer lacks what was asked for"}
}

// envelope is what every answer comes in.
type envelope struct {
	Error  *bool           `json:"error"`
	Reason string          `json:"reason"`
	Data   json.RawMessage `json:"data"`
}

// judge reads Crisp's own forms of failure; nil leaves the rest to the shared
// status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status >= 300 && a.Status <= 399 {
		return nil
	}
	var e envelope
	_ = json.Unmarshal(a.Body, &e)
	words := e.words()
	well := a.Status >= 200 && a.Status <= 299
	switch {
	case well && (e.Error == nil || !*e.Error):
		return nil
	case well:
		return &connectors.PushError{Reason: connectors.ReasonInvalid, Message: words}
	case a.Status == statusQuota:
		return &connectors.PushError{Reason: connectors.ReasonRateLimit, Retryable: true, Message: words}
	case words == "":
		return nil
	}
	failed := &connectors.PushError{Message: words}
	failed.Reason, failed.Retryable = connectors.Classify(a.Status)
	return failed
}

// words are the reason and, where there is one, the message.
func (e envelope) words() string {
	var d struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(e.Data, &d)
	return strings.Trim(e.Reason+": "+d.Message, ": ")
}

func pause(a *connectors.Answer) time.Duration {
	if a.Status == http.StatusTooManyRequests || a.Status == statusQuota {
		return quotaPause
	}
	return 0
}
