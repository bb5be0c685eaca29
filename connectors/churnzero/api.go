package churnzero

import (
	"context"
	"net/http"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to the HTTP or to the REST API. It knows HTTP and JSON and nothing
// of stages.
type api struct {
	client *connectors.Client
	base   string
	// authorization is empty for the HTTP API, whose key is in each action.
	authorization string
	secrets       []secret.Text
}

// call makes one request and decodes the answer into out; a nil out takes any
// body. Any error is a *connectors.PushError whose act begins with "churnzero".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "churnzero: " + act
	if a.base == "" {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "the connection has no address or key for this API of ChurnZero"}
	}
	h := http.Header{"Accept": {"*/*"}}
	if a.authorization != "" {
		h = http.Header{"Accept": {"application/json"}, "Authorization": {a.authorization}}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: h, JSON: in, Secrets: a.secrets, Discard: out == nil,
	})
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return answer.JSON(act, out)
}

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "churnzero: " + act, Reason: connectors.ReasonSettings, Message: words}
}
