package qualtrics

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

// maxPages bounds every listing.
const maxPages = 100

// subscription is one event subscription.
type subscription struct {
	ID        string `json:"id,omitempty"`
	Topics    string `json:"topics"`
	URL       string `json:"publicationUrl"`
	Encrypt   bool   `json:"encrypt"`
	SharedKey string `json:"sharedKey,omitempty"`
}

// Register implements connectors.Registrar: one subscription an event type and
// survey, or an event type over all surveys. A subscription does not show its
// shared key and can't be changed; so where there was no key before, or a
// second one is being rotated out, those that are there are made anew.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	const act = "qualtrics: register the subscription"
	if types == nil {
		types = []string{completed}
	}
	types = slices.DeleteFunc(slices.Clone(types), func(t string) bool { return strings.HasPrefix(t, "workflow.") })
	if len(types) == 0 || c.cfg.PublicURL == "" {
		return nil, settingError(act, "there is no event type to subscribe to, or no public URL of this installation")
	}
	wanted := map[string]bool{}
	for _, t := range types {
		if !slices.Contains(topics(), t) {
			return nil, settingError(act, fmt.Sprintf("there is no event %.60q to subscribe to", t))
		}
		for _, topic := range c.topicsOf(t) {
			wanted[topic] = true
		}
	}
	secrets := map[string]secret.Text{}
	key := c.cfg.Secret(secretShared)
	fresh := len(c.cfg.Keys(secretShared)) != 1
	if key.Empty() {
		key = secret.New(rand.Text())
		secrets[secretShared] = key
	}
	there, err := c.subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	done := &connectors.Registration{URL: c.cfg.PublicURL, Types: types, Secrets: secrets}
	for _, s := range there {
		if wanted[s.Topics] && !fresh {
			delete(wanted, s.Topics)
			done.ID = s.ID
			continue
		}
		if err := c.unsubscribe(ctx, s.ID); err != nil {
			return nil, err
		}
	}
	hiding := *c.api
	hiding.secrets = append(slices.Clone(c.api.secrets), key)
	for _, t := range types {
		for _, topic := range c.topicsOf(t) {
			if !wanted[topic] {
				continue
			}
			var made struct {
				ID string `json:"id"`
			}
			s := subscription{Topics: topic, URL: c.cfg.PublicURL, SharedKey: key.Reveal()}
			if err := hiding.call(ctx, "create a subscription", http.MethodPost, "/eventsubscriptions", s, &made); err != nil {
				return nil, err
			}
			done.ID = made.ID
		}
	}
	return done, nil
}

// topicsOf gives the topics of an event type: by survey where it has one.
func (c *Connector) topicsOf(eventType string) []string {
	if !strings.HasPrefix(eventType, "surveyengine.") {
		return []string{eventType}
	}
	if c.surveys == nil {
		return []string{eventType + ".*"}
	}
	var all []string
	for _, survey := range c.surveys {
		all = append(all, eventType+"."+survey)
	}
	return all
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, s := range there {
		all = append(all, connectors.Registration{ID: s.ID, URL: s.URL, Types: []string{typeOf(s.Topics)}})
	}
	return all, nil
}

// Unregister implements connectors.Registrar.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.subscriptions(ctx)
	if err != nil {
		return err
	}
	for _, s := range there {
		if err := c.unsubscribe(ctx, s.ID); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connector) unsubscribe(ctx context.Context, id string) error {
	err := c.api.call(ctx, "remove a subscription", http.MethodDelete, "/eventsubscriptions/"+url.PathEscape(id), nil, nil)
	if connectors.ReasonOf(err) == connectors.ReasonNotFound {
		return nil
	}
	return err
}

// subscriptions lists those that call this connection.
func (c *Connector) subscriptions(ctx context.Context) ([]subscription, error) {
	var ours []subscription
	path := "/eventsubscriptions"
	for range maxPages {
		var page struct {
			Elements []subscription `json:"elements"`
			Next     string         `json:"nextPage"`
		}
		if err := c.api.call(ctx, "list subscriptions", http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, s := range page.Elements {
			if strings.TrimSuffix(s.URL, "/") == c.cfg.PublicURL && s.ID != "" {
				ours = append(ours, s)
			}
		}
		if path = nextPath(page.Next); path == "" {
			break
		}
	}
	return ours, nil
}

// nextPath is the part of a next page's address behind the version; the host is
// always the connection's own. Empty at the end.
func nextPath(next string) string {
	_, path, ok := strings.Cut(next, version)
	if !ok || !strings.HasPrefix(path, "/") {
		return ""
	}
	return path
}
