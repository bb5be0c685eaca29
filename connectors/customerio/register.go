package customerio

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// webhookName is what Customer.io shows in its list.
const webhookName = "Stagebridge"

// unread are events that the default rules make nothing of.
func unread() []string { return []string{"email_delivered", "email_converted", "email_dropped"} }

// Register implements connectors.Registrar. The signing key is not in the
// answer: it is copied from Customer.io's page by hand, as the guide says.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	want, err := c.desired(types)
	if err != nil {
		return nil, err
	}
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	if len(there) == 0 {
		var made webhook
		if err := c.app.call(ctx, "create the webhook", http.MethodPost, "/v1/reporting_webhooks", want, &made); err != nil {
			return nil, err
		}
		return registration(made.ID, want), nil
	}
	for _, w := range there {
		changed := want
		// How often an open counts, and whether bodies come along, is the
		// account's own choice.
		changed.Name, changed.FullResolution, changed.WithContent = w.Name, w.FullResolution, w.WithContent
		if !w.Disabled && w.Endpoint == want.Endpoint && slices.Equal(sorted(w.Events), want.Events) {
			continue
		}
		if err := c.app.call(ctx, "change the webhook", http.MethodPut, webhookPath(w), changed, nil); err != nil {
			return nil, err
		}
	}
	return registration(there[0].ID, want), nil
}

// desired is the webhook that Register wants.
func (c *Connector) desired(types []string) (webhook, error) {
	var known []string
	for _, e := range c.descriptor.Events {
		known = append(known, e.Type)
	}
	if types == nil {
		types = slices.DeleteFunc(slices.Clone(known), func(t string) bool { return slices.Contains(unread(), t) })
	}
	for _, t := range types {
		if !slices.Contains(known, t) {
			return webhook{}, settingError("register the webhook", "Customer.io has no event "+short(t))
		}
	}
	switch {
	case len(types) == 0:
		return webhook{}, settingError("register the webhook", "no event is named")
	case c.cfg.PublicURL == "":
		return webhook{}, settingError("register the webhook", "the public URL of this installation is not set")
	}
	return webhook{Name: webhookName, Endpoint: c.cfg.PublicURL, Events: sorted(types)}, nil
}

func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func webhookPath(w webhook) string {
	return "/v1/reporting_webhooks/" + strconv.FormatInt(w.ID, 10)
}

func registration(id int64, w webhook) *connectors.Registration {
	return &connectors.Registration{ID: strconv.FormatInt(id, 10), URL: w.Endpoint, Types: w.Events}
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, w := range there {
		all = append(all, *registration(w.ID, w))
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.webhooks(ctx)
	if err != nil {
		return err
	}
	for _, w := range there {
		err := c.app.call(ctx, "remove the webhook", http.MethodDelete, webhookPath(w), nil, nil)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// webhooks lists those that call this connection.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	var answer struct {
		Webhooks []webhook `json:"reporting_webhooks"`
	}
	if err := c.app.call(ctx, "list webhooks", http.MethodGet, "/v1/reporting_webhooks", nil, &answer); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(answer.Webhooks, func(w webhook) bool {
		return strings.TrimSuffix(w.Endpoint, "/") != c.cfg.PublicURL
	}), nil
}
