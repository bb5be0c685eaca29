package sample

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/secret"
)

// Options of a sample.
type Options struct {
	// Connector, Settings and Secrets are those of the connection.
	Connector string
	Settings  map[string]string
	Secrets   map[string][]secret.Text
	// URL is what the vendor calls, which signatures may cover.
	URL string
	// Type of the event, in the vendor's words.
	Type string
	// Email of the person, where the vendor tells one.
	Email string
	// Stamp makes the ids of the sample, so that two are not the same event.
	Stamp time.Time
}

// ErrType is the answer to a type that there is no sample of.
var ErrType = errors.New("no sample of this type")

// Request makes the request that the vendor would send. The error is ErrType,
// with the types there are, or says which credential is missing.
func Request(ctx context.Context, o Options) (*http.Request, error) {
	switch o.Connector {
	case "hubspot":
		return o.hubspot(ctx)
	case "mailchimp":
		return o.mailchimp(ctx)
	case "generic-webhook":
		return o.generic(ctx)
	}
	return nil, fmt.Errorf("there are no samples of %s", o.Connector)
}

// Types lists types of a connector that there is a sample of, the most telling
// first; none where there are no samples of it.
func Types(connector string) []string {
	switch connector {
	case "hubspot":
		return []string{"contact.creation", "deal.propertyChange", "ticket.creation"}
	case "mailchimp":
		return []string{"subscribe", "profile", "unsubscribe"}
	case "generic-webhook":
		return []string{"order.completed", "newsletter.subscribed", "demo.requested"}
	}
	return nil
}

// secret gives the current value of the first of the named secrets that is set.
func (o *Options) secret(names ...string) (secret.Text, error) {
	for _, name := range names {
		if values := o.Secrets[name]; len(values) > 0 && !values[0].Empty() {
			return values[0], nil
		}
	}
	return secret.Text{}, fmt.Errorf("the connection has no %s to sign with", strings.Join(names, " or "))
}

func (o *Options) unknown(types []string) error {
	return fmt.Errorf("%q: %w; there are %s", o.Type, ErrType, strings.Join(types, ", "))
}

// hubspot lets a simulated account tell of what was done in it.
func (o *Options) hubspot(ctx context.Context) (*http.Request, error) {
	key, err := o.secret("client_secret")
	if err != nil {
		return nil, err
	}
	sim := hubspotsim.New(hubspotsim.Options{ClientSecret: key, Subscriptions: []string{
		"contact.creation", "contact.deletion", "contact.privacyDeletion", "contact.merge", "contact.propertyChange:lifecyclestage",
		"deal.creation", "deal.propertyChange:dealstage", "deal.associationChange", "ticket.creation", "ticket.associationChange",
	}})
	defer sim.Close()
	contact := sim.AddContact(map[string]string{"email": o.Email})
	sim.SetContact(contact, map[string]string{"lifecyclestage": "salesqualifiedlead"})
	deal := sim.AddDeal(map[string]string{"dealname": "Sample", "dealstage": "appointmentscheduled"}, contact)
	sim.SetDeal(deal, map[string]string{"dealstage": "closedwon"})
	sim.AddTicket(map[string]string{"subject": "Sample"}, contact)
	other := sim.AddContact(map[string]string{"email": "other." + o.Email})
	sim.Merge(contact, other)
	sim.Delete(contact, true)
	// The last event of each type: of a deal's stages the one that is won.
	found := map[string]hubspotsim.Event{}
	for _, e := range sim.Take() {
		found[e.SubscriptionType] = e
	}
	e, ok := found[o.Type]
	if !ok {
		return nil, o.unknown(slices.Sorted(maps.Keys(found)))
	}
	e.EventID = o.Stamp.UnixMicro() // HubSpot's own are as large
	body, err := json.Marshal([]hubspotsim.Event{e})
	if err != nil {
		return nil, fmt.Errorf("sample: write an event: %w", err)
	}
	return sim.Request(ctx, o.URL, body)
}

// mailchimp lets a simulated audience tell of what happened in it.
func (o *Options) mailchimp(ctx context.Context) (*http.Request, error) {
	key, err := o.secret("signing_secret", "webhook_secret")
	if err != nil {
		return nil, err
	}
	target, unsigned := o.URL, len(o.Secrets["signing_secret"]) == 0
	if in := o.Secrets["webhook_secret"]; len(in) > 0 {
		// What the vendor calls is the URL with its secret, signed or not.
		target += "?key=" + url.QueryEscape(in[0].Reveal())
	}
	sim := mailchimpsim.New(mailchimpsim.Options{Audience: o.Settings["audience_id"], Unsigned: unsigned, Now: func() time.Time { return o.Stamp }})
	defer sim.Close()
	sim.AddWebhook(target, key.Reveal())
	sim.AddMember(o.Email, "subscribed", map[string]any{"FNAME": "Sample"})
	acts := map[string]func() error{
		"subscribe":   func() error { sim.Subscribe(o.Email, nil); return nil },
		"unsubscribe": func() error { return sim.Unsubscribe(o.Email, "manual") },
		"profile":     func() error { return sim.Edit(o.Email, map[string]any{"LNAME": "Sample"}) },
		"upemail":     func() error { return sim.ChangeEmail(o.Email, "new."+o.Email) },
		"cleaned":     func() error { return sim.Clean(o.Email, "hard") },
	}
	act, ok := acts[o.Type]
	if !ok {
		return nil, o.unknown(slices.Sorted(maps.Keys(acts)))
	}
	if err := act(); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	for _, d := range sim.Take() {
		if d.Type == o.Type {
			return sim.Request(ctx, d)
		}
	}
	return nil, fmt.Errorf("sample: the simulated audience told nothing of %s", o.Type)
}

// generic writes a message of any type with the members that the default rules
// read, so that each type finds its own.
func (o *Options) generic(ctx context.Context) (*http.Request, error) {
	if p := o.Settings["profile"]; p != "" && p != "standard" && p != "svix" {
		return nil, fmt.Errorf("samples are signed as Standard Webhooks, and this connection expects the profile %s", p)
	}
	key, err := o.secret("source_secret", "signing_secret")
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("sample-%d", o.Stamp.UnixMicro())
	body, err := json.Marshal(map[string]any{
		"type": o.Type, "timestamp": o.Stamp.UTC().Format(time.RFC3339Nano),
		"data": map[string]any{
			"user_id": "sample:" + o.Email, "email": o.Email,
			"order_id": id, "subscription_id": id, "invoice_id": id, "ticket_id": id, "response_id": id, "referral_id": id,
			"deal_id": id, "meeting_id": id, "review_id": id,
			"amount": "49.00", "currency": "EUR", "plan": "team", "kind": "nps", "score": 10, "stage": "Customer",
		},
	})
	if err != nil {
		return nil, fmt.Errorf("sample: write a message: %w", err)
	}
	return Standard(ctx, o.URL, id, o.Stamp, key, body)
}
