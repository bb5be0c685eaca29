package stripe

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// maxPages bounds how many pages of webhook endpoints are read; an account has
// at most 16 endpoints (https://docs.stripe.com/webhooks).
const maxPages = 10

// registeredTypes are the events that the default rules use. invoice.paid is
// told for every payment of an invoice, so invoice.payment_succeeded is not
// among them.
func registeredTypes() []string {
	return []string{
		"charge.refunded",
		"checkout.session.async_payment_succeeded", "checkout.session.completed",
		"customer.created", "customer.deleted", "customer.updated",
		"customer.subscription.created", "customer.subscription.deleted", "customer.subscription.paused",
		"customer.subscription.resumed", "customer.subscription.updated",
		"invoice.paid", "invoice.payment_failed",
	}
}

// Register implements connectors.Registrar. The signing secret comes with the
// creation only, so an endpoint whose secret this connection does not have is
// replaced by a new one; one whose secret it may have is brought in line.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	if c.cfg.PublicURL == "" {
		return nil, &connectors.PushError{Act: "stripe: register the webhook", Reason: connectors.ReasonSettings, Message: "the public URL of this installation is not set"}
	}
	if types == nil {
		types = registeredTypes()
	}
	there, err := c.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 && len(c.cfg.Keys(secretSigning)) > 0 {
		// All of them: which one our secret belongs to is not to be told, and what
		// is delivered twice is dropped by its dedupe key.
		for _, e := range there {
			if err := c.changeEndpoint(ctx, e, types); err != nil {
				return nil, err
			}
		}
		return &connectors.Registration{ID: there[0].ID, URL: there[0].URL, Types: types}, nil
	}
	made, err := c.createEndpoint(ctx, types)
	if err != nil {
		return nil, err
	}
	// The old ones go last, so that nothing is missed in between.
	for _, e := range there {
		if err := c.deleteEndpoint(ctx, e.ID); err != nil {
			return nil, err
		}
	}
	return &connectors.Registration{
		ID: made.ID, URL: made.URL, Types: made.Types,
		Secrets: map[string]secret.Text{secretSigning: secret.New(made.Secret)},
	}, nil
}

func (c *Connector) createEndpoint(ctx context.Context, types []string) (*endpoint, error) {
	const act = "create the webhook endpoint"
	values := url.Values{
		"url": {c.cfg.PublicURL}, "description": {"Stagebridge"}, "enabled_events[]": types,
		"metadata[owner]": {"stagebridge"},
	}
	var made endpoint
	if _, err := c.api.do(ctx, call{act: act, method: http.MethodPost, path: "/v1/webhook_endpoints", form: values}, &made); err != nil {
		return nil, err
	}
	if made.ID == "" || made.Secret == "" {
		return nil, badAnswer(act, "the answer has no id or no signing secret")
	}
	return &made, nil
}

// changeEndpoint switches an endpoint on for the types, where it is not so
// already.
func (c *Connector) changeEndpoint(ctx context.Context, e endpoint, types []string) error {
	want, has := slices.Sorted(slices.Values(types)), slices.Sorted(slices.Values(e.Types))
	if slices.Equal(want, has) && e.Status == "enabled" {
		return nil
	}
	var changed endpoint
	_, err := c.api.do(ctx, call{
		act: "change the webhook endpoint", method: http.MethodPost, path: "/v1/webhook_endpoints/" + url.PathEscape(e.ID),
		form: url.Values{"enabled_events[]": types, "disabled": {"false"}},
	}, &changed)
	return err
}

func (c *Connector) deleteEndpoint(ctx context.Context, id string) error {
	var gone endpoint
	_, err := c.api.do(ctx, call{act: "delete the webhook endpoint", method: http.MethodDelete, path: "/v1/webhook_endpoints/" + url.PathEscape(id)}, &gone)
	if missing(err) {
		return nil
	}
	return err
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, e := range there {
		all = append(all, connectors.Registration{ID: e.ID, URL: e.URL, Types: e.Types})
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.endpoints(ctx)
	if err != nil {
		return err
	}
	for _, e := range there {
		if err := c.deleteEndpoint(ctx, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// endpoints lists the account's endpoints that call this connection.
func (c *Connector) endpoints(ctx context.Context) ([]endpoint, error) {
	const act = "list webhook endpoints"
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	var ours []endpoint
	for range maxPages {
		var page struct {
			Object  string     `json:"object"`
			Data    []endpoint `json:"data"`
			HasMore bool       `json:"has_more"`
		}
		if _, err := c.api.do(ctx, call{act: act, method: http.MethodGet, path: "/v1/webhook_endpoints", form: query}, &page); err != nil {
			return nil, err
		}
		if page.Object != "list" {
			return nil, badAnswer(act, "the answer is not a list")
		}
		for _, e := range page.Data {
			if strings.TrimSuffix(e.URL, "/") == c.cfg.PublicURL {
				ours = append(ours, e)
			}
		}
		if !page.HasMore || len(page.Data) == 0 {
			break
		}
		query.Set("starting_after", page.Data[len(page.Data)-1].ID)
	}
	return ours, nil
}
