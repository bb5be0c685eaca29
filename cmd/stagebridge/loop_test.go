package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// planWithClaims lets what another system says move people; the rest is as
// short as it can be.
const planWithClaims = `name: mine
stages:
  - { name: Visit }
  - { name: Lead, when: 'seen("Lead:Qualified")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
claims: { %s: { mode: advance } }
`

// TestTwoInstancesFallSilent connects two installations to each other both
// ways. A real change at one reaches the other once, what the other says of it
// comes back once and changes nothing, and then nobody speaks any more.
func TestTwoInstancesFallSilent(t *testing.T) {
	t.Parallel()
	a, b := settings(t, map[string]string{"HOOK_SECRET": standardKey.Reveal()}), settings(t, map[string]string{"HOOK_SECRET": standardKey.Reveal()})
	workspace := func(env map[string]string, other, otherURL string) {
		bridge := fmt.Sprintf(`id: %s
connector: generic-webhook
secrets: { signing_secret: "${HOOK_SECRET}" }
settings: { url: %q }
push: { enabled: true }
`, other, otherURL)
		env[prefix+"WORKSPACE"] = files(t, map[string]string{
			"connections/" + other + ".yaml": bridge,
			"connections/shop.yaml":          "id: shop\nconnector: generic-webhook\nsecrets: { signing_secret: \"${HOOK_SECRET}\" }\n",
			"plan.yaml":                      fmt.Sprintf(planWithClaims, other),
		})
	}
	workspace(a, "to-b", "http://"+b[prefix+"ADDR"]+"/hooks/to-a")
	workspace(b, "to-a", "http://"+a[prefix+"ADDR"]+"/hooks/to-b")
	at, bt := serve(t, a), serve(t, b)

	for i, step := range []struct{ id, kind, stage string }{
		{"m1", "lead.qualified", "Lead"}, {"m2", "order.completed", "Customer"}, {"m3", "order.completed", "Customer"},
	} {
		if status, _ := at.post("shop", step.id, fmt.Sprintf(`{"type":%q,"data":{"user_id":"u-1","email":"ann@example.com","order_id":%q}}`, step.kind, step.id)); status != http.StatusOK {
			t.Fatalf("%s: status %d", step.id, status)
		}
		silent(t, nil, at, bt)
		for name, s := range map[string]*serving{"the first": at, "the second": bt} {
			if p := s.person("user:u-1"); p == nil || p.Stage != step.stage {
				t.Errorf("step %d: %s has %+v, want %s", i, name, p, step.stage)
			}
		}
		// The last step is no move, so it crosses no bridge.
		moves := min(i+1, 2)
		got := map[string]int{"told to the second": bt.stats().Connections["to-a"].Done, "told back": at.stats().Connections["to-b"].Done + at.stats().Connections["to-b"].Ignored}
		if diff := cmp.Diff(map[string]int{"told to the second": moves, "told back": moves}, got); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	// The other way round.
	if status, _ := bt.post("shop", "m4", `{"type":"lead.qualified","data":{"user_id":"u-2","email":"ben@example.com"}}`); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	silent(t, nil, at, bt)
	if p := at.person("user:u-2"); p == nil || p.Stage != "Lead" {
		t.Errorf("the first has %+v, want Lead", p)
	}
	for name, n := range map[string]int{"to the first": at.stats().Connections["to-b"].Done, "to the second": bt.stats().Connections["to-a"].Done} {
		if n != 3 {
			t.Errorf("%d messages %s in all, want 3", n, name)
		}
	}
}

// TestEchoesEndHere lets HubSpot and Mailchimp tell of our own writes, with
// the vendor's mark and without. They cause no second write, and what people
// change there still crosses both bridges, each once.
func TestEchoesEndHere(t *testing.T) {
	t.Parallel()
	for name, unmarked := range map[string]bool{"by the vendor's mark": false, "by what was written": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendors(t, vendorOptions{unmarked: unmarked, hubspotPush: ", traits: { company: company }", mailchimpPush: ", traits: { COMPANY: company }"})
			env := settings(t, nil)
			v.connect(env)
			s := serve(t, env)
			body := `{"type":"user.created","data":{"user_id":"u-1","email":"ann@example.com","company":"Acme"}}`
			if status, _ := s.post("warehouse", "m1", body); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
			silent(t, v.told, s)
			contact, ok := v.hubspot.ByEmail("ann@example.com")
			if !ok {
				t.Fatal("HubSpot has no contact")
			}
			v.expect(t, "the first push", "Acme", traffic{}, traffic{HubSpot: 1, Members: 1})
			if echoes := s.stats().Connections["hubspot-eu"].Ignored + s.stats().Connections["newsletter"].Ignored; echoes == 0 {
				t.Error("no echo came back, so nothing was shown")
			}

			before := v.traffic()
			v.hubspot.SetContact(contact.ID, map[string]string{"company": "Borealis"})
			silent(t, v.told, s)
			// HubSpot is told the value as well: what it tells of is not taken as
			// what it holds for good. That write changes nothing there.
			v.expect(t, "a change at HubSpot", "Borealis", before, traffic{HubSpot: 1, Members: 1})

			before = v.traffic()
			if err := v.mailchimp.Edit("ann@example.com", map[string]any{"COMPANY": "Cobalt"}); err != nil {
				t.Fatal(err)
			}
			silent(t, v.told, s)
			v.expect(t, "a change at Mailchimp", "Cobalt", before, traffic{HubSpot: 1, Members: 1})
			if p := s.person("email:ann@example.com"); p == nil || p.Stage != "Subscriber" {
				t.Errorf("the person is %+v", p)
			}
		})
	}
}

// traffic counts accepted writes about people.
type traffic struct{ HubSpot, Members int }

func (v *vendors) traffic() traffic {
	return traffic{v.hubspot.Counts().Writes, v.mailchimp.Counts().Members}
}

// expect compares the writes since before, and the company that both hold.
func (v *vendors) expect(t *testing.T, what, company string, before, want traffic) {
	t.Helper()
	now := v.traffic()
	got := traffic{now.HubSpot - before.HubSpot, now.Members - before.Members}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: writes (-want +got):\n%s", what, diff)
	}
	contact, _ := v.hubspot.ByEmail("ann@example.com")
	member, _ := v.mailchimp.Member("ann@example.com")
	for vendor, held := range map[string]any{"HubSpot": contact.Properties["company"], "Mailchimp": member.Merge["COMPANY"]} {
		if held != company {
			t.Errorf("%s: %s holds %v, want %s", what, vendor, held, company)
		}
	}
}

// TestNativeStage keeps HubSpot's own lifecycle stage, which comes back as a
// claim when a person sets it there. The claim moves the person, Mailchimp is
// told once, and HubSpot, which holds it already, ends the round.
func TestNativeStage(t *testing.T) {
	t.Parallel()
	v := newVendors(t, vendorOptions{
		hubspotSettings: ", stage_property: lifecyclestage",
		hubspotPush:     ", stages: { Visit: lead, Lead: salesqualifiedlead, Customer: customer }",
	})
	v.files["plan.yaml"] = fmt.Sprintf(planWithClaims, "hubspot-eu")
	env := settings(t, nil)
	v.connect(env)
	s := serve(t, env)
	if status, _ := s.post("warehouse", "m1", `{"type":"lead.qualified","data":{"user_id":"u-1","email":"ann@example.com"}}`); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	silent(t, v.told, s)
	native := func() string {
		contact, _ := v.hubspot.ByEmail("ann@example.com")
		return contact.Properties["lifecyclestage"]
	}
	if got := native(); got != "salesqualifiedlead" {
		t.Fatalf("HubSpot's stage is %q", got)
	}
	before := v.traffic()
	contact, _ := v.hubspot.ByEmail("ann@example.com")
	v.hubspot.SetContact(contact.ID, map[string]string{"lifecyclestage": "customer"})
	silent(t, v.told, s)
	if p := s.person("user:u-1"); p == nil || p.Stage != "Customer" {
		t.Errorf("the person is %+v, want Customer by HubSpot's claim", p)
	}
	member, _ := v.mailchimp.Member("ann@example.com")
	if native() != "customer" || member.Merge["SBSTAGE"] != "Customer" {
		t.Errorf("HubSpot holds %q, Mailchimp %v", native(), member.Merge["SBSTAGE"])
	}
	after := v.traffic()
	if after.Members != before.Members+1 || after.HubSpot > before.HubSpot+1 {
		t.Errorf("writes before %+v, after %+v: want one at Mailchimp, at most one at HubSpot", before, after)
	}
	// A claim that is behind is not followed.
	before = after
	v.hubspot.SetContact(contact.ID, map[string]string{"lifecyclestage": "salesqualifiedlead"})
	silent(t, v.told, s)
	if p := s.person("user:u-1"); p == nil || p.Stage != "Customer" {
		t.Errorf("after a step back at HubSpot: %+v", p)
	}
	after = v.traffic()
	if after.Members != before.Members {
		t.Errorf("Mailchimp was written to %d times for a step back that counts for nothing", after.Members-before.Members)
	}
}
