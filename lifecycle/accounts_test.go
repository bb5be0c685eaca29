package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

const accountsPlan = `
name: companies
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Churned, side: true, from: [Customer], when: 'idle("Order:Completed", "60d")' }
accounts:
  by: [group:crm, trait:tenant, domain]
  personal_domains: { add: [club.example.com], remove: [gmx.de] }
  stages:
    - { name: Known }
    - { name: Engaged, when: 'any(within("Demo:Requested", "30d")) || count(seen("Demo:Requested")) >= 2' }
    - { name: Client, when: 'any(was("Customer")) && sum("Order:Completed", "EUR") >= 1000.5' }
    - { name: Lost, when: 'all(stage == "Churned")' }
  segments:
    large: people >= 3
    quiet_client: 'stage == "Client" && !any(within("Product:Used", "14d"))'
`

func TestAccountPlanMistakesAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := ParsePlan("plan.yaml", []byte(`name: broken
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("A:B")' }
accounts:
  by: [company, "group:", domain, domain]
  personal_domains: { add: [nodot], delete: [x.example.com] }
  stages:
    - { name: Known }
    - { name: known, when: 'anyone(seen("A:B"))' }
    - { name: Two, when: 'seen("A:B")' }
    - { name: Three, when: 'any(sen("A:B"))' }
    - { name: Four, when: 'count("A:B") >= 2' }
    - { name: Five, when: 'stage == "Known"' }
    - { name: Six, when: 'people' }
    - { name: Seven, when: 'sum("A:B", "euro") > 1 && count(stage == "Nobody") > 1' }
    - { name: Eight, when: 'people > 1.5' }
    - { name: Nine, when: 'any(seen("A:B"), 2)' }
    - { name: Ten, when: 'any(' }
    - { name: Eleven }
  segments:
    s: 'stage == "Visit" || people >= count(true)'
  colour: red
`))
	var list document.Errors
	if !errors.As(err, &list) {
		t.Fatalf("got %v, want document.Errors", err)
	}
	want := []string{
		`plan.yaml:6:7: accounts.by: holds "company", want group, group:CONNECTION, trait:NAME or domain`,
		`plan.yaml:6:7: accounts.by: holds "group:"`,
		`plan.yaml:6:7: accounts.by: names domain twice`,
		`plan.yaml:7:28: accounts.personal_domains.add: holds "nodot", which is no domain`,
		`plan.yaml:7:37: accounts.personal_domains.delete: is not a field here`,
		`plan.yaml:10:15: accounts.stages[1].name: is the name of two stage of accounts`,
		`plan.yaml:10:29: accounts.stages[1].when: there is no function anyone about accounts`,
		`plan.yaml:11:27: accounts.stages[2].when: seen(…) is about a person; say of how many, as in any(seen(…))`,
		`plan.yaml:12:33: accounts.stages[3].when: there is no function sen; did you mean seen?`,
		`plan.yaml:13:28: accounts.stages[4].when: count(…) counts people, as in`,
		`plan.yaml:14:34: accounts.stages[5].when: the stage of an account is what is decided here`,
		`plan.yaml:15:27: accounts.stages[6].when: people is a number; compare it`,
		`plan.yaml:16:40: accounts.stages[7].when: wants a currency of three capital letters`,
		`plan.yaml:16:67: accounts.stages[7].when: there is no stage "Nobody" in this plan`,
		`plan.yaml:17:36: accounts.stages[8].when: wants a whole number here`,
		`plan.yaml:18:28: accounts.stages[9].when: any takes a condition about a person`,
		`plan.yaml:19:`,
		`plan.yaml:20:9: accounts.stages[11].when: is missing`,
		`plan.yaml:22:15: accounts.segments.s: accounts have no stage "Visit"`,
		`plan.yaml:22:36: accounts.segments.s: compares two things of the account`,
		`plan.yaml:23:3: accounts.colour: is not a field here`,
	}
	for i := range max(len(list), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("unexpected: %v", list[i])
		case i >= len(list):
			t.Errorf("missing: %s", want[i])
		case !strings.HasPrefix(list[i].Error(), want[i]):
			t.Errorf("got  %v\nwant %s", list[i], want[i])
		}
	}
}

func TestMemberFindsTheAccount(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, accountsPlan)
	for _, c := range []struct {
		name, account string
		events        []Event
	}{
		{"nothing known", "", []Event{traitsEvent(1)}},
		{"a company's address", "domain:example.com", []Event{traitsEvent(1, "email", "Ann@Example.COM.")}},
		{"a subdomain is another", "domain:eu.example.com", []Event{traitsEvent(1, "email", "ann@eu.example.com")}},
		{"an address given to anybody", "", []Event{traitsEvent(1, "email", "ann@gmail.com")}},
		{"one that the plan adds", "", []Event{traitsEvent(1, "email", "ann@club.example.com")}},
		{"one that the plan takes out", "domain:gmx.de", []Event{traitsEvent(1, "email", "ann@gmx.de")}},
		{"no domain", "", []Event{traitsEvent(1, "email", "ann@localhost")}},
		{"hostile domain", "", []Event{traitsEvent(1, "email", "ann@ex ample.com\x00")}},
		{"the vendor's company first", "group:crm:51", []Event{traitsEvent(1, "email", "ann@example.com", "tenant", "t1", "account_id:crm", int64(51))}},
		{"another vendor's company", "trait:tenant:t1", []Event{traitsEvent(1, "email", "ann@example.com", "tenant", "t1", "account_id:other", "51")}},
		{"the newest word", "group:crm:52", []Event{traitsEvent(2, "account_id:crm", "52"), traitsEvent(1, "account_id:crm", "51")}},
		{"taken away", "domain:example.com", []Event{traitsEvent(1, "account_id:crm", "51", "email", "ann@example.com"), traitsEvent(2, "account_id:crm", nil)}},
		{"a list is no id", "", []Event{traitsEvent(1, "account_id:crm", []any{"1"})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			prof, _ := p.Derive(1, c.events, start+day)
			if got := p.Member(prof, start+day).Account; got != c.account {
				t.Errorf("got %q, want %q", got, c.account)
			}
		})
	}
}

// traitsEvent tells traits, by name and value in turn.
func traitsEvent(n int, pairs ...any) Event {
	e := event(n, start+Instant(n), "Contact:Updated")
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Traits = append(e.Traits, Trait{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	return e
}

func TestGroupIsThatOfTheFirstConnection(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, strings.Replace(accountsPlan, "[group:crm, trait:tenant, domain]", "[group, domain]", 1))
	e := Event{Connection: "zeta", Traits: []Trait{{Name: TraitAccount, Value: "7"}}}
	WithAccountTraits(&e)
	want := []Trait{{Name: TraitAccount, Value: "7"}, {Name: "account_id:zeta", Value: "7"}}
	if diff := cmp.Diff(want, e.Traits); diff != "" {
		t.Error(diff)
	}
	prof, _ := p.Derive(1, []Event{traitsEvent(1, "account_id:zeta", "7"), traitsEvent(2, "account_id:alpha", nil), traitsEvent(3, "account_id:beta", "9")}, start+day)
	if got := p.Member(prof, start+day).Account; got != "group:beta:9" {
		t.Errorf("got %q", got)
	}
}

// TestAccountStateIsThatOfItsPeople adds and takes away people in any order and
// compares with what all who are left give at once.
func TestAccountStateIsThatOfItsPeople(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, accountsPlan)
	names := []EventName{"Order:Completed", "Demo:Requested", "Product:Used", "Page:Viewed"}
	rapid.Check(t, func(t *rapid.T) {
		now := start + Instant(rapid.IntRange(0, 120).Draw(t, "day"))*day
		var sum Tally
		var present []*Profile
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if len(present) > 0 && rapid.IntRange(0, 3).Draw(t, "leaves") == 0 {
				i := rapid.IntRange(0, len(present)-1).Draw(t, "who")
				sum = sum.Plus(p.Member(present[i], now).Tally, -1)
				present = slices.Delete(present, i, i+1)
				continue
			}
			events := []Event{traitsEvent(0, "email", "x@example.com")}
			for n := range rapid.IntRange(0, 5).Draw(t, "events") {
				e := event(n+1, start+Instant(rapid.IntRange(0, 100).Draw(t, "at"))*day, rapid.SampledFrom(names).Draw(t, "name"))
				e.Value = &Money{Micros: int64(rapid.IntRange(-100, 900).Draw(t, "money")) * 1e6, Currency: "EUR"}
				if e.At <= now {
					events = append(events, e)
				}
			}
			prof, _ := p.Derive(1, events, now)
			present = append(present, prof)
			sum = sum.Plus(p.Member(prof, now).Tally, 1)
		}
		b, err := sum.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if sum, err = DecodeTally(b); err != nil {
			t.Fatal(err)
		}
		got, settled := p.AccountState(int64(len(present)), sum)
		if !settled {
			t.Fatal("not settled")
		}
		if diff := cmp.Diff(bruteAccount(present, now), fmt.Sprint(got.Stage, got.Segments)); diff != "" {
			t.Fatal(diff)
		}
		x := p.ExplainAccount(int64(len(present)), sum)
		if diff := cmp.Diff(got, x.AccountState); diff != "" {
			t.Fatal(diff)
		}
	})
}

// bruteAccount says what accountsPlan means, from the people themselves.
func bruteAccount(people []*Profile, now Instant) string {
	within := func(prof *Profile, name EventName, span Instant) bool {
		f := prof.Fact(name)
		return f.Count > 0 && f.Last+span > now
	}
	stage, segments := "Known", []string{}
	demos, lost, used, wasCustomer, fresh, micros := 0, 0, false, false, false, int64(0)
	for _, prof := range people {
		if prof.Fact("Demo:Requested").Count > 0 {
			demos++
		}
		fresh = fresh || within(prof, "Demo:Requested", 30*day)
		used = used || within(prof, "Product:Used", 14*day)
		wasCustomer = wasCustomer || prof.visit("Customer") != nil
		if prof.Stage == "Churned" {
			lost++
		}
		for _, m := range prof.Fact("Order:Completed").Sums {
			micros += m.Micros
		}
	}
	if fresh || demos >= 2 {
		stage = "Engaged"
	}
	if wasCustomer && micros >= 1000_500_000 {
		stage = "Client"
	}
	if len(people) > 0 && lost == len(people) {
		stage = "Lost"
	}
	if len(people) >= 3 {
		segments = append(segments, "large")
	}
	if stage == "Client" && !used {
		segments = append(segments, "quiet_client")
	}
	return fmt.Sprint(stage, segments)
}

// What time alone changes of a person is announced: between now and the next
// check nothing that the account counts differs.
func TestMemberSaysWhenTimeChangesIt(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, accountsPlan)
	events := []Event{traitsEvent(0, "email", "x@example.com"), event(1, start+day, "Demo:Requested"), event(2, start+2*day, "Product:Used")}
	now := start + 2*day
	for _, want := range []Instant{start + 16*day, start + 31*day, 0} {
		prof, _ := p.Derive(1, events, now)
		m := p.Member(prof, now)
		if m.NextCheck != want {
			t.Fatalf("at day %d: the next check is at %d, want %d", (now-start)/day, m.NextCheck, want)
		}
		if want == 0 {
			break
		}
		if diff := cmp.Diff(m.Tally, p.Member(prof, want-1).Tally); diff != "" {
			t.Errorf("something changed before its time:\n%s", diff)
		}
		if cmp.Equal(m.Tally, p.Member(prof, want).Tally) {
			t.Error("nothing changed at its time")
		}
		now = want
	}
}

// People measured under another plan leave an account undecided.
func TestAccountWaitsForAllItsPeople(t *testing.T) {
	t.Parallel()
	old := mustPlan(t, accountsPlan)
	fresh := mustPlan(t, strings.Replace(accountsPlan, "people >= 3", `count(seen("Order:Completed")) >= 1`, 1))
	prof, _ := old.Derive(1, []Event{traitsEvent(1, "email", "x@example.com")}, start+day)
	sum := old.Member(prof, start+day).Tally
	if _, settled := fresh.AccountState(1, sum); settled {
		t.Error("decided by numbers of another plan")
	}
	sum = sum.Plus(old.Member(prof, start+day).Tally, -1).Plus(fresh.Member(prof, start+day).Tally, 1)
	if _, settled := fresh.AccountState(1, sum); !settled || len(sum) != 1 {
		t.Errorf("not decided, or something is left of the old plan: %v", sum)
	}
	if !fresh.NeedsDerive(old) {
		t.Error("another plan of accounts asks for nobody to be measured anew")
	}
}

func FuzzDecodeTally(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 2, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		tally, err := DecodeTally(b)
		if err != nil {
			return
		}
		back, err := tally.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeTally(back)
		if err != nil || !slices.Equal(tally, again) {
			t.Fatalf("%v became %v (%v)", tally, again, err)
		}
	})
}
