package pipedrive

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Prefixes of the two versions of the API under a company's address.
const (
	v1 = "/api/v1"
	v2 = "/api/v2"
)

// dailyPause is how long to wait when the tokens of the day are spent. The
// vendor does not say when its day ends.
const dailyPause = time.Hour

// api speaks to one company's Pipedrive. It knows HTTP and JSON and nothing of
// stages.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
	ready   bool // there are an address and a token
	gate    *gate
}

// newAPI hides all the given secrets in what it says, not only the token.
func newAPI(client *connectors.Client, base string, token secret.Text, hide []secret.Text) *api {
	a := &api{
		client:  client,
		base:    base,
		header:  http.Header{"Accept": {"application/json"}},
		secrets: hide,
		ready:   base != "" && !token.Empty(),
		gate:    &gate{},
	}
	if !token.Empty() {
		a.header.Set("x-api-token", token.Reveal())
	}
	return a
}

// hiding gives the same API with more secrets to cut from errors.
func (a *api) hiding(more ...secret.Text) *api {
	b := *a
	b.secrets = slices.Concat(a.secrets, more)
	return &b
}

// call makes one request and decodes the data of the answer into out, which
// may be nil; next is the cursor of the following page. Any error is a
// *connectors.PushError whose act begins with "pipedrive".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) (next string, err error) {
	act = "pipedrive: " + act
	if !a.ready {
		return "", &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "api_token and base_url are needed for this"}
	}
	if err := a.gate.wait(ctx, act); err != nil {
		return "", err
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Judge: judge, Pause: pause,
	})
	if answer != nil {
		a.gate.note(answer.Header)
	}
	if err != nil {
		return "", err
	}
	var e envelope
	if err := answer.JSON(act, &e); err != nil {
		return "", err
	}
	bad := &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Status: answer.Status, Retryable: true, Message: "the answer lacks what was asked for"}
	if e.Success == nil {
		return "", bad
	}
	if out != nil && (len(e.Data) == 0 || json.Unmarshal(e.Data, out) != nil) {
		return "", bad
	}
	return e.More.NextCursor, nil
}

// envelope is what every answer comes in.
type envelope struct {
	Success *bool           `json:"success"`
	Data    json.RawMessage `json:"data"`
	More    struct {
		NextCursor string `json:"next_cursor"`
	} `json:"additional_data"`
}

// refusal is an answer that says no.
type refusal struct {
	Success *bool  `json:"success"`
	Error   string `json:"error"`
	Info    string `json:"error_info"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// judge finds the answers that are well by their status only, and the
// vendor's words; nil leaves the rest to the shared status table.
func judge(a *connectors.Answer) *connectors.PushError {
	if a.Status >= 300 && a.Status <= 399 {
		return nil
	}
	var r refusal
	if json.Unmarshal(a.Body, &r) != nil {
		return nil
	}
	well := a.Status >= 200 && a.Status <= 299
	if well && (r.Success == nil || *r.Success) {
		return nil
	}
	words := strings.Join(slices.DeleteFunc([]string{r.Error, r.Message, r.Info, r.Code}, func(s string) bool { return s == "" }), "; ")
	if well {
		return &connectors.PushError{Reason: connectors.ReasonInvalid, Message: words}
	}
	if words == "" {
		return nil
	}
	e := &connectors.PushError{Message: words}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	return e
}

// pause reads Pipedrive's own headers: seconds until the burst window ends,
// and what is left of the day.
func pause(a *connectors.Answer) time.Duration {
	if a.Header.Get("X-Daily-Requests-Left") == "0" {
		return dailyPause
	}
	seconds, err := strconv.Atoi(a.Header.Get("X-Ratelimit-Reset"))
	if err != nil || seconds < 0 || seconds > int(dailyPause/time.Second) {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// gone reports whether the record asked for is not there (any more).
func gone(err error) bool {
	return connectors.ReasonOf(err) == connectors.ReasonNotFound || connectors.ReasonOf(err) == connectors.ReasonGone
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "pipedrive: " + act, Reason: connectors.ReasonSettings, Message: words}
}
