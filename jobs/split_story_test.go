package jobs_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// splitPlan has one of everything that an engine remembers of a person.
const splitPlan = `
name: split
stages:
  - { name: Visit }
  - { name: Subscriber, when: 'seen("Newsletter:Subscribed")' }
  - { name: Lead, when: 'seen("Demo:Requested") || traits.lead_score >= 70' }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Regular, when: 'count("Order:Completed") >= 3' }
  - { name: Gone, side: true, from: [Customer, Regular], when: 'inactive("20d")' }
segments:
  buyers: 'sum("Order:Completed", "EUR") >= 300'
  readers: 'within("Newsletter:Subscribed", "30d")'
  quiet: 'idle("Order:Completed", "15d") && stage != "Gone"'
lifecycles:
  course:
    events: ['Newsletter:*', 'Demo:*']
    stages:
      - { name: Reader }
      - { name: Student, when: 'seen("Demo:Requested")' }
claims: { crm: { mode: hold, for: 9d } }
back: [ { from: Lead, policy: after 3d } ]
`

const splitRules = `
rules:
  - { name: news, type: news, emit: { event: "Newsletter:Subscribed", identity: { user: body.user, email: body.email, anonymous: body.device } } }
  - { name: demo, type: demo, emit: { event: "Demo:Requested", identity: { user: body.user, email: body.email, anonymous: body.device }, traits: { lead_score: body.score, company: body.company } } }
  - name: order
    type: order
    emit: { event: "Order:Completed", key: body.order, identity: { user: body.user, email: body.email, anonymous: body.device }, value: { amount: body.amount, currency: "'EUR'" } }
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", stage: body.stage, identity: { user: body.user, email: body.email, anonymous: body.device } } }
  - { name: praise, type: praise, emit: { event: "Review:Posted", identity: { user: body.user, email: body.email, anonymous: body.device } } }
`

// splitStory is what happens to a few people, some of which names two of them,
// so that they are joined, and ought not to.
type splitStory struct {
	r      *rand.Rand
	size   int
	byHand bool                // all joins are decisions: each person has a user id
	own    [][]string          // of each person the fields of each key
	of     map[string]int      // whose a key is, by its text
	first  []told              // names all keys of a person at the earliest
	events [][]told            // about each person
	cross  map[string][2]told  // by the names of two: what tells of both, and what is left of it when they are parted
	pins   [][]lifecycle.Event // of each person
	drawn  int
}

func (s *splitStory) field(i int, name string) string {
	values := map[string]string{"user": fmt.Sprintf("u%d", i), "email": fmt.Sprintf("p%d@example.com", i), "email2": fmt.Sprintf("q%d@example.com", i), "device": fmt.Sprintf("d%d", i)}
	return fmt.Sprintf("%q:%q", strings.TrimSuffix(name, "2"), values[name])
}

// at draws a time of its own within ninety days, so that ids decide nothing.
func (s *splitStory) at() time.Time {
	s.drawn++
	return time.Date(2025, 12, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(s.r.IntN(88*24))*time.Hour + time.Duration(s.drawn)*time.Second)
}

func (s *splitStory) draw(fields string) told {
	stages := []string{"Subscriber", "Lead", "Customer", "Elsewhere"}
	r := s.r
	return told{[]string{"news", "demo", "order", "order", "claim", "praise"}[r.IntN(6)], s.at(),
		fmt.Sprintf(`{%s,"order":"o%d","amount":"%d.%02d","score":%d,"company":"c%d","stage":%q}`, fields, r.IntN(6), r.IntN(300), r.IntN(100), r.IntN(100), r.IntN(5), stages[r.IntN(4)])}
}

func newSplitStory(r *rand.Rand) *splitStory {
	s := &splitStory{r: r, size: 2 + r.IntN(2), byHand: r.IntN(2) == 0, of: map[string]int{}, cross: map[string][2]told{}}
	for i := range s.size {
		own := []string{"email", "device"}
		if s.byHand || i == 0 {
			own = []string{"user", "email", "device"}
		}
		all := make([]string, len(own))
		for j, name := range own {
			all[j] = s.field(i, name)
		}
		start := time.Date(2025, 12, 1, i, 0, 0, 0, time.UTC)
		s.first = append(s.first, told{"news", start, "{" + strings.Join(all, ",") + "}"})
		if r.IntN(2) == 0 {
			own = append(own, "email2")
		}
		var events []told
		for range 4 + r.IntN(10) {
			// An address that is not the first comes with what it belongs to.
			fields := all[r.IntN(len(all))]
			if own[len(own)-1] == "email2" && r.IntN(3) == 0 {
				fields = all[len(all)-1] + "," + s.field(i, "email2")
			}
			events = append(events, s.draw(fields))
		}
		s.own, s.events = append(s.own, own), append(s.events, events)
		var pins []lifecycle.Event
		if r.IntN(3) == 0 {
			at := lifecycle.At(s.at())
			e := lifecycle.PinEvent(lifecycle.EventID{byte(i + 1), 7}, at, "Lead", "said so", at.Add(240*time.Hour))
			e.Identity = []lifecycle.Key{{Namespace: "email", Value: fmt.Sprintf("p%d@example.com", i)}}
			pins = append(pins, e)
		}
		s.pins = append(s.pins, pins)
		for ns, value := range map[string]string{"user": "u%d", "email": "p%d@example.com", "anonymous": "d%d"} {
			s.of[ns+":"+fmt.Sprintf(value, i)] = i
		}
		s.of[fmt.Sprintf("email:q%d@example.com", i)] = i
	}
	return s
}

// tells makes news that names two people, and the same naming the one whose it
// is when the two are parted: the anchor's.
func (s *splitStory) tells(i, j int) (both, left told) {
	i, j = min(i, j), max(i, j)
	one := "email"
	if i == 0 {
		one = "user"
	}
	fields := s.field(i, one)
	both = s.draw(`"device":null`)
	left = both
	second := s.field(j, "email")
	if one == "email" {
		// Two addresses are a list; the first in order is the anchor.
		second = ""
		fields = fmt.Sprintf(`"email":["p%d@example.com","p%d@example.com"]`, i, j)
	}
	both.Body = strings.Replace(both.Body, `"device":null`, strings.Trim(fields+","+second, ","), 1)
	left.Body = strings.Replace(left.Body, `"device":null`, s.field(i, one), 1)
	return both, left
}

// standings tells all about everybody but what the decisions themselves leave:
// numbers, and that others are to be looked at when these are.
func (l *lab) standings() map[string]string {
	l.t.Helper()
	all := map[string]string{}
	lists := map[string][]string{}
	err := l.store.EachPerson(l.t.Context(), func(p *store.Person) error {
		plain := *p
		plain.Contested = 0
		prof, err := lifecycle.DecodeProfile(p.State)
		if err != nil {
			return err
		}
		var b strings.Builder
		fmt.Fprintln(&b, describe(l.t, &plain))
		for c := range prof.Claims() {
			fmt.Fprintln(&b, "claim", c.Connection, c.Stage, c.At)
		}
		for c := range prof.Conflicts() {
			fmt.Fprintln(&b, "conflict", c.Stage, c.At, c.Reason, c.Won, c.By)
		}
		listed, err := l.store.Conflicts(l.t.Context(), store.ConflictFilter{Person: p.ID})
		fmt.Fprintln(&b, len(listed.Conflicts), "conflicts listed")
		l.timeline(&b, p.ID)
		all[p.Keys[0]] = b.String()
		for _, m := range prof.Segments {
			lists[string(m.Name)] = append(lists[string(m.Name)], p.Keys[0])
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	for _, name := range []string{"buyers", "readers", "quiet"} {
		page, err := l.store.People(l.t.Context(), store.PeopleFilter{Segment: lifecycle.Segment(name), Limit: 200})
		if err != nil {
			l.t.Fatal(err)
		}
		var listed []string
		for _, p := range page.People {
			listed = append(listed, p.Keys[0])
		}
		slices.Sort(listed)
		slices.Sort(lists[name])
		if !slices.Equal(listed, lists[name]) {
			l.t.Errorf("listed in %s are %v, profiles say %v", name, listed, lists[name])
		}
	}
	counters, err := l.store.Counters(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	var counts []string
	for name, n := range counters[""] {
		if n != 0 && (name == "people" || strings.HasPrefix(name, "stage:") || strings.HasPrefix(name, "segment:") || strings.HasPrefix(name, "lifecycle")) {
			counts = append(counts, fmt.Sprint(name, "=", n))
		}
	}
	slices.Sort(counts)
	all["counters"] = strings.Join(counts, "\n")
	return all
}

// timeline writes a person's events and history, without numbers.
func (l *lab) timeline(b *strings.Builder, id lifecycle.ProfileID) {
	l.t.Helper()
	names := map[string]string{}
	var lines []string
	for after := ""; ; {
		items, next, err := l.store.Timeline(l.t.Context(), id, after, 7)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, it := range items {
			switch {
			case it.Event != nil && it.Event.Name != lifecycle.EventSplit && it.Event.Name != lifecycle.EventJoined:
				e := it.Event
				names[e.ID.String()] = fmt.Sprint(e.Name, " of ", e.At)
				lines = append(lines, fmt.Sprint(e.At, " event ", e.Name, " ", e.BusinessKey, " ", e.Value, " ", e.Claim, " ", e.Traits, " ", e.Connection))
			case it.Move != nil && it.Move.History:
				m := it.Move
				lines = append(lines, fmt.Sprint(m.At, " move ", m.Lifecycle, " ", m.From, " to ", m.To, " ", m.Kind, " ", m.Cause.Condition, " ", m.Cause.Entered, m.Cause.Exited, m.Cause.Skipped, " by ", m.Cause.Event))
			}
		}
		if after = next; after == "" {
			break
		}
	}
	for _, line := range lines {
		for id, name := range names {
			line = strings.ReplaceAll(line, id, name)
		}
		fmt.Fprintln(b, line)
	}
}

// newSplitLab is a lab with plan and rules of these stories.
func newSplitLab(t *testing.T, s *store.Store) (*lab, *jobs.Admin) {
	t.Helper()
	l := newLab(t, s)
	if _, err := s.PublishPlan(t.Context(), 0, store.Versioned{Source: splitPlan}); err != nil {
		t.Fatal(err)
	}
	l.connect("crm", connectors.PushConfig{Enabled: true})
	if _, err := s.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: splitRules}); err != nil {
		t.Fatal(err)
	}
	if err := l.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l, &jobs.Admin{Registry: l.registry}
}

// apart is what becomes of everybody where nobody ever was joined.
func (s *splitStory) apart(t *testing.T, fresh *store.Store, crosses []told) map[string]string {
	t.Helper()
	l, admin := newSplitLab(t, fresh)
	l.tell("crm", slices.Concat(append(s.events, s.first, crosses)...)...)
	l.process()
	if pins := slices.Concat(s.pins...); len(pins) > 0 {
		if err := admin.DecideAs(t.Context(), pins); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.processor.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l.standings()
}

// names lists who there is, for a failure to be read.
func names(all map[string]string) []string { return slices.Sorted(maps.Keys(all)) }
