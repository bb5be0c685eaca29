package surveymonkey

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks SurveyMonkey's API version 3. It knows HTTP and JSON and nothing
// of stages.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
}

// newAPI hides all the connection's secrets in what it says: a careless answer
// may repeat any of them.
func newAPI(cfg connectors.Config, base string) *api {
	token := strings.TrimSpace(cfg.Secret(secretToken).Reveal())
	return &api{
		client:  cfg.HTTP,
		base:    base,
		header:  http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token}},
		secrets: slices.Concat(slices.Collect(maps.Values(cfg.Secrets))...),
	}
}

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "surveymonkey".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "surveymonkey: " + act
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in,
		Secrets: a.secrets, Judge: judge, Pause: pause,
	})
	if err != nil || out == nil {
		return err
	}
	return answer.JSON(act, out)
}

// hiding gives the same API with more secrets to cut from errors.
func (a *api) hiding(more ...secret.Text) *api {
	b := *a
	b.secrets = slices.Concat(a.secrets, more)
	return &b
}

// fault is an error answer: {"error": {...}}.
type fault struct {
	Error *struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"error"`
}

// judge reads SurveyMonkey's own error numbers; nil leaves the rest to the
// shared status table. An error under a status that says success counts too.
func judge(a *connectors.Answer) *connectors.PushError {
	var f fault
	if !bytes.Contains(a.Body, []byte(`"error"`)) || json.Unmarshal(a.Body, &f) != nil || f.Error == nil {
		return nil
	}
	e := &connectors.PushError{Message: strings.TrimPrefix(f.Error.Name+": "+f.Error.Message, ": ")}
	e.Reason, e.Retryable = connectors.Classify(a.Status)
	// The numbers are those of the page "Errors" of the API documentation.
	switch n, _ := strconv.Atoi(f.Error.ID); {
	case n == 1040:
		e.Reason, e.Retryable = connectors.ReasonRateLimit, true
	case n >= 1010 && n <= 1013:
		e.Reason, e.Retryable = connectors.ReasonAuth, false
	case n >= 1014 && n <= 1018:
		e.Reason, e.Retryable = connectors.ReasonForbidden, false
	case n == 1020 || n == 1052 || n == 1053:
		e.Reason, e.Retryable = connectors.ReasonNotFound, false
	case n == 1025 || n == 1026:
		e.Reason, e.Retryable = connectors.ReasonConflict, false
	case n == 1030:
		e.Reason, e.Retryable = connectors.ReasonTooLarge, false
	case n == 1050 || n == 1051:
		e.Reason, e.Retryable = connectors.ReasonServer, true
	case n >= 1000 && n <= 1009:
		e.Reason, e.Retryable = connectors.ReasonInvalid, false
	}
	return e
}

// pause reads how long the vendor's limits need: the day's, where it is used
// up, else the minute's. Reset counts seconds.
func pause(a *connectors.Answer) time.Duration {
	for _, span := range []string{"Day", "Minute"} {
		left := a.Header.Get("X-Ratelimit-App-Global-" + span + "-Remaining")
		reset, err := strconv.ParseInt(a.Header.Get("X-Ratelimit-App-Global-"+span+"-Reset"), 10, 32)
		if left == "0" && err == nil && reset > 0 {
			return time.Duration(reset) * time.Second
		}
	}
	return 0
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "surveymonkey: " + act, Reason: connectors.ReasonSettings, Message: words}
}
