package salesforcemarketingcloud

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// maxEventsPerPost is how many events one request may bring; 1,000 is the most
// and the default.
const maxEventsPerPost = 500

// registeredTypes are the events that the default rules use.
func registeredTypes() []string {
	return []string{
		"EngagementEvents.EmailClick", "EngagementEvents.EmailOpen", "EngagementEvents.EmailUnsubscribe",
		"TransactionalSendEvents.EmailBounced", "TransactionalSendEvents.EmailSent",
	}
}

// callback is where events are sent to.
type callback struct {
	ID   string `json:"callbackId,omitempty"`
	Name string `json:"callbackName"`
	URL  string `json:"url"`
	Max  int    `json:"maxBatchSize,omitempty"`
	// SignatureKey is in the answer to the creation and nowhere else.
	SignatureKey string `json:"signatureKey,omitempty"`
}

// subscription is what a callback is told of.
type subscription struct {
	ID       string   `json:"subscriptionId,omitempty"`
	Callback string   `json:"callbackId"`
	Name     string   `json:"subscriptionName"`
	Types    []string `json:"eventCategoryTypes"`
}

// callbackURL is this connection's URL with the secret path.
func (c *Connector) callbackURL() string {
	return c.cfg.PublicURL + "/" + pathToken(c.cfg.Secret(secretClient), c.cfg.ID)
}

// Register implements connectors.Registrar. A callback whose signature key is
// stored here is subscribed to the types. Otherwise one is made; it is verified
// and subscribed when its challenge, which comes while the call is running, has
// been taken from the inbox, so the types are those of the default rules then.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	const act = "register the callback"
	switch {
	case c.cfg.PublicURL == "":
		return nil, settingError(act, "the public URL of this installation is not set")
	case c.cfg.Secret(secretClient).Empty():
		return nil, settingError(act, "client_secret is not set")
	}
	there, err := c.callbacks(ctx)
	if err != nil {
		return nil, err
	}
	known := len(c.cfg.Keys(secretSignature)) > 0
	i := slices.IndexFunc(there, func(cb callback) bool { return cb.URL == c.callbackURL() })
	if known && i >= 0 {
		want := types
		if want == nil {
			want = registeredTypes()
		}
		err := c.subscribe(ctx, there[i].ID, want)
		if err == nil {
			return &connectors.Registration{ID: there[i].ID, URL: c.cfg.PublicURL, Types: want}, nil
		}
		// A callback whose challenge was never answered can't be subscribed; it is
		// made anew below.
		if types != nil || connectors.ReasonOf(err) != connectors.ReasonInvalid {
			return nil, err
		}
	}
	for _, cb := range there {
		if err := c.remove(ctx, cb.ID); err != nil {
			return nil, err
		}
	}
	want := []callback{{Name: "stagebridge-" + c.cfg.ID, URL: c.callbackURL(), Max: maxEventsPerPost}}
	var made []callback
	if err := c.api.call(ctx, act, http.MethodPost, "/platform/v1/ens-callbacks", want, &made); err != nil {
		return nil, err
	}
	if len(made) != 1 || made[0].ID == "" || made[0].SignatureKey == "" {
		return nil, badAnswer(act, "the answer has no callback with a signature key")
	}
	return &connectors.Registration{
		ID: made[0].ID, URL: c.cfg.PublicURL, Types: registeredTypes(),
		Secrets: map[string]secret.Text{secretSignature: secret.New(made[0].SignatureKey)},
	}, nil
}

// subscribe brings a callback's subscription to the types; nil makes one with
// the default types where there is none and leaves one alone that is there.
func (c *Connector) subscribe(ctx context.Context, id string, types []string) error {
	there, err := c.subscriptions(ctx, id)
	if err != nil {
		return err
	}
	if types == nil {
		if len(there) > 0 {
			return nil
		}
		types = registeredTypes()
	}
	want := slices.Sorted(slices.Values(types))
	for _, s := range there {
		if slices.Equal(slices.Sorted(slices.Values(s.Types)), want) {
			return nil
		}
	}
	for _, s := range there {
		if err := c.delete(ctx, "/platform/v1/ens-subscriptions/"+url.PathEscape(s.ID)); err != nil {
			return err
		}
	}
	in := []subscription{{Callback: id, Name: "stagebridge-" + c.cfg.ID, Types: types}}
	return c.api.call(ctx, "subscribe the callback", http.MethodPost, "/platform/v1/ens-subscriptions", in, nil)
}

// Registered implements connectors.Registrar. The secret path is cut off.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.callbacks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, cb := range there {
		subscribed, err := c.subscriptions(ctx, cb.ID)
		if err != nil {
			return nil, err
		}
		r := connectors.Registration{ID: cb.ID, URL: c.cfg.PublicURL}
		for _, s := range subscribed {
			r.Types = append(r.Types, s.Types...)
		}
		all = append(all, r)
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.callbacks(ctx)
	if err != nil {
		return err
	}
	for _, cb := range there {
		if err := c.remove(ctx, cb.ID); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a callback away, its subscriptions first: without that it is
// refused.
func (c *Connector) remove(ctx context.Context, id string) error {
	there, err := c.subscriptions(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range there {
		if err := c.delete(ctx, "/platform/v1/ens-subscriptions/"+url.PathEscape(s.ID)); err != nil {
			return err
		}
	}
	return c.delete(ctx, "/platform/v1/ens-callbacks/"+url.PathEscape(id))
}

func (c *Connector) delete(ctx context.Context, path string) error {
	err := c.api.call(ctx, "remove the callback", http.MethodDelete, path, nil, nil)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil
	}
	return err
}

// callbacks lists those that call this connection, whatever path follows.
func (c *Connector) callbacks(ctx context.Context) ([]callback, error) {
	var all []callback
	if err := c.api.call(ctx, "list callbacks", http.MethodGet, "/platform/v1/ens-callbacks", nil, &all); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(cb callback) bool {
		return cb.URL != c.cfg.PublicURL && !strings.HasPrefix(cb.URL, c.cfg.PublicURL+"/")
	}), nil
}

func (c *Connector) subscriptions(ctx context.Context, id string) ([]subscription, error) {
	var all []subscription
	err := c.api.call(ctx, "list subscriptions", http.MethodGet, "/platform/v1/ens-subscriptions-by-cb/"+url.PathEscape(id), nil, &all)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil, nil
	}
	return all, err
}
