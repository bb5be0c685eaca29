package lifecycle

import (
	"strings"
	"testing"
)

const leadPlan = `
name: leads
scores:
  lead_score:
    about: How warm a lead is
    half_life: 30d
    min: 0
    max: 100
    events:
      Demo:Requested: 40
      Email:Opened: { points: 2, most: 6 }
      Email:Complained: -50
    traits:
      traits.country == "DE": 10
  fit:
    events: { "Demo:Requested": 1.5 }
    traits:
      - { when: 'traits.country in ["DE", "AT"] && within("Demo:Requested", "7d")', points: 20 }
stages:
  - { name: Visit }
  - { name: Qualified Lead, when: traits.lead_score >= 45 }
segments:
  hot: traits.lead_score >= 30
  fits: traits.fit in [2, 22]
`

func leads(t *testing.T) *Plan {
	t.Helper()
	p, err := ParsePlan("plan.yaml", []byte(leadPlan))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func demo(n int, at Instant, name EventName, country string) Event {
	e := event(n, at, name)
	e.Connection, e.Inbox = "shop", int64(n)
	if country != "" {
		e.Traits = []Trait{{Name: "country", Value: country}}
	}
	return e
}

func TestScoreOfALead(t *testing.T) {
	t.Parallel()
	p, day := leads(t), scoreSpan
	events := []Event{demo(1, start, "Demo:Requested", "")}
	prof, _ := p.Derive(1, events, start)
	if prof.Stage != "Visit" || !prof.In("hot") || !prof.In("fits") || prof.Trait("lead_score") != any(int64(40)) || prof.Trait("fit") != any(int64(2)) {
		t.Fatalf("after the demo: %s %v %v", prof.Stage, prof.SegmentNames(), prof.Values())
	}
	// 40 points are less than 29.5 after 13.18 days.
	var left Instant
	for _, m := range p.Advance(prof, start+20*day) {
		for _, s := range m.Exited {
			if s == "hot" {
				left = m.At
			}
		}
	}
	if days := float64(left-start) / float64(day); days < 13.17 || days > 13.19 {
		t.Errorf("left hot after %.4f days", days)
	}
	if prof.Trait("lead_score") != any(int64(25)) {
		t.Errorf("after 20 days the trait is %v, want 25", prof.Trait("lead_score"))
	}

	// A trait of the name that a vendor tells is not the score.
	events = append(events, demo(2, start+30*day, "Contact:Updated", "DE"))
	events[1].Traits = append(events[1].Traits, Trait{Name: "lead_score", Value: int64(99)})
	for i := range 5 {
		events = append(events, demo(3+i, start+30*day, "Email:Opened", ""))
	}
	prof, _ = p.Derive(1, events, start+30*day)
	if prof.Trait("lead_score") != any(int64(36)) { // 20 of the demo, 6 of mails, 10 of the country
		t.Errorf("after 30 days: %v, want 36", prof.Trait("lead_score"))
	}
	x := p.Explain(prof, start+60*day)
	if len(x.Scores) != 2 || x.Scores[0].Value != 23 || x.Scores[0].Points != 23 || x.Scores[0].Told != 23 || x.Scores[0].Next == 0 || len(x.Scores[0].Parts) != 4 {
		t.Fatalf("explained as %+v", x.Scores)
	}
	for i, want := range []ScorePart{
		{Event: "Demo:Requested", Points: 40, Worth: 10, Count: 1, Last: start},
		{Event: "Email:Complained", Points: -50},
		{Event: "Email:Opened", Points: 2, Worth: 3, Count: 5, Last: start + 30*day},
		{Condition: `traits.country == "DE"`, Points: 10, Worth: 10, Holds: true},
	} {
		got := x.Scores[0].Parts[i]
		got.Why = nil
		if got != want {
			t.Errorf("part %d: %+v, want %+v", i, got, want)
		}
	}
	if fit := x.Scores[1]; fit.Value != 2 || fit.Points != 1.5 || fit.Next != 0 {
		t.Errorf("fit: %+v", fit)
	}

	// No score leaves its bounds, and what pulled it below fades as well.
	events = append(events, demo(9, start+61*day, "Email:Complained", ""))
	prof, _ = p.Derive(1, events, start+61*day)
	if prof.Trait("lead_score") != any(int64(0)) {
		t.Errorf("after the complaint: %v", prof.Trait("lead_score"))
	}
	p.Advance(prof, start+800*day)
	if prof.Trait("lead_score") != any(int64(10)) || prof.NextCheck != 0 {
		t.Errorf("at the end: %v, next check %d", prof.Trait("lead_score"), prof.NextCheck)
	}
}

// The trait of a score that fades changes at most once a day by itself, and each
// time by what has become of it meanwhile.
func TestScoreTraitFollowsOnceADay(t *testing.T) {
	t.Parallel()
	p, day := leads(t), scoreSpan
	prof, _ := p.Derive(1, []Event{demo(1, start, "Demo:Requested", "")}, start)
	changes := 0
	for at, last := start, any(int64(40)); at < start+400*day; at += day / 4 {
		p.Advance(prof, at)
		x := p.Explain(prof, at).Scores[0]
		now := prof.Trait("lead_score")
		if now != last {
			changes++
			if at-x.ToldAt >= day/4 {
				t.Fatalf("day %d: set at another time than seen", (at-start)/day)
			}
		}
		if x.Value != x.Told && at-x.ToldAt >= day {
			t.Fatalf("day %d: the trait is %d for more than a day while the score is %d", (at-start)/day, x.Told, x.Value)
		}
		last = now
	}
	if changes != 40 {
		t.Errorf("%d changes on the way from 40 to 0", changes)
	}
}

func TestScoreMistakes(t *testing.T) {
	t.Parallel()
	const stages = "stages:\n  - { name: Visit }\n  - { name: Lead, when: '%' }\n"
	const score = "scores: { heat: { events: { \"A:Done\": 1 } } }\n"
	for name, c := range map[string]struct{ scores, when, want string }{
		"text":          {score, `traits.heat >= "5"`, "compared with whole numbers only"},
		"fraction":      {score, `traits.heat >= 5.5`, "compared with whole numbers only"},
		"two":           {score, `traits.heat >= traits.other`, "a whole number only"},
		"list":          {score, `traits.heat in [1, "2"]`, "whole numbers only"},
		"alone":         {score, `traits.heat`, "is a score of this plan"},
		"member":        {score, `traits.heat.x > 1`, "which is a number"},
		"date":          {score, `after(traits.heat)`, "is a score of this plan"},
		"has been":      {score, `has_been("heat", 5, "1d")`, "is a score of this plan"},
		"name":          {"scores: { Heat!: { events: { \"A:Done\": 1 } } }\n", "true", "is the name of a trait"},
		"taken":         {"scores: { email: { events: { \"A:Done\": 1 } } }\n", "true", "a meaning of its own"},
		"nothing":       {"scores: { heat: { about: x } }\n", "true", "gives no points"},
		"zero":          {"scores: { heat: { events: { \"A:Done\": 0 } } }\n", "true", "not 0"},
		"too many":      {"scores: { heat: { events: { \"A:Done\": 1e9 } } }\n", "true", "out of range"},
		"most":          {"scores: { heat: { events: { \"A:Done\": { points: 5, most: 3 } } } }\n", "true", "at least the points of one"},
		"bounds":        {"scores: { heat: { min: 5, max: 5, events: { \"A:Done\": 1 } } }\n", "true", "more than min"},
		"half-life":     {"scores: { heat: { half_life: soon, events: { \"A:Done\": 1 } } }\n", "true", "not a duration"},
		"stage":         {"scores: { heat: { traits: { 'stage == \"Visit\"': 1 } } }\n", "true", "looks at the stage"},
		"score":         {"scores: { a: { events: { \"A:Done\": 1 } }, b: { traits: { 'traits.a > 1': 1 } } }\n", "true", "a score cannot look at a score"},
		"no condition":  {"scores: { heat: { traits: { 'sen(1)': 1 } } }\n", "true", "there is no function sen"},
		"unknown field": {"scores: { heat: { halflife: 3d, events: { \"A:Done\": 1 } } }\n", "true", "did you mean half_life?"},
	} {
		_, err := ParsePlan("plan.yaml", []byte("name: x\n"+c.scores+strings.Replace(stages, "%", c.when, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
