package segment

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	// webhooksID is Webhooks (Actions) in Segment's catalogue
	// (https://segment.com/docs/connections/destinations/catalog/actions-webhook/,
	// read November 2026).
	webhooksID = "614a3c7d791c91c41bae7599"
	// subscriptionType is the media type of subscriptions, which the Public API
	// has in its alpha version only.
	subscriptionType = "application/vnd.segment.v1alpha+json"
	// maxPages bounds a list, a hundred entries a page.
	maxPages = 50
	pageSize = "100"
	ourName  = "Stagebridge"
)

// destination is an instance of Webhooks (Actions). Its shared secret is masked
// when it is read.
type destination struct {
	ID       string `json:"id"`
	SourceID string `json:"sourceId"`
	Metadata struct {
		ID string `json:"id"`
	} `json:"metadata"`
}

// subscription is a mapping of a destination.
type subscription struct {
	ID       string         `json:"id,omitempty"`
	Name     string         `json:"name"`
	ActionID string         `json:"actionId,omitempty"`
	Trigger  string         `json:"trigger"`
	Enabled  bool           `json:"enabled"`
	Settings map[string]any `json:"settings"`

	destination string
	// siblings counts the other mappings of the destination.
	siblings int
}

// page is where a list goes on.
type page struct {
	Next string `json:"next"`
}

// forwarded are the types of event that Segment forwards.
func forwarded() []string {
	return []string{kindTrack, kindIdentify, kindPage, kindScreen, kindGroup, kindAlias}
}

// Register implements connectors.Registrar: a destination Webhooks (Actions)
// at the source, with one mapping that calls us with single events. A shared
// secret is made where the connection has none.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	trigger, kinds, err := triggerOf(types)
	if err != nil {
		return nil, err
	}
	there, err := c.mappings(ctx)
	if err != nil {
		return nil, err
	}
	secrets := map[string]secret.Text{}
	key := c.cfg.Secret(secretShared)
	if key.Empty() {
		key = secret.New(rand.Text() + rand.Text())
		secrets[secretShared] = key
	}
	calling := &subscription{Name: ourName, Trigger: trigger, Enabled: true, Settings: c.mappingSettings()}
	if len(there) == 0 {
		if err := c.create(ctx, key, calling); err != nil {
			return nil, err
		}
		there = []subscription{*calling}
	} else {
		for _, s := range there {
			// The secret cannot be compared, so it is set; of the mapping only
			// ours is touched.
			settings := map[string]any{"enabled": true, "settings": map[string]any{"sharedSecret": key.Reveal()}}
			if err := c.public(ctx, "change the destination", http.MethodPatch, "/destinations/"+url.PathEscape(s.destination), settings, nil, key); err != nil {
				return nil, err
			}
			path := "/destinations/" + url.PathEscape(s.destination) + "/subscriptions/" + url.PathEscape(s.ID)
			if err := c.public(ctx, "change the mapping", http.MethodPatch, path, map[string]any{"input": calling}, nil, key); err != nil {
				return nil, err
			}
		}
	}
	return &connectors.Registration{ID: there[0].ID, URL: c.cfg.PublicURL, Types: kinds, Secrets: secrets}, nil
}

// triggerOf writes types of raw events as Segment's condition; a type of track
// asks for all of them.
func triggerOf(types []string) (trigger string, kinds []string, err error) {
	if types == nil {
		types = forwarded()
	}
	var parts []string
	for _, t := range types {
		kind, _, _ := strings.Cut(t, ".")
		switch {
		case kind == kindDelete || slices.Contains(kinds, kind):
			continue
		case !slices.Contains(forwarded(), kind):
			return "", nil, &connectors.PushError{Act: "segment: register the webhook", Reason: connectors.ReasonSettings, Message: connectors.Words("Segment forwards no events of the type " + t)}
		}
		kinds = append(kinds, kind)
		parts = append(parts, `type = "`+kind+`"`)
	}
	if len(parts) == 0 {
		return "", nil, &connectors.PushError{Act: "segment: register the webhook", Reason: connectors.ReasonSettings, Message: "none of the types is one that Segment forwards"}
	}
	return strings.Join(parts, " or "), kinds, nil
}

// mappingSettings sends whole events one by one, with the header's secret where
// there is one.
func (c *Connector) mappingSettings() map[string]any {
	settings := map[string]any{
		"url": c.cfg.PublicURL, "method": "POST", "data": map[string]any{"@path": "$."}, "enable_batching": false,
	}
	if header := c.cfg.Secret(secretHeader); !header.Empty() {
		settings["headers"] = map[string]any{secretHeaderName: header.Reveal()}
	}
	return settings
}

// create makes the destination and its mapping.
func (c *Connector) create(ctx context.Context, key secret.Text, s *subscription) error {
	var catalog struct {
		Metadata struct {
			Actions []struct {
				ID   string `json:"id"`
				Slug string `json:"slug"`
			} `json:"actions"`
		} `json:"destinationMetadata"`
	}
	if err := c.public(ctx, "read the catalogue", http.MethodGet, "/catalog/destinations/"+webhooksID, nil, &catalog, key); err != nil {
		return err
	}
	for _, a := range catalog.Metadata.Actions {
		if s.ActionID == "" || a.Slug == "send" {
			s.ActionID = a.ID
		}
	}
	if s.ActionID == "" {
		return &connectors.PushError{Act: "segment: read the catalogue", Reason: connectors.ReasonBadAnswer, Message: "Webhooks (Actions) has no action"}
	}
	var made struct {
		Destination destination `json:"destination"`
	}
	in := map[string]any{
		"sourceId": c.cfg.Settings[fieldForward], "metadataId": webhooksID, "enabled": true, "name": ourName,
		"settings": map[string]any{"sharedSecret": key.Reveal()},
	}
	if err := c.public(ctx, "create the destination", http.MethodPost, "/destinations", in, &made, key); err != nil {
		return err
	}
	var mapped struct {
		Subscription subscription `json:"destinationSubscription"`
	}
	path := "/destinations/" + url.PathEscape(made.Destination.ID) + "/subscriptions"
	if err := c.public(ctx, "create the mapping", http.MethodPost, path, s, &mapped, key); err != nil {
		// A destination without a mapping would not be found again, and the next
		// try would add another. That it goes is a favour, not the answer.
		_ = c.public(ctx, "remove the destination", http.MethodDelete, "/destinations/"+url.PathEscape(made.Destination.ID), nil, nil, key)
		return err
	}
	s.ID, s.destination = mapped.Subscription.ID, made.Destination.ID
	return nil
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.mappings(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, s := range there {
		r := connectors.Registration{ID: s.ID, URL: c.cfg.PublicURL}
		for _, kind := range forwarded() {
			if strings.Contains(s.Trigger, `"`+kind+`"`) {
				r.Types = append(r.Types, kind)
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// Unregister implements connectors.Registrar. A destination goes with its last
// mapping; one that has others stays.
func (c *Connector) Unregister(ctx context.Context) error {
	there, err := c.mappings(ctx)
	if err != nil {
		return err
	}
	for _, s := range there {
		path := "/destinations/" + url.PathEscape(s.destination)
		if s.siblings > 0 {
			path += "/subscriptions/" + url.PathEscape(s.ID)
		}
		if err := c.public(ctx, "remove the webhook", http.MethodDelete, path, nil, nil, secret.Text{}); err != nil && connectors.AsPushError(err).Reason != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// mappings lists those that call this connection's URL.
func (c *Connector) mappings(ctx context.Context) ([]subscription, error) {
	if c.cfg.Settings[fieldForward] == "" {
		return nil, &connectors.PushError{Act: "segment: list the webhooks", Reason: connectors.ReasonSettings, Message: fieldForward + " is not set"}
	}
	var ours []subscription
	destinations, err := c.destinations(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range destinations {
		all, err := c.subscriptions(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if s.Settings["url"] == c.cfg.PublicURL {
				s.destination, s.siblings = d.ID, len(all)-1
				ours = append(ours, s)
			}
		}
	}
	return ours, nil
}

// destinations lists the source's destinations of the kind Webhooks (Actions).
func (c *Connector) destinations(ctx context.Context) ([]destination, error) {
	var ours []destination
	cursor := ""
	for range maxPages {
		var answer struct {
			Destinations []destination `json:"destinations"`
			Pagination   page          `json:"pagination"`
		}
		if err := c.public(ctx, "list the destinations", http.MethodGet, "/destinations?"+pageQuery(cursor), nil, &answer, secret.Text{}); err != nil {
			return nil, err
		}
		for _, d := range answer.Destinations {
			if d.SourceID == c.cfg.Settings[fieldForward] && d.Metadata.ID == webhooksID {
				ours = append(ours, d)
			}
		}
		if cursor = answer.Pagination.Next; cursor == "" {
			break
		}
	}
	return ours, nil
}

func (c *Connector) subscriptions(ctx context.Context, destination string) ([]subscription, error) {
	var all []subscription
	cursor := ""
	for range maxPages {
		var answer struct {
			Subscriptions []subscription `json:"subscriptions"`
			Pagination    page           `json:"pagination"`
		}
		path := "/destinations/" + url.PathEscape(destination) + "/subscriptions?" + pageQuery(cursor)
		if err := c.public(ctx, "list the mappings", http.MethodGet, path, nil, &answer, secret.Text{}); err != nil {
			return nil, err
		}
		all = append(all, answer.Subscriptions...)
		if cursor = answer.Pagination.Next; cursor == "" {
			break
		}
	}
	return all, nil
}

func pageQuery(cursor string) string {
	q := url.Values{"pagination[count]": {pageSize}}
	if cursor != "" {
		q.Set("pagination[cursor]", cursor)
	}
	return q.Encode()
}

// public makes a request of the Public API and decodes what stands under data.
// The extra secret is cut from what comes back.
func (c *Connector) public(ctx context.Context, act, method, path string, in, data any, hide secret.Text) error {
	media := publicAPIType
	if strings.Contains(path, "/subscriptions") {
		media = subscriptionType
	}
	if data == nil {
		return c.askAs(ctx, media, "segment: "+act, method, path, in, nil, hide)
	}
	wrapped := struct {
		Data any `json:"data"`
	}{data}
	return c.askAs(ctx, media, "segment: "+act, method, path, in, &wrapped, hide)
}
