package segment

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// publicAPIType is the media type of the Public API's first version.
const publicAPIType = "application/vnd.segment.v1+json"

// testPerson is whom a connection test tells Segment about.
const testPerson = "stagebridge-connection-test"

// Check implements connectors.Checker. With a Public API token it reads the
// workspace's name; the tracking API takes every write key, so there a test can
// only send a call for a person to look for.
func (c *Connector) Check(ctx context.Context) (string, error) {
	if !c.cfg.Secret(secretPublicAPI).Empty() {
		var answer struct {
			Data struct {
				Workspace struct {
					Name string `json:"name"`
				} `json:"workspace"`
			} `json:"data"`
		}
		if err := c.ask(ctx, "segment: test the connection", http.MethodGet, "/", nil, &answer); err != nil {
			return "", err
		}
		return fmt.Sprintf("The Public API token opens the workspace %q. The write key cannot be tested.", connectors.Words(answer.Data.Workspace.Name, c.secrets...)), nil
	}
	if c.header == nil {
		return "This connection only receives; send it an event to test it.", nil
	}
	now := c.cfg.Now()
	call := c.call(kindIdentify, fmt.Sprintf("test-%d", now.UnixMilli()), person{anonymousID: testPerson}, stamp(now))
	batch := map[string]any{"sentAt": stamp(now), "batch": []outgoing{call}}
	if err := c.post(ctx, "segment: test the connection", batch); err != nil {
		return "", err
	}
	return "Segment answered, as it does to any write key. Look for the anonymous id " + testPerson + " in the source's Debugger.", nil
}

// Erase implements connectors.Eraser: a regulation that suppresses and deletes
// the person's user ids. Segment knows people for that by user id alone, and
// carries it out within days.
func (c *Connector) Erase(ctx context.Context, who connectors.Update) (*connectors.Erased, error) {
	const act = "segment: file the erasure"
	var ids []string
	for _, k := range who.Keys {
		if k.Namespace == lifecycle.NamespaceUser && !slices.Contains(ids, k.Value) {
			ids = append(ids, k.Value)
		}
	}
	if c.byEmail && len(ids) == 0 && who.Email != "" {
		ids = append(ids, who.Email)
	}
	if len(ids) == 0 {
		return &connectors.Erased{Outcome: connectors.Skipped, Reason: connectors.ReasonNoIdentity, Message: "no user id is known, and Segment erases by nothing else"}, nil
	}
	path := "/regulations"
	if source := c.cfg.Settings[fieldSource]; source != "" {
		path += "/sources/" + url.PathEscape(source)
	}
	var answer struct {
		Data struct {
			ID string `json:"regulateId"`
		} `json:"data"`
	}
	order := map[string]any{"regulationType": "SUPPRESS_WITH_DELETE", "subjectType": "USER_ID", "subjectIds": ids}
	if err := c.ask(ctx, act, http.MethodPost, path, order, &answer); err != nil {
		return nil, err
	}
	if answer.Data.ID == "" {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no regulation"}
	}
	return &connectors.Erased{Outcome: connectors.Submitted, Proof: "regulation " + connectors.Words(answer.Data.ID, c.secrets...)}, nil
}

// ask makes a request of the Public API's first version.
func (c *Connector) ask(ctx context.Context, act, method, path string, in, out any) error {
	return c.askAs(ctx, publicAPIType, act, method, path, in, out)
}

// askAs makes a request of the Public API in a media type. What hide holds is
// cut from errors, beside the connection's secrets.
func (c *Connector) askAs(ctx context.Context, media, act, method, path string, in, out any, hide ...secret.Text) error {
	token := c.cfg.Secret(secretPublicAPI)
	if token.Empty() {
		return &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: secretPublicAPI + " is not set"}
	}
	h := http.Header{"Accept": {media}, "Authorization": {"Bearer " + token.Reveal()}}
	if in != nil {
		h.Set("Content-Type", media)
	}
	a, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: method, URL: c.publicAPI + path, Header: h, JSON: in, Secrets: slices.Concat(c.secrets, hide), Pause: pause,
	})
	if err != nil || out == nil {
		return err
	}
	return a.JSON(act, out)
}
