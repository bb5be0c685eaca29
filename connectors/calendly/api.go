package calendly

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// api speaks to Calendly's API.
type api struct {
	client  *connectors.Client
	base    string
	header  http.Header
	secrets []secret.Text
}

// newAPI hides all the given secrets in what it says, not only the token: a
// careless answer may repeat any of them.
func newAPI(client *connectors.Client, base string, token secret.Text, hide []secret.Text) *api {
	a := &api{client: client, base: base, header: http.Header{"Accept": {"application/json"}}, secrets: hide}
	if !token.Empty() {
		a.header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return a
}

// hiding gives the same API with more secrets to cut from errors.
func (a *api) hiding(more ...secret.Text) *api {
	b := *a
	b.secrets = append(b.secrets[:len(b.secrets):len(b.secrets)], more...)
	return &b
}

// call makes one request and decodes the answer into out, which may be nil. Any
// error is a *connectors.PushError whose act begins with "calendly".
func (a *api) call(ctx context.Context, act, method, path string, in, out any) error {
	act = "calendly: " + act
	if a.header.Get("Authorization") == "" {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "access_token is not set; receiving events does without it"}
	}
	answer, err := a.client.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: a.base + path, Header: a.header, JSON: in, Secrets: a.secrets, Pause: pause, Discard: out == nil,
	})
	if err != nil || out == nil {
		return err
	}
	return answer.JSON(act, out)
}

// pause reads how many seconds are left until the limit of requests begins anew;
// the header's name and unit are from general knowledge of the API.
func pause(a *connectors.Answer) time.Duration {
	seconds, err := strconv.Atoi(a.Header.Get("X-RateLimit-Reset"))
	if err != nil || seconds < 0 || seconds > int(time.Hour.Seconds()) {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// identity is the user whose token it is.
type identity struct {
	URI          string `json:"uri"`
	Name         string `json:"name"`
	Email        string `json:"email"`
	Organization string `json:"current_organization"`
}

func (c *Connector) me(ctx context.Context, act string) (*identity, error) {
	var answer struct {
		Resource identity `json:"resource"`
	}
	if err := c.api.call(ctx, act, http.MethodGet, "/users/me", nil, &answer); err != nil {
		return nil, err
	}
	if answer.Resource.URI == "" || answer.Resource.Organization == "" {
		return nil, &connectors.PushError{Act: "calendly: " + act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no user or no organization"}
	}
	return &answer.Resource, nil
}

// Check implements connectors.Checker: it names the user of the token, and says
// when Calendly has switched this connection's webhook off, as it does after a
// day without an answer. A token may not be allowed to list webhooks; that is
// no fault here.
func (c *Connector) Check(ctx context.Context) (string, error) {
	const act = "test the connection"
	me, err := c.me(ctx, act)
	if err != nil {
		return "", err
	}
	said := "Calendly user " + cmp.Or(me.Name, me.Email, lastPart(me.URI))
	there, err := c.subscriptions(ctx, me)
	if err != nil {
		return said, nil
	}
	for _, s := range there {
		if s.State != stateActive {
			said += "; the webhook is " + strings.ToLower(cmp.Or(printable(s.State), "not active")) + " at Calendly, register it anew"
			break
		}
	}
	return said, nil
}

// lastPart is the id at the end of a URI.
func lastPart(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }
