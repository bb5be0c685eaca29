package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// maxWebhookPages bounds the listing of an account's webhooks.
const maxWebhookPages = 50

// defaultTypes are the events that the default rules use.
func defaultTypes() []string {
	return []string{
		"user.created", "user.deleted", "user.active_changed", "user.external_id_changed", "user.name_changed",
		"user.identity_created", "user.identity_changed", "user.identity_deleted", "user.merged",
		"ticket.created", "ticket.status_changed",
	}
}

// Register implements connectors.Registrar for the event webhook; one that
// triggers call is made by hand, as the guide says. Not every plan knows ticket
// events, and Zendesk's pages spell a few names in two ways, so what is refused
// is asked for in other words; the answer says what it came to.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	if c.cfg.PublicURL == "" {
		return nil, settingError("register the webhook", "the public URL of this installation is not set")
	}
	if types == nil {
		types = defaultTypes()
	}
	types = slices.DeleteFunc(slices.Clone(types), func(t string) bool { return strings.HasPrefix(t, "trigger.") })
	if len(types) == 0 {
		return nil, settingError("register the webhook", "none of the types is an event of Zendesk's own; triggers are set up by hand")
	}
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var made *webhook
	for _, want := range wordings(types) {
		if made, err = c.put(ctx, there, want); connectors.ReasonOf(err) != connectors.ReasonInvalid {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Secret struct {
			Secret string `json:"secret"`
		} `json:"signing_secret"`
	}
	err = c.api.call(ctx, "read the signing secret", http.MethodGet, "/webhooks/"+url.PathEscape(made.ID)+"/signing_secret", nil, &answer)
	if err != nil {
		return nil, err
	}
	r := registration(*made)
	if answer.Secret.Secret != "" {
		r.Secrets = map[string]secret.Text{secretSigning: secret.New(answer.Secret.Secret)}
	}
	return &r, nil
}

// wordings gives the subscriptions to ask for, the next where one is refused.
func wordings(types []string) [][]string {
	spell := func(types []string, slash bool) []string {
		all := make([]string, len(types))
		for i, t := range types {
			between := ":"
			if slash && slices.Contains([]string{"user.identity_created", "user.identity_changed", "user.merged"}, t) {
				between = "/"
			}
			all[i] = "zen:event-type" + between + t
		}
		return all
	}
	all := [][]string{spell(types, false), spell(types, true)}
	users := slices.DeleteFunc(slices.Clone(types), func(t string) bool { return strings.HasPrefix(t, "ticket.") })
	if len(users) > 0 && len(users) < len(types) {
		all = append(all, spell(users, false), spell(users, true))
	}
	return all
}

// put makes the webhook, or brings all that are there in line: which of them
// our secret belongs to is not to be told, and what is delivered twice is
// dropped by its dedupe key.
func (c *Connector) put(ctx context.Context, there []webhook, subscriptions []string) (*webhook, error) {
	if len(there) == 0 {
		in := map[string]webhook{"webhook": {
			Name: "Stagebridge", Status: "active", Endpoint: c.cfg.PublicURL, Method: http.MethodPost, Format: "json", Subscriptions: subscriptions,
		}}
		var out struct {
			Webhook webhook `json:"webhook"`
		}
		if err := c.api.call(ctx, "create the webhook", http.MethodPost, "/webhooks", in, &out); err != nil {
			return nil, err
		}
		out.Webhook.Subscriptions = subscriptions
		return &out.Webhook, nil
	}
	for _, w := range there {
		if w.Status == "active" && slices.Equal(slices.Sorted(slices.Values(w.Subscriptions)), slices.Sorted(slices.Values(subscriptions))) {
			continue
		}
		in := map[string]webhook{"webhook": {Status: "active", Subscriptions: subscriptions}}
		if err := c.api.call(ctx, "change the webhook", http.MethodPatch, "/webhooks/"+url.PathEscape(w.ID), in, nil); err != nil {
			return nil, err
		}
	}
	first := there[0]
	first.Subscriptions = subscriptions
	return &first, nil
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, w := range there {
		all = append(all, registration(w))
	}
	return all, nil
}

func registration(w webhook) connectors.Registration {
	r := connectors.Registration{ID: w.ID, URL: w.Endpoint}
	for _, s := range w.Subscriptions {
		r.Types = append(r.Types, eventType(s))
	}
	slices.Sort(r.Types)
	return r
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.webhooks(ctx)
	if err != nil {
		return err
	}
	for _, w := range there {
		err := c.api.call(ctx, "remove the webhook", http.MethodDelete, "/webhooks/"+url.PathEscape(w.ID), nil, nil)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// webhooks lists the account's event webhooks that call this connection. One
// that triggers call is the person's own.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	if !c.api.authenticated() {
		return nil, settingError("list webhooks", "api_token is not set")
	}
	var all []webhook
	query := url.Values{"page[size]": {"100"}}
	for range maxWebhookPages {
		var page struct {
			Webhooks []webhook `json:"webhooks"`
			Meta     struct {
				More  bool   `json:"has_more"`
				After string `json:"after_cursor"`
			} `json:"meta"`
		}
		if err := c.api.call(ctx, "list webhooks", http.MethodGet, "/webhooks?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Webhooks...)
		if !page.Meta.More || page.Meta.After == "" {
			break
		}
		query.Set("page[after]", page.Meta.After)
	}
	return slices.DeleteFunc(all, func(w webhook) bool {
		return strings.TrimSuffix(w.Endpoint, "/") != c.cfg.PublicURL || slices.Contains(w.Subscriptions, "conditional_ticket_events")
	}), nil
}
