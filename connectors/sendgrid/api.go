package sendgrid

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// resetHeader is when an endpoint's rate limit begins anew, in Unix seconds.
const resetHeader = "X-RateLimit-Reset"

// api speaks to the v3 API. It knows HTTP and JSON and nothing of stages.
type api struct {
	client  *connectors.Client
	base    string
	key     string
	now     func() time.Time
	secrets []secret.Text
}

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "sendgrid".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	return a.judged(ctx, act, method, path, in, out, nil)
}

func (a *api) judged(ctx context.Context, act, method, path string, in, out any, judge func(*connectors.Answer) *connectors.PushError) error {
	act = "sendgrid: " + act
	if a.key == "" {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "api_key is not set; receiving webhooks does without it"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, JSON: in, Secrets: a.secrets, Discard: out == nil, Pause: a.pause, Judge: judge,
		Header: http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + a.key}},
	})
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return answer.JSON(act, out)
}

// pause reads how long an exhausted limit lasts.
func (a *api) pause(answer *connectors.Answer) time.Duration {
	if answer.Status != http.StatusTooManyRequests {
		return 0
	}
	seconds, err := strconv.ParseInt(answer.Header.Get(resetHeader), 10, 64)
	if err != nil || seconds <= 0 || seconds > maxSeconds {
		return 0
	}
	return max(time.Unix(seconds, 0).Sub(a.now()), time.Second)
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "sendgrid: " + act, Reason: connectors.ReasonSettings, Message: words}
}
