package live

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// at reads a day, or a day and a time, in UTC.
func at(t *testing.T, text string) lifecycle.Instant {
	t.Helper()
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if when, err := time.Parse(layout, text); err == nil {
			return lifecycle.At(when)
		}
	}
	t.Fatalf("%q is no time", text)
	return 0
}

// told makes people from a story, a line for each thing:
//
//	1 2026-01-05 Order:Completed 10.50 EUR @shop order=7   an event (_ is a space)
//	1 2026-01-05 -> Customer                               a move
//	1 trait plan=team                                      a trait
//	1 in at_risk                                           a segment
//	1 2026-01-05 academy -> Student                        a move in a further lifecycle
func told(t *testing.T, story string) []summary.Person {
	t.Helper()
	people := map[int]*summary.Person{}
	for line := range strings.Lines(story) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		id := 0
		if _, err := fmt.Sscan(words[0], &id); err != nil {
			t.Fatalf("%q: no person", line)
		}
		p := people[id]
		if p == nil {
			p = &summary.Person{ID: lifecycle.ProfileID(id)}
			people[id] = p
		}
		rest := strings.Join(words[2:], " ")
		switch {
		case words[1] == "trait":
			name, value, _ := strings.Cut(rest, "=")
			p.Traits = append(p.Traits, summary.Trait{Name: name, Value: value})
		case words[1] == "in":
			p.Segments = append(p.Segments, lifecycle.Segment(rest))
		case words[2] == "->":
			p.Moves = append(p.Moves, summary.Move{Stage: lifecycle.Stage(strings.TrimPrefix(rest, "-> ")), At: at(t, words[1])})
		case len(words) > 4 && words[3] == "->":
			m := summary.Move{Stage: lifecycle.Stage(strings.Join(words[4:], " ")), At: at(t, words[1])}
			if i := slices.IndexFunc(p.Courses, func(c summary.Course) bool { return c.Lifecycle == words[2] }); i >= 0 {
				p.Courses[i].Moves = append(p.Courses[i].Moves, m)
			} else {
				p.Courses = append(p.Courses, summary.Course{Lifecycle: words[2], Moves: []summary.Move{m}})
			}
		default:
			p.Events = append(p.Events, happened(t, words))
		}
	}
	list := make([]summary.Person, 0, len(people))
	for _, p := range people {
		slices.SortStableFunc(p.Events, func(a, b summary.Event) int { return cmp.Compare(a.At, b.At) })
		if len(p.Events) > 0 {
			p.Source, p.FirstSeen, p.LastSeen = p.Events[0].Connection, p.Events[0].At, p.Events[len(p.Events)-1].At
		}
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b summary.Person) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func happened(t *testing.T, words []string) summary.Event {
	t.Helper()
	e := summary.Event{At: at(t, words[1]), Name: lifecycle.EventName(words[2]), Connection: "crm"}
	for i, w := range words[3:] {
		name, value, property := strings.Cut(w, "=")
		switch {
		case property:
			e.Properties = append(e.Properties, summary.Property{Name: name, Value: strings.ReplaceAll(value, "_", " ")})
		case strings.HasPrefix(w, "@"):
			e.Connection = w[1:]
		case i == 0:
			x, ok := new(big.Rat).SetString(w)
			if !ok {
				t.Fatalf("%q is no amount", w)
			}
			e.Amount.Micros = new(big.Int).Quo(x.Mul(x, big.NewRat(1e6, 1)).Num(), x.Denom()).Int64()
		case i == 1:
			e.Amount.Currency = w
		}
	}
	slices.SortFunc(e.Properties, func(a, b summary.Property) int { return cmp.Compare(a.Name, b.Name) })
	return e
}

// options reads options given as "name:value name:value", + a space; now is the end of
// observation, 2027 unless said.
func options(t *testing.T, text string) Options {
	t.Helper()
	given := map[string]string{"now": "2027-01-01"}
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, ":")
		given[name] = strings.ReplaceAll(value, "+", " ")
	}
	o, err := ParseOptions(func(name string) string { return given[name] })
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	o.Now = at(t, given["now"])
	return o
}

// classic gives the plan of that name, which takes longer to parse than most
// tests do.
var classic = sync.OnceValue(func() *lifecycle.Plan { return plans.MustParse("classic") })

// answer computes a report of people, with the plan classic.
func answer(t *testing.T, name, text string, people []summary.Person) *Report {
	t.Helper()
	r, err := count(classic(), name, options(t, text), people)
	if err != nil {
		t.Fatalf("%s %s: %v", name, text, err)
	}
	return r
}

// count runs a counter over people as Run does over those stored.
func count(plan *lifecycle.Plan, name string, o Options, people []summary.Person) (*Report, error) {
	i := slices.IndexFunc(Reports(), func(x Info) bool { return x.Name == name })
	if i < 0 {
		return nil, ErrUnknown
	}
	if err := o.fillStages(plan); err != nil {
		return nil, err
	}
	if err := o.under(plan); err != nil {
		return nil, err
	}
	o.fill()
	c := Reports()[i].make(plan, &o)
	r := &Report{Name: name, Notes: []string{}, Tables: []Table{}}
	for i := range people {
		p := people[i]
		p.Events = slices.Clone(p.Events) // the filter by connection cuts the list in place
		if err := o.one(c, r, &p); err != nil {
			return nil, err
		}
	}
	o.sayZone(r)
	return r, c.report(context.Background(), r)
}

// noted fails where no note has a text.
func noted(t *testing.T, r *Report, text string) {
	t.Helper()
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, text) }) {
		t.Errorf("%s: no note says %q:\n%s", r.Name, text, strings.Join(r.Notes, "\n"))
	}
}

// rowOf gives the first row of a table that begins with a text.
func rowOf(t *testing.T, r *Report, title, first string) []string {
	t.Helper()
	for _, table := range r.Tables {
		if strings.HasPrefix(table.Title, title) {
			for _, row := range table.Rows {
				if row[0] == first {
					return row
				}
			}
		}
	}
	t.Fatalf("%s: no table %q with a row %q: %+v", r.Name, title, first, r.Tables)
	return nil
}

func near(a, b, within float64) bool { return a-b <= within && b-a <= within }
