package hubspot

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/secret"
)

const developerKey = "eu1-developer-key-example"

func TestRegister(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{
		DeveloperKey: secret.New(developerKey), Target: "https://old.example.com/hooks/hubspot-eu", Subscriptions: []string{"contact.creation", "company.creation"},
	}, withSecret(secretDeveloper, developerKey))
	if there, err := c.Registered(t.Context()); err != nil || there != nil {
		t.Errorf("before registering: %v, %v", there, err)
	}
	r, err := c.Register(t.Context(), nil)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	if r.URL != c.config.PublicURL || sim.Target() != c.config.PublicURL || r.ID != "556677" {
		t.Errorf("registered %+v, HubSpot calls %s", r, sim.Target())
	}
	got := sim.Subscriptions()
	for _, want := range []string{"contact.creation", "company.creation", "contact.propertyChange:lifecyclestage", "contact.propertyChange:email", "deal.propertyChange:dealstage", "deal.associationChange", "contact.privacyDeletion"} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no subscription %s: %v", want, got)
		}
	}
	// Registering again changes nothing.
	if _, err := c.Register(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, sim.Subscriptions()); diff != "" {
		t.Errorf("after registering twice (-want +got):\n%s", diff)
	}
	there, err := c.Registered(t.Context())
	if err != nil || len(there) != 1 || there[0].URL != c.config.PublicURL || !slices.Contains(there[0].Types, "contact.merge") {
		t.Errorf("registered: %+v, %v", there, err)
	}
	if err := c.Unregister(t.Context()); err != nil {
		t.Fatalf("unregister: %v", err)
	}
	if sim.Target() != "" || len(sim.Subscriptions()) != 0 {
		t.Errorf("after unregistering HubSpot calls %q for %v", sim.Target(), sim.Subscriptions())
	}
	if err := c.Unregister(t.Context()); err != nil {
		t.Errorf("unregister again: %v", err)
	}
}

// A paused subscription is activated, and only the asked types are made.
func TestRegisterActivates(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{Subscriptions: []string{}}, withSecret(secretDeveloper, developerKey))
	if err := c.webhooks(t.Context(), "create", "POST", "subscriptions", subscription{EventType: "contact.creation"}, nil); err != nil {
		t.Fatal(err)
	}
	if len(sim.Subscriptions()) != 0 {
		t.Fatal("the subscription is active already")
	}
	if _, err := c.Register(t.Context(), []string{"contact.creation"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"contact.creation"}, sim.Subscriptions()); diff != "" {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
}

// Another application's webhook on the same app is not removed by us.
func TestUnregisterLeavesOthers(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{Target: "https://other.example.com/", Subscriptions: []string{"contact.creation"}}, withSecret(secretDeveloper, developerKey))
	if err := c.Unregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sim.Target() != "https://other.example.com/" || len(sim.Subscriptions()) != 1 {
		t.Errorf("HubSpot calls %q for %v", sim.Target(), sim.Subscriptions())
	}
}

// Without the developer's credentials the answer is what to click.
func TestRegisterByHand(t *testing.T) {
	t.Parallel()
	c := mustOpen(t, testConfig())
	_, registerErr := c.Register(t.Context(), nil)
	_, listErr := c.Registered(t.Context())
	for act, err := range map[string]error{"register": registerErr, "list": listErr, "unregister": c.Unregister(t.Context())} {
		e := asPush(err)
		if e == nil || e.Reason != connectors.ReasonSettings || e.Retryable || !strings.Contains(e.Message, "Private Apps") {
			t.Errorf("%s: %v; want what to click", act, err)
		}
	}
	if e := asPush(registerErr); !strings.Contains(e.Message, c.config.PublicURL) {
		t.Errorf("the message does not name the target URL: %s", e.Message)
	}
}

func TestRegisterFails(t *testing.T) {
	t.Parallel()
	c, sim := startAccount(t, hubspotsim.Options{DeveloperKey: secret.New("another")}, withSecret(secretDeveloper, developerKey))
	_, err := c.Register(t.Context(), nil)
	if e := asPush(err); e == nil || e.Reason != connectors.ReasonAuth || strings.Contains(err.Error(), developerKey) {
		t.Errorf("a wrong key gives %v", err)
	}
	sim.Fail(hubspotsim.Fault{Status: 500, Body: "hapikey=" + developerKey})
	if _, err := c.Registered(t.Context()); err == nil || strings.Contains(err.Error(), developerKey) {
		t.Errorf("a failure gives %v", err)
	}
}
