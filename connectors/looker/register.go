package looker

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// hub is an action hub as the instance knows it.
type hub struct {
	ID    string `json:"id,omitempty"`
	URL   string `json:"url,omitempty"`
	Token string `json:"authorization_token,omitempty"`
	Fault string `json:"fetch_error_message,omitempty"`
}

// integration is an action of a hub.
type integration struct {
	ID      string `json:"id"`
	Hub     string `json:"integration_hub_id"`
	Enabled bool   `json:"enabled"`
}

// Register implements connectors.Registrar: it adds this connection as an
// action hub and switches its action on. Looker asks the hub for its actions at
// once and with the token, so the token has to be there before: a fresh one
// could not be stored in time.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	const act = "looker: register the action hub"
	if c.cfg.Secret(secretHub).Empty() || c.cfg.PublicURL == "" {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "enter a long random text as hub_token first; Looker calls back with it at once"}
	}
	hubs, err := c.hubs(ctx)
	if err != nil {
		return nil, err
	}
	want := hub{URL: c.cfg.PublicURL, Token: c.cfg.Secret(secretHub).Reveal()}
	var got hub
	if len(hubs) == 0 {
		err = c.api.call(ctx, "add the action hub", http.MethodPost, "/integration_hubs", want, &got)
	} else {
		// Always: a hub does not show its token.
		err = c.api.call(ctx, "change the action hub", http.MethodPatch, "/integration_hubs/"+url.PathEscape(hubs[0].ID), want, &got)
	}
	if err != nil {
		return nil, err
	}
	if got.Fault != "" {
		return nil, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: connectors.Words("Looker added the hub and cannot read it: "+got.Fault, c.api.secrets...)}
	}
	if err := c.enable(ctx, got.ID); err != nil {
		return nil, err
	}
	if types == nil {
		for _, e := range c.descriptor.Events {
			types = append(types, e.Type)
		}
	}
	return &connectors.Registration{ID: got.ID, URL: c.cfg.PublicURL, Types: slices.Clone(types)}, nil
}

// enable switches the actions of a hub on.
func (c *Connector) enable(ctx context.Context, hub string) error {
	var actions []integration
	if err := c.api.call(ctx, "list actions", http.MethodGet, "/integrations?integration_hub_id="+url.QueryEscape(hub), nil, &actions); err != nil {
		return err
	}
	for _, a := range actions {
		if a.Enabled || a.Hub != hub {
			continue
		}
		err := c.api.call(ctx, "switch the action on", http.MethodPatch, "/integrations/"+url.PathEscape(a.ID), map[string]bool{"enabled": true}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	hubs, err := c.hubs(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, h := range hubs {
		all = append(all, connectors.Registration{ID: h.ID, URL: h.URL})
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	hubs, err := c.hubs(ctx)
	if err != nil {
		return err
	}
	for _, h := range hubs {
		err := c.api.call(ctx, "remove the action hub", http.MethodDelete, "/integration_hubs/"+url.PathEscape(h.ID), nil, nil)
		if err != nil && connectors.AsPushError(err).Reason != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// hubs lists those that are this connection.
func (c *Connector) hubs(ctx context.Context) ([]hub, error) {
	var all []hub
	if err := c.api.call(ctx, "list action hubs", http.MethodGet, "/integration_hubs", nil, &all); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(h hub) bool { return h.ID == "" || strings.TrimRight(h.URL, "/") != c.cfg.PublicURL }), nil
}
