package calendly

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// stateActive is the state of a subscription that delivers.
const stateActive = "active"

// Bounds of a list of subscriptions.
const (
	subscriptionsPerPage = "100"
	maxPages             = 20
)

// typeRouting can be told to a whole organization only.
const typeRouting = "routing_form_submission.created"

// registeredTypes are the events that the default rules use.
func registeredTypes() []string {
	return []string{"invitee.created", "invitee.canceled", "invitee_no_show.created", typeRouting}
}

// subscription is one webhook.
type subscription struct {
	URI      string   `json:"uri"`
	Callback string   `json:"callback_url"`
	State    string   `json:"state"`
	Events   []string `json:"events"`
}

// subscribe is the body that makes one.
type subscribe struct {
	URL          string   `json:"url"`
	Events       []string `json:"events"`
	Organization string   `json:"organization"`
	User         string   `json:"user,omitempty"`
	Scope        string   `json:"scope"`
	SigningKey   string   `json:"signing_key"`
}

// Register implements connectors.Registrar. Calendly can't change a
// subscription and refuses a second one of the same URL, so one that is there is
// removed and made anew. The signing key is ours to choose: the connection's, or
// a new one that is given back. With types nil, events that a plan or scope does
// not have are left out.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	const act = "register the webhook"
	if c.cfg.PublicURL == "" {
		return nil, &connectors.PushError{Act: "calendly: " + act, Reason: connectors.ReasonSettings, Message: "the public URL of this installation is not set"}
	}
	asked := types != nil
	if !asked {
		types = registeredTypes()
		if c.scope == scopeUser {
			types = slices.DeleteFunc(types, func(t string) bool { return t == typeRouting })
		}
	}
	me, err := c.me(ctx, act)
	if err != nil {
		return nil, err
	}
	var secrets map[string]secret.Text
	key := c.cfg.Secret(secretSigning)
	if key.Empty() {
		key = secret.New(rand.Text())
		secrets = map[string]secret.Text{secretSigning: key}
	}
	there, err := c.subscriptions(ctx, me)
	if err != nil {
		return nil, err
	}
	for _, s := range there {
		if err := c.remove(ctx, s); err != nil {
			return nil, err
		}
	}
	want := subscribe{URL: c.cfg.PublicURL, Events: types, Organization: me.Organization, Scope: c.scope, SigningKey: key.Reveal()}
	if c.scope == scopeUser {
		want.User = me.URI
	}
	var made struct {
		Resource subscription `json:"resource"`
	}
	api := c.api.hiding(key)
	err = api.call(ctx, act, http.MethodPost, "/webhook_subscriptions", want, &made)
	if connectors.ReasonOf(err) == connectors.ReasonInvalid && !asked {
		// Not every plan knows no-shows and routing forms.
		want.Events = []string{"invitee.created", "invitee.canceled"}
		err = api.call(ctx, act, http.MethodPost, "/webhook_subscriptions", want, &made)
	}
	if err != nil {
		return nil, err
	}
	return &connectors.Registration{ID: lastPart(made.Resource.URI), URL: c.cfg.PublicURL, Types: want.Events, Secrets: secrets}, nil
}

// Registered implements connectors.Registrar. A subscription that Calendly has
// switched off tells of no event.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	me, err := c.me(ctx, "list webhooks")
	if err != nil {
		return nil, err
	}
	there, err := c.subscriptions(ctx, me)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, s := range there {
		r := connectors.Registration{ID: lastPart(s.URI), URL: s.Callback, Types: s.Events}
		if s.State != stateActive {
			r.Types = nil
		}
		all = append(all, r)
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	me, err := c.me(ctx, "remove the webhook")
	if err != nil {
		return err
	}
	there, err := c.subscriptions(ctx, me)
	if err != nil {
		return err
	}
	for _, s := range there {
		if err := c.remove(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connector) remove(ctx context.Context, s subscription) error {
	err := c.api.call(ctx, "remove the webhook", http.MethodDelete, "/webhook_subscriptions/"+url.PathEscape(lastPart(s.URI)), nil, nil)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil
	}
	return err
}

// subscriptions lists those that call this connection, in its scope.
func (c *Connector) subscriptions(ctx context.Context, me *identity) ([]subscription, error) {
	query := url.Values{"organization": {me.Organization}, "scope": {c.scope}, "count": {subscriptionsPerPage}}
	if c.scope == scopeUser {
		query.Set("user", me.URI)
	}
	var ours []subscription
	for range maxPages {
		var page struct {
			Collection []subscription `json:"collection"`
			Pagination struct {
				Next string `json:"next_page_token"`
			} `json:"pagination"`
		}
		if err := c.api.call(ctx, "list webhooks", http.MethodGet, "/webhook_subscriptions?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		for _, s := range page.Collection {
			if strings.TrimSuffix(s.Callback, "/") == c.cfg.PublicURL {
				ours = append(ours, s)
			}
		}
		if page.Pagination.Next == "" {
			return ours, nil
		}
		query.Set("page_token", page.Pagination.Next)
	}
	return nil, &connectors.PushError{Act: "calendly: list webhooks", Reason: connectors.ReasonBadAnswer, Message: fmt.Sprintf("the list has more than %d pages", maxPages)}
}
