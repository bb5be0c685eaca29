package mailchimp

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// audienceTypes are the events of an audience webhook; campaign is not about a
// person and is asked for only by name.
func audienceTypes() []string {
	return []string{"subscribe", "unsubscribe", "profile", "upemail", "cleaned", "campaign"}
}

// Register implements connectors.Registrar for the audience's webhook; that of
// Mailchimp Transactional is made by hand, as the guide says. Changes made by
// API are left out, so that our own writes do not come back. The signing
// secret comes with the creation only, so a webhook that is there already is
// proved by the secret in its URL.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	want, err := c.desired(types)
	if err != nil {
		return nil, err
	}
	secrets := map[string]secret.Text{}
	key := c.cfg.Secret(secretWebhook)
	if key.Empty() {
		key = secret.New(rand.Text())
		secrets[secretWebhook] = key
	}
	want.URL = c.cfg.PublicURL + "?key=" + url.QueryEscape(key.Reveal())
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	api := c.api.hiding(key)
	var made webhook
	if len(there) == 0 {
		err := api.call(ctx, "create the webhook", http.MethodPost, c.api.list("webhooks"), want, &made)
		if err != nil {
			return nil, err
		}
	}
	for i, w := range there {
		if i == 0 {
			made = w
		}
		if w.URL == want.URL && maps.Equal(on(w.Events), on(want.Events)) && maps.Equal(on(w.Sources), on(want.Sources)) {
			continue
		}
		// A second webhook of the same URL is brought in line too: which of them
		// our signing secret belongs to is not to be told, and what is delivered
		// twice is dropped by its dedupe key.
		if err := api.call(ctx, "change the webhook", http.MethodPatch, c.api.list("webhooks", w.ID), want, nil); err != nil {
			return nil, err
		}
	}
	if made.SigningSecret != "" {
		secrets[secretSigning] = secret.New(made.SigningSecret)
	}
	return &connectors.Registration{ID: made.ID, URL: c.cfg.PublicURL, Types: typesOn(want.Events), Secrets: secrets}, nil
}

// desired is the webhook that Register wants, without its URL.
func (c *Connector) desired(types []string) (webhook, error) {
	if types == nil {
		types = slices.DeleteFunc(audienceTypes(), func(t string) bool { return t == "campaign" })
	}
	// All events and sources are named: what an absent one means is not documented.
	w := webhook{Events: map[string]bool{}, Sources: map[string]bool{"user": true, "admin": true, "api": false}}
	for _, t := range audienceTypes() {
		w.Events[t] = false
	}
	for _, t := range types {
		if strings.HasPrefix(t, "mandrill.") {
			continue
		}
		if _, ok := w.Events[t]; !ok {
			return webhook{}, settingError("register the webhook", "an audience has no event "+short(t))
		}
		w.Events[t] = true
	}
	if len(on(w.Events)) == 0 {
		return webhook{}, settingError("register the webhook", "none of the types is an event of an audience")
	}
	if c.cfg.PublicURL == "" {
		return webhook{}, settingError("register the webhook", "the public URL of this installation is not set")
	}
	return w, nil
}

// Registered implements connectors.Registrar. The secret is cut from the URLs.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, w := range there {
		all = append(all, connectors.Registration{ID: w.ID, URL: bareURL(w.URL), Types: typesOn(w.Events)})
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
		err := c.api.call(ctx, "remove the webhook", http.MethodDelete, c.api.list("webhooks", w.ID), nil, nil)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// webhooks lists the audience's webhooks that call this connection, whatever
// their query.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	if c.api.audience == "" {
		return nil, settingError("list webhooks", "audience_id is not set")
	}
	var answer struct {
		Webhooks []webhook `json:"webhooks"`
	}
	if err := c.api.call(ctx, "list webhooks", http.MethodGet, c.api.list("webhooks"), nil, &answer); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(answer.Webhooks, func(w webhook) bool {
		return strings.TrimSuffix(bareURL(w.URL), "/") != c.cfg.PublicURL
	}), nil
}

func bareURL(u string) string {
	bare, _, _ := strings.Cut(u, "?")
	return bare
}

// on keeps the switches that are on.
func on(switches map[string]bool) map[string]bool {
	some := map[string]bool{}
	for name, is := range switches {
		if is {
			some[name] = true
		}
	}
	return some
}

func typesOn(events map[string]bool) []string { return slices.Sorted(maps.Keys(on(events))) }

func settingError(act, words string) *connectors.PushError {
	return &connectors.PushError{Act: "mailchimp: " + act, Reason: connectors.ReasonSettings, Message: words}
}
