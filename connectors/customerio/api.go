package customerio

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to the Track or to the App API. It knows HTTP and JSON and
// nothing of stages.
type api struct {
	client *connectors.Client
	base   string
	// authorization is empty where the connection has no key for this API.
	authorization string
	secrets       []secret.Text
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// open reports whether the connection has a key for this API.
func (a *api) open() bool { return a.authorization != "" }

// call makes one request and decodes the answer into out, which may be nil.
// Any error is a *connectors.PushError whose act begins with "customerio".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "customerio: " + act
	if !a.open() {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "the connection has no key for this API of Customer.io"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, JSON: in, Secrets: a.secrets, Discard: out == nil,
		Header: http.Header{"Accept": {"application/json"}, "Authorization": {a.authorization}},
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
	return &connectors.PushError{Act: "customerio: " + act, Reason: connectors.ReasonSettings, Message: words}
}
