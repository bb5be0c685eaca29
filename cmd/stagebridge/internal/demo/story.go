package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/sample"
)

// senders is how many requests of the shop are under way at once.
const senders = 8

// Person is somebody of the story.
type Person struct {
	Email string // empty for visitors who never said who they are
	// Stage is where the person stands in the plan classic in the end.
	Stage string

	first, company string
	act            func(*teller, *Person)
	device, user   string
}

// Cast gives the people, always the same ones: sizes of groups are chosen so
// that each stage of the plan has somebody in it.
func Cast() []Person {
	names := []string{"Ada", "Ben", "Carla", "Dana", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kofi", "Lena"}
	companies := []string{"Acme", "Borealis", "Cobalt", "Dune", "Ember"}
	var all []Person
	for _, group := range []struct {
		stage string
		size  int
		act   func(*teller, *Person)
	}{
		{"Visit", 22, (*teller).visits},
		{"Subscriber", 26, (*teller).subscribes},
		{"Qualified Lead", 14, (*teller).qualifies},
		{"Customer", 8, (*teller).closesDeal},
		{"Customer", 12, (*teller).buys},
		{"Retained Customer", 12, (*teller).buysAgain},
		{"Advocate", 5, (*teller).recommends},
		{"Churned", 6, (*teller).fallsSilent},
		{"Churned", 3, (*teller).cancels},
	} {
		for range group.size {
			i := len(all)
			p := Person{
				Stage: group.stage, act: group.act, first: names[i%len(names)], company: companies[i%len(companies)],
				device: fmt.Sprintf("device-%03d", i), user: fmt.Sprintf("u-%03d", i),
			}
			if group.stage != "Visit" {
				p.Email = fmt.Sprintf("%s.%03d@example.com", lower(p.first), i)
			}
			all = append(all, p)
		}
	}
	return all
}

func lower(s string) string { return string(s[0]|0x20) + s[1:] }

// Tell lets the story happen: the shop's events are sent, and the vendors
// change, whose webhooks follow by Run. hooks is the address of the bridge's
// hooks. It answers how many events the shop sent.
func (w *World) Tell(ctx context.Context, hooks string) (int, error) {
	t := &teller{w: w, now: time.Now()}
	for _, p := range Cast() {
		p.act(t, &p)
	}
	// As they happened, save that several are under way at once.
	slices.SortStableFunc(t.events, func(a, b event) int { return a.at.Compare(b.at) })
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(senders)
	for i, e := range t.events {
		g.Go(func() error { return w.send(ctx, hooks+"/"+Shop, fmt.Sprintf("shop-%05d", i), e) })
	}
	for _, act := range t.acts {
		act()
	}
	return len(t.events), g.Wait()
}

// event is one thing that the shop knows.
type event struct {
	kind string
	at   time.Time
	data map[string]any
}

func (w *World) send(ctx context.Context, target, id string, e event) error {
	body, err := json.Marshal(map[string]any{"type": e.kind, "timestamp": e.at.UTC().Format(time.RFC3339Nano), "data": e.data})
	if err != nil {
		return fmt.Errorf("demo: write an event: %w", err)
	}
	r, err := sample.Standard(ctx, target, id, time.Now(), w.keys[Shop], body)
	if err != nil {
		return err
	}
	return w.do(r)
}

// teller gathers what the people do.
type teller struct {
	w      *World
	now    time.Time
	events []event
	acts   []func()
	orders int
}

const day = 24 * time.Hour

// shop notes an event of a person some days ago.
func (t *teller) shop(p *Person, kind string, daysAgo float64, data map[string]any) {
	if data == nil {
		data = map[string]any{}
	}
	data["anonymous_id"] = p.device
	if p.Email != "" && kind != "Page:Viewed" {
		data["email"], data["user_id"] = p.Email, p.user
		data["first_name"], data["company"] = p.first, p.company
	}
	t.events = append(t.events, event{kind, t.now.Add(-time.Duration(daysAgo * float64(day))), data})
}

func (t *teller) visits(p *Person) {
	for i, page := range []string{"/", "/pricing"} {
		t.shop(p, "Page:Viewed", 6-2*float64(i), map[string]any{"url": "https://example.com" + page})
	}
}

func (t *teller) subscribes(p *Person) {
	t.visits(p)
	t.shop(p, "form.submitted", 3, map[string]any{"form": "newsletter"})
	t.acts = append(t.acts, func() {
		t.w.Mailchimp.Subscribe(p.Email, map[string]any{"FNAME": p.first, "COMPANY": p.company})
	})
}

func (t *teller) qualifies(p *Person) {
	t.shop(p, "Page:Viewed", 9, map[string]any{"url": "https://example.com/enterprise"})
	t.shop(p, "form.submitted", 8, map[string]any{"form": "contact"})
	t.acts = append(t.acts, func() { t.lead(p) })
}

// lead is a contact at HubSpot whom sales qualifies.
func (t *teller) lead(p *Person) string {
	id := t.w.HubSpot.AddContact(map[string]string{"email": p.Email, "firstname": p.first, "company": p.company})
	t.w.HubSpot.SetContact(id, map[string]string{"lifecyclestage": "salesqualifiedlead"})
	return id
}

func (t *teller) closesDeal(p *Person) {
	t.shop(p, "demo.requested", 12, map[string]any{"product": "Team"})
	t.acts = append(t.acts, func() {
		id := t.lead(p)
		deal := t.w.HubSpot.AddDeal(map[string]string{"dealname": p.company + " Team", "amount": "2400", "deal_currency_code": "EUR", "dealstage": "appointmentscheduled"}, id)
		t.w.HubSpot.SetDeal(deal, map[string]string{"dealstage": "closedwon"})
	})
}

func (t *teller) order(p *Person, daysAgo float64, amount string) {
	t.orders++
	t.shop(p, "order.completed", daysAgo, map[string]any{"order_id": fmt.Sprintf("o-%04d", t.orders), "amount": amount, "currency": "EUR"})
}

func (t *teller) buys(p *Person) {
	t.visits(p)
	t.shop(p, "user.created", 5, map[string]any{"method": "email"})
	t.order(p, 2, "49.00")
}

func (t *teller) buysAgain(p *Person) {
	t.shop(p, "user.created", 80, map[string]any{"method": "email"})
	t.order(p, 75, "49.00")
	t.order(p, 40, "120.50")
	t.order(p, 4, "75.25")
}

func (t *teller) recommends(p *Person) {
	t.buysAgain(p)
	t.shop(p, "survey.answered", 1, map[string]any{"response_id": "r-" + p.user, "kind": "nps", "score": 10})
	t.acts = append(t.acts, func() { t.w.Mailchimp.Subscribe(p.Email, map[string]any{"FNAME": p.first}) })
}

func (t *teller) fallsSilent(p *Person) {
	t.shop(p, "user.created", 130, map[string]any{"method": "email"})
	t.order(p, 120, "49.00")
}

func (t *teller) cancels(p *Person) {
	sub := map[string]any{"subscription_id": "s-" + p.user, "plan": "team", "amount": "29.00", "currency": "EUR"}
	end := map[string]any{"subscription_id": "s-" + p.user, "plan": "team", "reason": "too expensive"}
	t.shop(p, "subscription.started", 50, sub)
	t.shop(p, "product.used", 20, map[string]any{"feature": "reports"})
	t.shop(p, "subscription.canceled", 10, end)
}

// Stages lists the stages that the story ends in, in the plan's order.
func Stages() []string {
	var all []string
	for _, p := range Cast() {
		if !slices.Contains(all, p.Stage) {
			all = append(all, p.Stage)
		}
	}
	return all
}
