package lifecycle

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const day = Instant(24 * 3600 * 1_000_000)

// start is an ordinary moment from which tests count.
var start = At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

var testVocabulary = Vocabulary{
	"Page:Viewed":           {Activity: true},
	"Newsletter:Subscribed": {Activity: true},
	"Product:Used":          {Activity: true},
	"Order:Completed":       {Activity: true},
	"Email:Opened":          {},
}

const classicPlan = `
name: classic
stages:
  - { name: Visit }
  - { name: Subscriber, when: seen("Newsletter:Subscribed") }
  - { name: Qualified Lead, when: seen("Demo:Requested") || traits.lead_score >= 50 }
  - { name: Customer, when: seen("Order:Completed") }
  - { name: Retained Customer, when: count("Order:Completed") >= 2 }
  - name: Churned
    side: true
    from: [Customer, Retained Customer]
    when: inactive("60d")
segments:
  at_risk: stage == "Customer" && inactive("30d")
  big: |
    sum("Order:Completed", "EUR") >= 1000
claims:
  crm: { mode: hold, for: 14d }
  loose: { mode: advance }
  quiet: { mode: ignore }
`

func mustPlan(t testing.TB, text string) *Plan {
	t.Helper()
	p, err := ParsePlan("plan.yaml", []byte(text), testVocabulary)
	if err != nil {
		t.Fatalf("ParsePlan: %v", err)
	}
	return p
}

func number(n int) (id EventID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// event makes one with an id that sorts by n.
func event(n int, at Instant, name EventName) Event {
	return Event{ID: number(n), Name: name, At: at, Connection: "site", Inbox: int64(n)}
}

// moves renders transitions for comparison: what happened, when, to what.
func moves(list []Transition) []string {
	var lines []string
	for _, tr := range list {
		line := string(tr.From) + " > " + string(tr.To) + " " + string(tr.Kind) + " " + tr.At.Time().Format("01-02 15:04:05.000000")
		for _, s := range tr.Entered {
			line += " +" + string(s)
		}
		for _, s := range tr.Exited {
			line += " -" + string(s)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestClassicStory(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	order := event(3, start+3*day, "Order:Completed")
	order.Value = &Money{Micros: 1_200_500_000, Currency: "EUR"}
	events := []Event{
		event(1, start, "Page:Viewed"),
		event(2, start+day, "Newsletter:Subscribed"),
		order,
		event(4, start+100*day, "Page:Viewed"),
		event(5, start+101*day, "Order:Completed"),
	}
	prof, got := p.Derive(7, events, start+102*day)
	want := []string{
		" > Visit forward 03-01 12:00:00.000000",
		"Visit > Subscriber forward 03-02 12:00:00.000000",
		"Subscriber > Customer skip 03-04 12:00:00.000000 +big",
		"Customer > Customer segments 04-03 12:00:00.000000 +at_risk",
		"Customer > Churned forward 05-03 12:00:00.000000 -at_risk",
		"Churned > Customer re-entry 06-09 12:00:00.000000",
		"Customer > Retained Customer forward 06-10 12:00:00.000000",
	}
	if diff := cmp.Diff(want, moves(got)); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Stage{"Qualified Lead"}, got[2].Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if prof.NextCheck != start+161*day {
		t.Errorf("next check %v, want 60 days after the last activity", prof.NextCheck.Time())
	}
	if diff := cmp.Diff([]Money{{1_200_500_000, "EUR"}}, p.Value(prof)); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
}

func TestLateEventLeavesTheProfileAlone(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	prof, _ := p.Derive(1, []Event{event(2, start, "Order:Completed")}, start+40*day)
	before, _ := prof.AppendBinary(nil)
	for name, e := range map[string]Event{
		"older than the newest event":              event(3, start-1, "Page:Viewed"),
		"same instant, smaller id":                 event(1, start, "Page:Viewed"),
		"the same event again":                     event(2, start, "Page:Viewed"),
		"older than a segment change by time":      event(3, start+29*day, "Page:Viewed"),
		"at the instant of a change by time alone": event(3, start+30*day, "Page:Viewed"),
	} {
		if _, err := p.Apply(prof, []Event{e}, start+41*day); !errors.Is(err, ErrLate) {
			t.Errorf("%s: got %v, want ErrLate", name, err)
		}
	}
	after, _ := prof.AppendBinary(nil)
	if string(before) != string(after) {
		t.Error("a refused event changed the profile")
	}
	if _, err := p.Apply(prof, []Event{event(3, start+30*day+1, "Page:Viewed")}, start+41*day); err != nil {
		t.Errorf("an event after the last change: %v", err)
	}
}

func TestPlanIsSharedByManyAtOnce(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	events := []Event{event(1, start, "Page:Viewed"), event(2, start+day, "Order:Completed")}
	want, _ := p.Derive(1, events, start+90*day)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				prof, _ := p.Derive(1, events, start+30*day)
				p.Advance(prof, start+90*day)
				if encoded(t, prof) != encoded(t, want) {
					t.Error("another outcome")
				}
				p.Explain(prof, start+90*day)
			}
		})
	}
	all.Wait()
}
