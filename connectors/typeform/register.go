package typeform

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// The events of a form.
const (
	typeResponse = "form_response"
	typePartial  = "form_response_partial"
)

// Check implements connectors.Checker: it names the account of the token.
func (c *Connector) Check(ctx context.Context) (string, error) {
	var me struct {
		Alias string `json:"alias"`
		Email string `json:"email"`
	}
	if err := c.api.call(ctx, "test the connection", http.MethodGet, "/me", nil, &me); err != nil {
		return "", err
	}
	return "Typeform account " + cmp.Or(me.Alias, me.Email, "without a name"), nil
}

// webhook is one webhook of a form.
type webhook struct {
	Tag     string          `json:"tag,omitempty"`
	URL     string          `json:"url"`
	Enabled bool            `json:"enabled"`
	Secret  string          `json:"secret,omitempty"`
	Verify  bool            `json:"verify_ssl"`
	Types   map[string]bool `json:"event_types,omitempty"`
}

// Register implements connectors.Registrar on every form that is named. A
// webhook that calls this connection already is changed, whatever its tag. The
// secret is ours to choose: the connection's, or a new one that is given back.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	const act = "register the webhook"
	switch {
	case len(c.forms) == 0:
		return nil, settingError(act, "form_ids is empty; each form has webhooks of its own, so name the forms")
	case c.cfg.PublicURL == "":
		return nil, settingError(act, "the public URL of this installation is not set")
	}
	if types == nil {
		types = []string{typeResponse}
	}
	for _, t := range types {
		if t != typeResponse && t != typePartial {
			return nil, settingError(act, "a form has no event "+printable(t))
		}
	}
	out := &connectors.Registration{ID: c.tag, URL: c.cfg.PublicURL, Types: types}
	key := c.cfg.Secret(secretWebhook)
	if key.Empty() {
		key = secret.New(rand.Text())
		out.Secrets = map[string]secret.Text{secretWebhook: key}
	}
	want := webhook{
		URL: c.cfg.PublicURL, Enabled: true, Secret: key.Reveal(), Verify: strings.HasPrefix(c.cfg.PublicURL, "https://"),
		Types: map[string]bool{typeResponse: slices.Contains(types, typeResponse), typePartial: slices.Contains(types, typePartial)},
	}
	api := c.api.hiding(key)
	for _, id := range c.forms {
		there, err := c.webhooks(ctx, id)
		if err != nil {
			return nil, err
		}
		tags := []string{c.tag}
		if len(there) > 0 {
			tags = nil
		}
		for _, w := range there {
			tags = append(tags, w.Tag)
		}
		for _, tag := range tags {
			if err := api.call(ctx, act, http.MethodPut, form(id, "webhooks", tag), want, nil); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Registered implements connectors.Registrar; the id is the form's and the tag.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	var all []connectors.Registration
	for _, id := range c.forms {
		there, err := c.webhooks(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, w := range there {
			all = append(all, connectors.Registration{ID: id + "/" + w.Tag, URL: w.URL, Types: w.on()})
		}
	}
	return all, nil
}

// on lists the events that a webhook tells of; one that is switched off tells
// of none, and one made before there were partial responses names none.
func (w *webhook) on() []string {
	if !w.Enabled {
		return nil
	}
	if w.Types == nil {
		return []string{typeResponse}
	}
	var types []string
	for _, t := range []string{typeResponse, typePartial} {
		if w.Types[t] {
			types = append(types, t)
		}
	}
	return types
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	for _, id := range c.forms {
		there, err := c.webhooks(ctx, id)
		if missing(err) {
			continue // the form itself is gone
		}
		if err != nil {
			return err
		}
		for _, w := range there {
			err := c.api.call(ctx, "remove the webhook", http.MethodDelete, form(id, "webhooks", w.Tag), nil, nil)
			if err != nil && !missing(err) {
				return err
			}
		}
	}
	return nil
}

// webhooks lists a form's webhooks that call this connection.
func (c *Connector) webhooks(ctx context.Context, id string) ([]webhook, error) {
	var answer struct {
		Items []webhook `json:"items"`
	}
	if err := c.api.call(ctx, fmt.Sprintf("list the webhooks of form %s", id), http.MethodGet, form(id, "webhooks"), nil, &answer); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(answer.Items, func(w webhook) bool {
		return strings.TrimSuffix(w.URL, "/") != c.cfg.PublicURL || w.Tag == ""
	}), nil
}
