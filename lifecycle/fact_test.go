package lifecycle

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFacts(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `
name: facts
stages: [ { name: Visit } ]
segments:
  thrice: at_least("Order:Completed", 3, "9d")
`)
	var events []Event
	for i, amount := range []int64{10, -3, 5, math.MaxInt64} {
		e := event(i+1, start+Instant(i)*day, "Order:Completed")
		e.Value = &Money{amount, []string{"EUR", "EUR", "CHF", "EUR"}[i]}
		events = append(events, e)
	}
	events = append(events, event(9, start+5*day, "Page:Viewed"))
	events[4].Connection = "other"
	prof, _ := p.Derive(3, events, start+6*day)
	want := []Fact{
		{
			Name: "Order:Completed", Count: 4, First: start, Last: start + 3*day,
			Sums:   []Money{{5, "CHF"}, {math.MaxInt64, "EUR"}},
			Newest: []Instant{start + day, start + 2*day, start + 3*day},
		},
		{Name: "Page:Viewed", Count: 1, First: start + 5*day, Last: start + 5*day},
	}
	if diff := cmp.Diff(want, slices.Collect(prof.Facts())); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if prof.Source != "site" || prof.FirstSeen != start || prof.LastSeen != start+5*day || prof.Events != 5 || prof.LastActivity != start+5*day {
		t.Errorf("source %q, seen %v to %v, %d events", prof.Source, prof.FirstSeen, prof.LastSeen, prof.Events)
	}
	if got := p.Value(prof); cmp.Diff(want[0].Sums, got) != "" {
		t.Errorf("value %v", got)
	}
}

func TestTraitsLastWriterWins(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	write := func(n int, at Instant, traits ...Trait) Event {
		e := event(n, at, "Contact:Updated")
		e.Traits = traits
		return e
	}
	mail := func(n int, at Instant, address string, traits ...Trait) Event {
		e := write(n, at, traits...)
		e.Identity = []Key{{"user", "7"}, {NamespaceEmail, address}, {NamespaceEmail, "second@example.com"}}
		return e
	}
	for name, c := range map[string]struct {
		events []Event
		trait  string
		want   TraitState
	}{
		"the newer": {
			[]Event{write(1, start, Trait{"a", "x", 0}), write(2, start+day, Trait{"a", "y", 0})},
			"a", TraitState{"a", "y", start + day, number(2), start + day},
		},
		"a record that is older than the event": {
			[]Event{write(1, start, Trait{"a", "x", 0}), write(2, start+day, Trait{"a", "y", start - 1})},
			"a", TraitState{"a", "x", start, number(1), start},
		},
		"equal times, greater id": {
			[]Event{write(1, start, Trait{"a", "x", 0}), write(2, start+day, Trait{"a", "y", start})},
			"a", TraitState{"a", "y", start, number(2), start},
		},
		"the same value keeps its since": {
			[]Event{write(1, start, Trait{"a", "7", 0}), write(2, start+day, Trait{"a", int64(7), 0})},
			"a", TraitState{"a", int64(7), start + day, number(2), start},
		},
		"a removal is remembered": {
			[]Event{write(1, start, Trait{"a", nil, 0}), write(2, start+day, Trait{"a", "old", start - day})},
			"a", TraitState{"a", nil, start, number(1), start},
		},
		"twice in one event": {
			[]Event{write(1, start, Trait{"a", "x", 0}, Trait{"a", "y", 0})},
			"a", TraitState{"a", "y", start, number(1), start},
		},
		"an address among the keys": {
			[]Event{mail(1, start, "ann@example.com")},
			"email", TraitState{"email", "ann@example.com", start, number(1), start},
		},
		"a rule's own email decides": {
			[]Event{mail(1, start, "ann@example.com", Trait{"email", "work@example.com", 0})},
			"email", TraitState{"email", "work@example.com", start, number(1), start},
		},
		"unless its record is older": {
			[]Event{mail(1, start, "ann@example.com", Trait{"email", "work@example.com", start - 1})},
			"email", TraitState{"email", "ann@example.com", start, number(1), start},
		},
	} {
		prof, _ := p.Derive(1, c.events, start+9*day)
		i, _ := prof.findTrait(c.trait)
		if diff := cmp.Diff(c.want, prof.traits[i]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEffective(t *testing.T) {
	t.Parallel()
	keyed := func(n int, at Instant, connection string, name EventName, key string) Event {
		e := event(n, at, name)
		e.Connection, e.BusinessKey = connection, key
		return e
	}
	list := []Event{
		keyed(9, start+day, "stripe", "Order:Completed", "1"),
		keyed(2, start+2*day, "segment", "Order:Completed", "1"),
		keyed(3, start+2*day, "segment", "Order:Completed", "2"),
		keyed(4, start+2*day, "segment", "Deal:Won", "1"),
		keyed(8, start+3*day, "beta", "Deal:Lost", "1"),
		keyed(5, start+3*day, "gamma", "Deal:Lost", "1"),
		event(7, start, "Page:Viewed"),
		event(7, start, "Page:Viewed"),
		event(6, start, "Page:Viewed"),
	}
	given := slices.Clone(list)
	var got []int
	for _, e := range Effective(list) {
		got = append(got, int(e.ID[7]))
	}
	if diff := cmp.Diff([]int{6, 7, 9, 3, 4, 8}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(given, list); diff != "" {
		t.Errorf("the events given were changed:\n%s", diff)
	}
	if got := Effective(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, claimsPlan)
	_, list := p.Derive(1, []Event{
		event(1, start, "Page:Viewed"),
		claimBy(2, start+1*day, "crm-eu", "Customer"),
		claimBy(3, start+2*day, "crm-eu", "Lead"),
		claimBy(4, start+3*day, "crm-eu", "Opportunity"),
		claimBy(5, start+4*day, "crm-eu", "Dormant"),
		claimBy(6, start+5*day, "crm-eu", "Lead"),
		claimBy(7, start+6*day, "crm-eu", "Fan"),
		claimBy(8, start+7*day, "crm-eu", "Dormant"),
	}, start+9*day)
	want := []Kind{KindForward, KindSkip, KindBack, KindForward, KindForward, KindReEntry, KindSkip, KindReEntry}
	var got []Kind
	for _, tr := range list {
		got = append(got, tr.Kind)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, moves(list))
	}
	if diff := cmp.Diff([]Stage{"Opportunity", "Customer"}, list[6].Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestVisits(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, claimsPlan)
	prof, _ := p.Derive(1, []Event{
		event(1, start, "Page:Viewed"),
		claimBy(2, start+1*day, "crm-eu", "Fan"),
		claimBy(3, start+3*day, "crm-eu", "Lead"),
		claimBy(4, start+4*day, "crm-eu", "Fan"),
		claimBy(5, start+8*day, "crm-eu", "Lead"),
	}, start+9*day)
	want := []Visit{
		{Stage: "Lead", Count: 3, First: start, Last: start + 8*day, Left: start + 4*day, Total: int64(2 * day)},
		{Stage: "Fan", Count: 2, First: start + day, Last: start + 4*day, Left: start + 8*day, Total: int64(6 * day)},
	}
	if diff := cmp.Diff(want, slices.Collect(prof.Visits())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
