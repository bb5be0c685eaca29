package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/connectors/mailchimp/mailchimpsim"
	"github.com/stagebridge/stagebridge/connectors/standin"
	"github.com/stagebridge/stagebridge/secret"
)

// vendors are simulated ones, with the workspace files that connect them.
type vendors struct {
	t         *testing.T
	hubspot   *hubspotsim.Sim
	mailchimp *mailchimpsim.Sim
	sink      *standin.Sink
	files     map[string]string
	env       map[string]string
}

// vendorOptions change what newVendors makes.
type vendorOptions struct {
	// unmarked leaves out what tells our own writes by the vendor's mark, so
	// that only what was written tells them.
	unmarked bool
	// These are put into the push blocks of HubSpot and Mailchimp, and into
	// HubSpot's settings.
	hubspotPush, mailchimpPush, hubspotSettings string
}

// vendorLatency keeps the stand-ins from telling of our own write before the
// answer to it has been written down here: vendors take seconds.
const vendorLatency = 500 * time.Millisecond

func newVendors(t *testing.T, o vendorOptions) *vendors {
	t.Helper()
	v := &vendors{t: t, files: map[string]string{}, env: map[string]string{
		"HS_SECRET": "the client secret", "HS_TOKEN": "pat-na1-token", "MC_KEY": "simulated-us0", "MC_SIGN": "the signing secret",
		"MC_URL": "in the url", "HOOK_SECRET": standardKey.Reveal(),
	}}
	v.hubspot = hubspotsim.New(hubspotsim.Options{ClientSecret: secret.New(v.env["HS_SECRET"]), Token: secret.New(v.env["HS_TOKEN"]), Latency: vendorLatency})
	// Mailchimp tells its times in whole seconds, so a change there that follows
	// one elsewhere within a second would count as the older one. Tests are that
	// quick; people are not. Its clock is therefore a little ahead.
	v.mailchimp = mailchimpsim.New(mailchimpsim.Options{Echo: true, Latency: vendorLatency, Now: func() time.Time { return time.Now().Add(2 * time.Second) }})
	var err error
	if v.sink, err = standin.NewSink(standin.SinkOptions{Secrets: []secret.Text{standardKey}}); err != nil {
		t.Fatal(err)
	}
	hubspot, mailchimp, sink := v.start("HubSpot", v.hubspot.Handler()), v.start("Mailchimp", v.mailchimp), v.start("Receiver", v.sink)
	t.Cleanup(v.hubspot.Close)
	t.Cleanup(v.mailchimp.Close)
	app := fmt.Sprintf(", app_id: %d", hubspotsim.DefaultAppID)
	if o.unmarked {
		app = ""
	}
	app += o.hubspotSettings
	v.files["connections/hubspot-eu.yaml"] = fmt.Sprintf(`id: hubspot-eu
connector: hubspot
secrets: { client_secret: "${HS_SECRET}", access_token: "${HS_TOKEN}" }
settings: { base_url: %q%s }
push: { enabled: true, create: true%s }
`, hubspot, app, o.hubspotPush)
	v.files["connections/newsletter.yaml"] = fmt.Sprintf(`id: newsletter
connector: mailchimp
secrets: { api_key: "${MC_KEY}", signing_secret: "${MC_SIGN}", webhook_secret: "${MC_URL}" }
settings: { base_url: %q, audience_id: a1b2c3d4e5, api_changes: on }
push: { enabled: true, create: true%s }
`, mailchimp, o.mailchimpPush)
	v.files["connections/warehouse.yaml"] = fmt.Sprintf(`id: warehouse
connector: generic-webhook
secrets: { signing_secret: "${HOOK_SECRET}" }
settings: { url: %q }
push: { enabled: true }
`, sink+"/lifecycle")
	return v
}

func (v *vendors) start(name string, h http.Handler) string {
	v.t.Helper()
	s, err := standin.Start(standin.Options{Name: name, Handler: h})
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			v.t.Error(err)
		}
	})
	return s.URL()
}

// connect writes the workspace into the settings and tells the vendors where
// to send what happens at them, which they do from now on.
func (v *vendors) connect(env map[string]string) {
	v.t.Helper()
	maps.Copy(env, v.env)
	env[prefix+"WORKSPACE"] = files(v.t, v.files)
	hooks := "http://" + env[prefix+"ADDR"] + "/hooks/"
	v.hubspot.SetTarget(hooks + "hubspot-eu")
	v.mailchimp.AddWebhook(hooks+"newsletter?key=in+the+url", v.env["MC_SIGN"])
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	for _, run := range []func(context.Context){v.hubspot.Run, v.mailchimp.Run} {
		go func() { run(ctx); done <- struct{}{} }()
	}
	v.t.Cleanup(func() { cancel(); <-done; <-done })
}

// told reports whether the vendors have delivered all their webhooks.
func (v *vendors) told() bool { return v.hubspot.Pending()+v.mailchimp.Pending() == 0 }

// held is the stage of a person at each vendor.
func (v *vendors) held(email, user string) map[string]any {
	contact, _ := v.hubspot.ByEmail(email)
	member, _ := v.mailchimp.Member(email)
	told, _ := v.sink.Customer(user)
	return map[string]any{"hubspot": contact.Properties["sb_stage"], "mailchimp": member.Merge["SBSTAGE"], "sink": told.Stage}
}

func stageEverywhere(stage string) map[string]any {
	return map[string]any{"hubspot": stage, "mailchimp": stage, "sink": stage}
}

// TestEndToEnd takes one person through all three sources to all three
// destinations, and the server through a stop and a start.
func TestEndToEnd(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		v := newVendors(t, vendorOptions{})
		v.connect(env)
		s := serve(t, env)

		v.mailchimp.Subscribe("ann@example.com", map[string]any{"FNAME": "Ann"})
		silent(t, v.told, s)
		if diff := cmp.Diff(map[string]any{"hubspot": "Subscriber", "mailchimp": "Subscriber", "sink": ""}, v.held("ann@example.com", "u-1")); diff != "" {
			t.Errorf("after Mailchimp told (-want +got):\n%s", diff)
		}
		contact, ok := v.hubspot.ByEmail("ann@example.com")
		if !ok {
			t.Fatal("HubSpot has no contact")
		}
		v.hubspot.SetContact(contact.ID, map[string]string{"lifecyclestage": "salesqualifiedlead"})
		silent(t, v.told, s)
		if p := s.person("email:ann@example.com"); p == nil || p.Stage != "Qualified Lead" {
			t.Fatalf("after HubSpot told: %+v", p)
		}
		status, receipt := s.post("warehouse", "m1", `{"type":"order.completed","data":{"user_id":"u-1","email":"ann@example.com","order_id":"o-1","amount":"10.00","currency":"EUR"}}`)
		if status != http.StatusOK || receipt == "" {
			t.Fatalf("the shop's order: status %d, receipt %q", status, receipt)
		}
		silent(t, v.told, s)
		if diff := cmp.Diff(stageEverywhere("Customer"), v.held("ann@example.com", "u-1")); diff != "" {
			t.Errorf("after the order (-want +got):\n%s", diff)
		}
		before, inbox := s.person("email:ann@example.com"), s.stats()
		if want := []string{"user:u-1", "email:ann@example.com", "hubspot-eu:" + contact.ID}; !cmp.Equal(want, before.Keys) {
			t.Errorf("keys %v, want %v", before.Keys, want)
		}
		s.stop()

		writes, mails, moves := v.hubspot.Counts().Writes, v.mailchimp.Counts().Writes(), v.sink.Counts()
		s = serve(t, env)
		again, same := s.post("warehouse", "m1", `{"type":"order.completed","data":{"user_id":"u-1","email":"ann@example.com","order_id":"o-1","amount":"10.00","currency":"EUR"}}`)
		if again != http.StatusOK || same != receipt {
			t.Errorf("the same delivery again: status %d, receipt %q, want that of the first, %q", again, same, receipt)
		}
		silent(t, v.told, s)
		if diff := cmp.Diff(before, s.person("email:ann@example.com")); diff != "" {
			t.Errorf("after a stop and a start (-before +after):\n%s", diff)
		}
		after := s.stats()
		if inbox.Done != after.Done || after.Duplicates != inbox.Duplicates+1 || after.Failed+after.Quarantined+after.Rejected != 0 {
			t.Errorf("inbox before %+v, after %+v", inbox.counts, after.counts)
		}
		if v.hubspot.Counts().Writes != writes || v.mailchimp.Counts().Writes() != mails || v.sink.Counts() != moves {
			t.Error("a start and a delivery known already made the vendors be written to")
		}
	})
}

// TestUnsignedIsRefused holds each source to its signature.
func TestUnsignedIsRefused(t *testing.T) {
	t.Parallel()
	v := newVendors(t, vendorOptions{})
	env := settings(t, nil)
	v.connect(env)
	s := serve(t, env)
	for _, hook := range []string{"hubspot-eu", "newsletter", "newsletter?key=wrong", "warehouse"} {
		res, err := http.Post(s.url+"/hooks/"+hook, "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", hook, res.StatusCode)
		}
	}
	if x := s.stats(); x.Rejected != 4 && x.Done+x.Failed+x.Pending != 0 {
		t.Errorf("inbox %+v", x.counts)
	}
}
