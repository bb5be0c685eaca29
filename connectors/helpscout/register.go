package helpscout

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// maxWebhookPages bounds the listing of webhooks.
const maxWebhookPages = 20

// stateOff is the state of a webhook that Help Scout has given up.
const stateOff = "disabled"

// defaultTypes are the events that the default rules use.
func defaultTypes() []string {
	return []string{
		"convo.created", "convo.customer.reply.created", "convo.status",
		"customer.created", "customer.deleted", "customer.updated", "satisfaction.ratings",
	}
}

// Register implements connectors.Registrar. The secret of a webhook that is
// there is not shown, so it is always written along.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	if types == nil {
		types = defaultTypes()
	}
	for _, t := range types {
		if !slices.ContainsFunc(c.descriptor.Events, func(e connectors.EventSpec) bool { return e.Type == t }) {
			return nil, settingError("register the webhook", "there is no event "+short(t))
		}
	}
	switch {
	case len(types) == 0:
		return nil, settingError("register the webhook", "no event is asked for")
	case c.cfg.PublicURL == "":
		return nil, settingError("register the webhook", "the public URL of this installation is not set")
	}
	secrets := map[string]secret.Text{}
	key := c.cfg.Secret(secretWebhook)
	if key.Empty() {
		key = secret.New(rand.Text())
		secrets[secretWebhook] = key
	}
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	events := slices.Sorted(slices.Values(types))
	want := webhook{URL: c.cfg.PublicURL, Events: events, Secret: key.Reveal(), Version: "V2", Label: "Stagebridge", Mailboxes: c.mailboxes}
	api := c.api.hiding(key)
	// One that was switched off is not switched on by a change.
	keep := slices.IndexFunc(there, func(w webhook) bool { return w.State != stateOff })
	id := ""
	if keep < 0 {
		made, err := api.call(ctx, "create the webhook", http.MethodPost, "/webhooks", want, nil)
		if err != nil {
			return nil, err
		}
		id = made.Header.Get("Resource-Id")
	}
	for i, w := range there {
		if i != keep {
			// A second one of the same address would deliver everything twice.
			if err := c.removeWebhook(ctx, w.ID); err != nil {
				return nil, err
			}
			continue
		}
		id = strconv.FormatInt(w.ID, 10)
		if _, err := api.call(ctx, "change the webhook", http.MethodPut, "/webhooks/"+id, want, nil); err != nil {
			return nil, err
		}
	}
	return &connectors.Registration{ID: id, URL: c.cfg.PublicURL, Types: events, Secrets: secrets}, nil
}

// Registered implements connectors.Registrar. A webhook that Help Scout has
// switched off is as good as none.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, w := range there {
		if w.State != stateOff {
			all = append(all, connectors.Registration{ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Types: w.Events})
		}
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
		if err := c.removeWebhook(ctx, w.ID); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connector) removeWebhook(ctx context.Context, id int64) error {
	_, err := c.api.call(ctx, "remove a webhook", http.MethodDelete, "/webhooks/"+strconv.FormatInt(id, 10), nil, nil)
	if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
		return err
	}
	return nil
}

// webhooks lists those that call this connection.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	var ours []webhook
	for number := 1; number <= maxWebhookPages; number++ {
		var got struct {
			Embedded struct {
				Webhooks []webhook `json:"webhooks"`
			} `json:"_embedded"`
			Page struct {
				Total int `json:"totalPages"`
			} `json:"page"`
		}
		query := url.Values{"page": {strconv.Itoa(number)}}
		if _, err := c.api.call(ctx, "list webhooks", http.MethodGet, "/webhooks?"+query.Encode(), nil, &got); err != nil {
			return nil, err
		}
		for _, w := range got.Embedded.Webhooks {
			if strings.TrimSuffix(w.URL, "/") == c.cfg.PublicURL {
				ours = append(ours, w)
			}
		}
		if number >= got.Page.Total {
			break
		}
	}
	return ours, nil
}
