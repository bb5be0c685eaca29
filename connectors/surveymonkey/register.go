package surveymonkey

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Bounds of the listing of an account's webhooks.
const (
	webhookPage = 100
	maxWebhooks = 500
)

// surveyTypes are the events that are asked for by survey.
func surveyTypes() []string {
	return []string{
		completed, "response_created", "response_updated", "response_disqualified", "response_overquota", "response_deleted",
		"collector_created", "collector_updated", "collector_deleted", "survey_updated", "survey_deleted",
	}
}

// Register implements connectors.Registrar: one webhook an event type, since
// SurveyMonkey's carry one each, all surveys in it, at a URL of its own, since
// no two may share one. Where no client secret is known, the webhooks get a
// value to show in their Authorization header instead.
func (c *Connector) Register(ctx context.Context, types []string) (*connectors.Registration, error) {
	if types == nil {
		types = []string{completed}
	}
	for _, t := range types {
		if !slices.Contains(surveyTypes(), t) && t != "survey_created" {
			return nil, settingError("register the webhook", fmt.Sprintf("there is no event %.60q to register", t))
		}
	}
	if len(types) == 0 || c.cfg.PublicURL == "" {
		return nil, settingError("register the webhook", "there is no event type, or no public URL of this installation")
	}
	surveys, err := c.surveyIDs(ctx)
	if err != nil {
		return nil, err
	}
	if len(surveys) == 0 {
		return nil, settingError("register the webhook", "the account has no survey yet")
	}
	secrets := map[string]secret.Text{}
	token := c.cfg.Secret(secretWebhook)
	if token.Empty() && c.cfg.Secret(secretClient).Empty() {
		token = secret.New(rand.Text())
		secrets[secretWebhook] = token
	}
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	done := &connectors.Registration{URL: c.cfg.PublicURL, Types: slices.Clone(types), Secrets: secrets}
	for _, t := range types {
		id, err := c.subscribe(ctx, t, surveys, token, there)
		if err != nil {
			return nil, err
		}
		if done.ID == "" {
			done.ID = id
		}
	}
	return done, nil
}

// subscribe creates or changes the webhook of one type.
func (c *Connector) subscribe(ctx context.Context, eventType string, surveys []string, token secret.Text, there []webhook) (string, error) {
	want := webhook{Name: "Stagebridge " + c.cfg.ID + " " + eventType, EventType: eventType, URL: c.cfg.PublicURL + "/" + eventType}
	if eventType != "survey_created" {
		want.ObjectType, want.ObjectIDs = "survey", surveys
	}
	if !token.Empty() {
		want.Authorization = "Bearer " + token.Reveal()
	}
	a := c.api.hiding(token)
	for _, w := range there {
		if w.URL != want.URL {
			continue
		}
		// Always: a webhook does not show its authorization.
		err := a.call(ctx, "change the webhook", http.MethodPatch, "/webhooks/"+string(w.ID), want, nil)
		return string(w.ID), err
	}
	var made webhook
	err := a.call(ctx, "create the webhook", http.MethodPost, "/webhooks", want, &made)
	return string(made.ID), err
}

// Registered implements connectors.Registrar.
func (c *Connector) Registered(ctx context.Context) ([]connectors.Registration, error) {
	there, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var all []connectors.Registration
	for _, w := range there {
		all = append(all, connectors.Registration{ID: string(w.ID), URL: w.URL, Types: []string{w.EventType}})
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
		err := c.api.call(ctx, "remove the webhook", http.MethodDelete, "/webhooks/"+string(w.ID), nil, nil)
		if err != nil && connectors.ReasonOf(err) != connectors.ReasonNotFound {
			return err
		}
	}
	return nil
}

// webhooks lists those that call this connection. The list itself shows no
// more than names, so each webhook is read.
func (c *Connector) webhooks(ctx context.Context) ([]webhook, error) {
	var ours []webhook
	for n := 1; n <= maxWebhooks/webhookPage; n++ {
		var answer struct {
			Data []webhook `json:"data"`
		}
		path := fmt.Sprintf("/webhooks?per_page=%d&page=%d", webhookPage, n)
		if err := c.api.call(ctx, "list webhooks", http.MethodGet, path, nil, &answer); err != nil {
			return nil, err
		}
		for _, listed := range answer.Data {
			if !numberForm.MatchString(string(listed.ID)) {
				continue
			}
			var w webhook
			err := c.api.call(ctx, "read a webhook", http.MethodGet, "/webhooks/"+string(listed.ID), nil, &w)
			switch {
			case connectors.ReasonOf(err) == connectors.ReasonNotFound:
				continue
			case err != nil:
				return nil, err
			}
			w.ID = listed.ID
			if w.URL == c.cfg.PublicURL || strings.HasPrefix(w.URL, c.cfg.PublicURL+"/") {
				ours = append(ours, w)
			}
		}
		if len(answer.Data) < webhookPage {
			break
		}
	}
	return ours, nil
}
