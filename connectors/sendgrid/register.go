package sendgrid

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// webhookName is what SendGrid shows in its list.
const webhookName = "Stagebridge"

const settingsPath = "/v3/user/webhooks/event/settings"

// read lists the events that the default rules read.
func read() []string {
	return []string{"delivered", "open", "click", "bounce", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe"}
}

// Register implements connectors.Registrar. Signing is switched on by a call of
// its own, whose answer is the public key.
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
		if err := c.api.call(ctx, "create the webhook", http.MethodPost, settingsPath, want, &made); err != nil {
			return nil, err
		}
		there = []webhook{made}
	}
	id := there[0].ID
	if id == "" {
		return nil, &connectors.PushError{Act: "sendgrid: create the webhook", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the answer names no id of the webhook"}
	}
	if w := there[0]; !w.Enabled || w.switches != want.switches {
		changed := want
		changed.FriendlyName = w.FriendlyName
		if err := c.api.call(ctx, "change the webhook", http.MethodPatch, settingsPath+"/"+url.PathEscape(id), changed, nil); err != nil {
			return nil, err
		}
	}
	var signed struct {
		PublicKey string `json:"public_key"`
	}
	if err := c.api.call(ctx, "switch the signature on", http.MethodPatch, settingsPath+"/signed/"+url.PathEscape(id), map[string]bool{"enabled": true}, &signed); err != nil {
		return nil, err
	}
	if _, err := parseKey(signed.PublicKey); err != nil {
		return nil, &connectors.PushError{Act: "sendgrid: switch the signature on", Reason: connectors.ReasonBadAnswer, Retryable: true, Message: "the verification key in the answer " + err.Error()}
	}
	r := registration(there[0])
	r.Types = kindsOn(want)
	r.Secrets = map[string]secret.Text{secretVerification: secret.New(signed.PublicKey)}
	return &r, nil
}

// desired is the webhook that Register wants.
func (c *Connector) desired(types []string) (webhook, error) {
	if types == nil {
		types = read()
	}
	w := webhook{Enabled: true, URL: c.cfg.PublicURL, FriendlyName: webhookName}
	for _, t := range types {
		on := w.of(t)
		if on == nil {
			return webhook{}, settingError("register the webhook", "SendGrid has no switch for the event "+short(t))
		}
		*on = true
	}
	switch {
	case len(types) == 0:
		return webhook{}, settingError("register the webhook", "no event is named")
	case c.cfg.PublicURL == "":
		return webhook{}, settingError("register the webhook", "the public URL of this installation is not set")
	}
	return w, nil
}

func registration(w webhook) connectors.Registration {
	return connectors.Registration{ID: w.ID, URL: w.URL, Types: kindsOn(w)}
}

// kindsOn lists the raw event types that a webhook reports.
func kindsOn(w webhook) []string {
	var kinds []string
	for _, kind := range append(read(), "processed", "deferred", "dropped") {
		if *w.of(kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
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

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.webhooks(ctx)
	if err != nil {
		return err
	}
	for _, w := range there {
		err := c.api.call(ctx, "remove the webhook", http.MethodDelete, settingsPath+"/"+url.PathEscape(w.ID), nil, nil)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// webhooks lists those that call this connection.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	var answer struct {
		Webhooks []webhook `json:"webhooks"`
	}
	if err := c.api.call(ctx, "list webhooks", http.MethodGet, settingsPath+"/all", nil, &answer); err != nil {
		return nil, err
	}
	var ours []webhook
	for _, w := range answer.Webhooks {
		if w.ID != "" && strings.TrimSuffix(w.URL, "/") == c.cfg.PublicURL {
			ours = append(ours, w)
		}
	}
	return ours, nil
}
