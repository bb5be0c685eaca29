package jobs_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// governedPlan knows visits, orders and notes; more is what it says of the rest.
func governedPlan(more string) string {
	return `name: governed
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
events:
  Page:Viewed: { properties: { url: { type: text, required: true } } }
  Order:Completed:
    properties: { plan: { values: [basic, pro] }, total: number, note: text }
` + more
}

const governedRules = `rules:
  - name: view
    type: view
    emit: { event: "Page:Viewed", identity: { user: body.user }, properties: { url: body.url } }
  - name: order
    type: order
    emit:
      event: Order:Completed
      identity: { user: body.user }
      traits: { bank: body.bank }
      properties: { plan: body.plan, total: body.total, note: body.note, colour: body.colour }
  - name: surprise
    type: order
    when: body.surprise == true
    emit: { event: "Gift:Sent", identity: { user: body.user } }
`

// governed is a lab whose plan and rules are those above.
func governed(t *testing.T, s *store.Store, more string) (*lab, *jobs.Admin) {
	t.Helper()
	l := newLab(t, s)
	l.connect("crm", connectors.PushConfig{})
	l.connect("web", connectors.PushConfig{})
	admin := &jobs.Admin{Registry: l.registry}
	for _, id := range []string{"crm", "web"} {
		if _, err := admin.PublishRules(t.Context(), id, 0, store.Versioned{Source: governedRules}); err != nil {
			t.Fatal(err)
		}
	}
	l.publish(admin, governedPlan(more))
	return l, admin
}

// judgement tells what became of every raw event, by its body, and what was
// counted, without the numbers of rows.
func (l *lab) judgement() string {
	l.t.Helper()
	var all []string
	page, err := l.store.Inbox(l.t.Context(), store.InboxFilter{Limit: 500})
	if err != nil || page.Next != "" {
		l.t.Fatalf("inbox: %v, next %q", err, page.Next)
	}
	for _, r := range page.Rows {
		raw, err := l.store.RawEvent(l.t.Context(), r.ID)
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %s %s: %s %s %q by %s", r.Connection, r.Type, raw.Body, r.Status, r.Outcome.Reason, r.Outcome.Detail, r.Outcome.Rule))
	}
	found, _, err := l.store.Violations(l.t.Context(), store.ViolationFilter{Limit: 500})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, v := range found {
		if len(v.Samples) == 0 || len(v.Samples) > store.MaxSamples {
			l.t.Errorf("%+v has %d samples", v, len(v.Samples))
		}
		all = append(all, fmt.Sprintf("%s %s %s %q by %q: %s %d+%d from %d to %d", v.Connection, v.Class, v.Event, v.Property, v.Rule, v.Action, v.Count, v.Replayed, v.First, v.Last))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestGovernance(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l, _ := governed(t, s, `governance:
  unplanned_event: quarantine
  unplanned_property: tag
  missing_property: quarantine
  wrong_type: strip
  unmarked_pii: strip
  connections: { web: { unplanned_event: tag, missing_property: allow } }
`)
		at := l.now.Add(-time.Hour)
		tell := func(connection, kind, body string) { l.tell(connection, told{kind, at, body}) }
		tell("crm", "view", `{"user":"a","url":"/"}`)
		tell("crm", "view", `{"user":"b"}`)
		tell("web", "view", `{"user":"c"}`)
		tell("crm", "order", `{"user":"a","surprise":true,"colour":"red"}`)
		tell("web", "order", `{"user":"c","surprise":true,"colour":"red","plan":"gold","total":"lots","bank":"DE89370400440532013000"}`)
		tell("crm", "order", `{"user":"d","plan":"pro","note":"ann@example.com"}`)
		l.process()
		first := l.now.UnixMicro()
		want := strings.Split(strings.ReplaceAll(`crm Gift:Sent: quarantined unplanned_event "event \"Gift:Sent\": is not in the plan" by surprise
crm order {"user":"d","plan":"pro","note":"ann@example.com"}: done unmarked_pii "event \"Order:Completed\": \"note\" looks like an e-mail address, and the plan does not mark it; it was taken away" by order
crm view {"user":"a","url":"/"}: done  "" by view
crm view {"user":"b"}: quarantined missing_property "event \"Page:Viewed\": property \"url\" is missing" by view
web order {"user":"c","surprise":true,"colour":"red","plan":"gold","total":"lots","bank":"DE89370400440532013000"}: done wrong_type "event \"Order:Completed\": property \"total\" is not of type number; it was taken away" by order,surprise
web view {"user":"c"}: done  "" by view
crm missing_property Page:Viewed "url" by "view": quarantine 1+0 from NOW to NOW
crm unmarked_pii Order:Completed "note" by "order": strip 1+0 from NOW to NOW
crm unplanned_event Gift:Sent "" by "surprise": quarantine 1+0 from NOW to NOW
crm unplanned_property Order:Completed "colour" by "order": tag 1+0 from NOW to NOW
web missing_property Page:Viewed "url" by "view": allow 1+0 from NOW to NOW
web unmarked_pii Order:Completed "traits.bank" by "order": strip 1+0 from NOW to NOW
web unplanned_event Gift:Sent "" by "surprise": tag 1+0 from NOW to NOW
web unplanned_property Order:Completed "colour" by "order": tag 1+0 from NOW to NOW
web value_not_allowed Order:Completed "plan" by "order": allow 1+0 from NOW to NOW
web wrong_type Order:Completed "total" by "order": strip 1+0 from NOW to NOW`, "NOW", fmt.Sprint(first)), "\n")
		want[0] = strings.Replace(want[0], "Gift:Sent:", `order {"user":"a","surprise":true,"colour":"red"}:`, 1)
		slices.Sort(want)
		if diff := cmp.Diff(strings.Join(want, "\n"), l.judgement()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, prof := l.person("user:c"); prof.Stage != "Customer" || prof.Trait("bank") != nil {
			t.Errorf("the trait that looks like an IBAN is %v, the stage %s", prof.Trait("bank"), prof.Stage)
		}
		p, _ := l.person("user:c")
		items, _, err := s.Timeline(t.Context(), p.ID, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, i := range items {
			if i.Event != nil && i.Event.Name == "Order:Completed" {
				kept++
				if diff := cmp.Diff(map[string]any{"colour": "red", "plan": "gold"}, i.Event.Properties); diff != "" {
					t.Errorf("the order's properties (-want +got):\n%s", diff)
				}
			}
		}
		if kept != 1 {
			t.Errorf("%d orders are kept", kept)
		}
	})
}

// TestReplayIsCountedApart: what a replay finds again does not make a
// violation look more frequent or newer than it is.
func TestReplayIsCountedApart(t *testing.T) {
	t.Parallel()
	l, _ := governed(t, storetest.SQLite(t), "")
	at := l.now.Add(-time.Hour)
	one := l.tell("crm", told{"view", at, `{"user":"b"}`}).ID
	l.tell("crm", told{"view", at, `{"user":"b"}`}) // delivered twice
	l.process()
	before := l.now.UnixMicro()
	l.now = l.now.Add(time.Hour)
	for range 2 {
		if n, err := l.store.Replay(t.Context(), []int64{one}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		l.process()
	}
	all, _, err := l.store.Violations(t.Context(), store.ViolationFilter{})
	want := []store.Violation{{Connection: "crm", Class: lifecycle.ViolationMissing, Event: "Page:Viewed", Property: "url", Rule: "view",
		Action: lifecycle.Allow, Count: 1, Replayed: 2, First: lifecycle.Instant(before), Last: lifecycle.Instant(before), Samples: []int64{one}}}
	if diff := cmp.Diff(want, all); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestJudgementKnowsNoOrder is rule 4 for the plan's governance: raw events in
// any order, in any batches and with any duplicates are judged alike, and
// violations are counted alike.
func TestJudgementKnowsNoOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 4))
		actions := []string{"allow", "tag", "strip", "quarantine"}
		more := "governance:\n"
		for _, class := range lifecycle.Classes()[1:] {
			action := actions[r.IntN(4)]
			if action == "strip" && (class == lifecycle.ViolationEvent || class == lifecycle.ViolationMissing) {
				action = "tag"
			}
			more += fmt.Sprintf("  %s: %s\n", class, action)
		}
		pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
		var events []told
		for i := range 60 {
			events = append(events, told{pick("view", "order"), time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC),
				fmt.Sprintf(`{"user":"u%d"%s%s%s%s%s}`, r.IntN(5), pick("", `,"url":"/"`), pick("", `,"total":"x"`, `,"total":5`),
					pick("", `,"plan":"gold"`, `,"plan":"pro"`), pick("", `,"note":"lee@example.com"`, `,"colour":"red"`), pick("", `,"surprise":true`, `,"bank":"+4930123456"`))})
		}
		play := func(s *store.Store, events []told) (string, string) {
			l, _ := governed(t, s, more)
			for len(events) > 0 {
				n := 1 + r.IntN(len(events))
				l.tell("crm", events[:n]...)
				events = events[n:]
				l.process()
			}
			return l.judgement(), l.snapshot()
		}
		open := storetest.SQLite
		if strings.HasSuffix(t.Name(), "postgres") {
			open = storetest.Postgres
		}
		judged, people := play(s, events)
		rounds := 2
		if s.Postgres() {
			rounds = 1 // each needs a database of its own
		}
		for range rounds {
			shuffled := append(slices.Clone(events), events[:20]...)
			r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			again, others := play(open(t), shuffled)
			if diff := cmp.Diff(judged, again); diff != "" {
				t.Fatalf("another order is judged otherwise (-first +shuffled):\n%s", diff)
			}
			if diff := cmp.Diff(people, others); diff != "" {
				t.Fatalf("another order gives other people (-first +shuffled):\n%s", diff)
			}
		}
	})
}

// TestSensitiveIsNotLogged: nothing that processing logs holds a value.
func TestSensitiveIsNotLogged(t *testing.T) {
	t.Parallel()
	l, _ := governed(t, storetest.SQLite(t), "governance: { traits: { bank: sensitive } }\n")
	var log strings.Builder
	l.processor.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.tell("crm", told{"order", l.now, `{"user":"a","bank":"DE89370400440532013000","total":"DE89370400440532013000","plan":{}}`})
	l.process()
	if strings.Contains(log.String(), "DE89") {
		t.Errorf("the log holds a value:\n%s", log.String())
	}
}
