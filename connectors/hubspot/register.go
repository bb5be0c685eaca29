package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// maxConcurrentRequests is how many deliveries HubSpot may have in flight; its
// own default, and more than the 5 that it demands at least.
const maxConcurrentRequests = 10

// watched are the properties whose changes the default rules read.
var watched = map[string][]string{
	"contact.propertyChange": {nativeStageProperty, "hs_lead_status", "email", "firstname", "lastname", "company", "jobtitle", "hubspotscore", "hs_email_optout"},
	"deal.propertyChange":    {"dealstage", "amount"},
}

// defaultTypes are the event types that the default rules use.
var defaultTypes = []string{
	"contact.creation", "contact.propertyChange", "contact.merge", "contact.restore", "contact.deletion", "contact.privacyDeletion",
	"deal.creation", "deal.propertyChange", "deal.associationChange", "ticket.creation", "ticket.associationChange",
}

// byHand tells what to click where HubSpot has no API to register by.
const byHand = "HubSpot lets only public apps register webhooks by API. For a private app open Settings > Integrations > Private Apps, " +
	"edit the app, and on its tab Webhooks enter the target URL and create the subscriptions. " +
	"For a public app give this connection its app_id and the developer_api_key of your developer account"

// Register implements connectors.Registrar. A HubSpot app has one target URL,
// which is changed where it is another one; subscriptions are added and
// activated, never removed.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	if !c.registrable() {
		return nil, lacks("register the webhook", byHand+". The target URL is "+c.config.PublicURL)
	}
	if types == nil {
		types = defaultTypes
	}
	settings, err := c.webhookSettings(ctx)
	if err != nil {
		return nil, err
	}
	if settings.TargetURL != c.config.PublicURL {
		body := webhookSettings{c.config.PublicURL, throttling{max(settings.Throttling.MaxConcurrentRequests, maxConcurrentRequests)}}
		if err := c.webhooks(ctx, "set the webhook's target URL", http.MethodPut, "settings", body, nil); err != nil {
			return nil, err
		}
	}
	var there subscriptions
	if err := c.webhooks(ctx, "list subscriptions", http.MethodGet, "subscriptions", nil, &there); err != nil {
		return nil, err
	}
	for _, want := range wantedSubscriptions(types) {
		if err := c.subscribe(ctx, there.Results, want); err != nil {
			return nil, err
		}
	}
	return &connectors.Registration{ID: c.app, URL: c.config.PublicURL, Types: slices.Clone(types)}, nil
}

// subscribe creates one subscription, or activates the one that is there.
func (c *Connector) subscribe(ctx context.Context, there []subscription, want subscription) error {
	i := slices.IndexFunc(there, func(s subscription) bool {
		return s.EventType == want.EventType && s.PropertyName == want.PropertyName
	})
	switch {
	case i < 0:
		err := c.webhooks(ctx, "create the subscription "+want.EventType, http.MethodPost, "subscriptions", want, nil)
		if reason(err) == connectors.ReasonConflict {
			return nil // somebody else created it meanwhile
		}
		return err
	case !there[i].Active:
		return c.webhooks(ctx, "activate the subscription "+want.EventType, http.MethodPatch,
			"subscriptions/"+escape(string(there[i].ID)), map[string]bool{"active": true}, nil)
	}
	return nil
}

// wantedSubscriptions lists a subscription per type, and per property where a
// type needs one.
func wantedSubscriptions(types []string) []subscription {
	var all []subscription
	for _, kind := range types {
		if !strings.HasSuffix(kind, ".propertyChange") {
			all = append(all, subscription{EventType: kind, Active: true})
			continue
		}
		for _, name := range watched[kind] {
			all = append(all, subscription{EventType: kind, PropertyName: name, Active: true})
		}
	}
	return all
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	if !c.registrable() {
		return nil, lacks("list webhooks", byHand)
	}
	settings, err := c.webhookSettings(ctx)
	if err != nil || settings.TargetURL != c.config.PublicURL {
		return nil, err
	}
	var there subscriptions
	if err := c.webhooks(ctx, "list subscriptions", http.MethodGet, "subscriptions", nil, &there); err != nil {
		return nil, err
	}
	var types []string
	for _, s := range there.Results {
		if s.Active && !slices.Contains(types, s.EventType) {
			types = append(types, s.EventType)
		}
	}
	slices.Sort(types)
	return []connectors.Registration{{ID: c.app, URL: settings.TargetURL, Types: types}}, nil
}

// Unregister implements connectors.Registrar. Where the app calls another
// address there is nothing of ours to remove.
func (c *Connector) Unregister(ctx context.Context) error {
	if !c.registrable() {
		return lacks("remove the webhook", byHand)
	}
	settings, err := c.webhookSettings(ctx)
	if err != nil || settings.TargetURL != c.config.PublicURL {
		return err
	}
	var there subscriptions
	if err := c.webhooks(ctx, "list subscriptions", http.MethodGet, "subscriptions", nil, &there); err != nil {
		return err
	}
	for _, s := range there.Results {
		err := c.webhooks(ctx, "delete a subscription", http.MethodDelete, "subscriptions/"+escape(string(s.ID)), nil, nil)
		if err != nil && reason(err) != connectors.ReasonNotFound {
			return err
		}
	}
	err = c.webhooks(ctx, "delete the webhook's settings", http.MethodDelete, "settings", nil, nil)
	if reason(err) == connectors.ReasonNotFound {
		return nil
	}
	return err
}

// registrable reports whether the webhooks API can be used: only an app with a
// developer account's key has it.
func (c *Connector) registrable() bool {
	return c.app != "" && !c.config.Secret(secretDeveloper).Empty()
}

// webhookSettings reads the app's target URL; the zero value when none is set.
func (c *Connector) webhookSettings(ctx context.Context) (webhookSettings, error) {
	var s webhookSettings
	err := c.webhooks(ctx, "read the webhook's settings", http.MethodGet, "settings", nil, &s)
	if reason(err) == connectors.ReasonNotFound {
		return webhookSettings{}, nil
	}
	return s, err
}

// webhooks makes one call to the webhooks API, which takes the developer key
// in the query instead of a token. Any error is a *connectors.PushError.
func (c *Connector) webhooks(ctx context.Context, act, method, path string, body, into any) error {
	key := c.config.Secret(secretDeveloper)
	answer, err := c.http.Do(ctx, connectors.Call{
		Act:     "hubspot: " + act,
		Method:  method,
		URL:     c.base + "/webhooks/v3/" + escape(c.app) + "/" + path + "?" + url.Values{"hapikey": {key.Reveal()}}.Encode(),
		Header:  http.Header{"Accept": {"application/json"}},
		JSON:    body,
		Secrets: append(c.hide(), secret.New(url.QueryEscape(key.Reveal()))),
		Judge:   judge,
		Pause:   c.pause,
	})
	if err != nil {
		return asPush(err)
	}
	if into != nil {
		return answer.JSON("hubspot: "+act, into)
	}
	return nil
}
