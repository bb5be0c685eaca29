package lifecycle

import (
	"strings"
	"testing"
)

const gatePlan = `
name: gates
stages:
  - { name: Lead }
  - { name: Customer, when: 'seen("Deal:Won")' }
  - name: Dormant
    side: true
    from: [Customer]
    when: idle("Product:Used", "30d")
    until: at_least("Product:Used", 2, "7d")
    stay: 3d
segments:
  hot:
    when: traits.score >= 80
    until: traits.score < 50
  recent:
    when: within("Product:Used", "1d")
    stay: 10d
claims: { crm: { mode: hold, for: 5d } }
`

func scored(n int, at Instant, score int64) Event {
	e := event(n, at, "Contact:Updated")
	e.Traits = []Trait{{"score", score, 0}}
	return e
}

func TestSegmentsLeaveByTheirOwnCondition(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, gatePlan)
	events := []Event{scored(1, start, 70), scored(2, start+day, 80), scored(3, start+2*day, 60), scored(4, start+3*day, 49), scored(5, start+4*day, 60)}
	_, list := p.Derive(1, events, start+30*day)
	want := map[Instant]string{start + day: "hot: traits.score >= 80", start + 3*day: "hot: until traits.score < 50"}
	for _, tr := range list[1:] {
		if want[tr.At] != tr.Condition {
			t.Errorf("at day %d: +%v -%v by %q, want %q", (tr.At-start)/day, tr.Entered, tr.Exited, tr.Condition, want[tr.At])
		}
		delete(want, tr.At)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestLeastTimeInASegment(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, gatePlan)
	used := event(1, start, "Product:Used")
	for at, in := range map[Instant]bool{start: true, start + day: true, start + 10*day - 1: true, start + 10*day: false} {
		prof, _ := p.Derive(1, []Event{used}, at)
		if prof.In("recent") != in {
			t.Errorf("after %d µs: in %v, want %v", at-start, !in, in)
		}
	}
	// A second use just before the end of the least time keeps the person in.
	prof, _ := p.Derive(1, []Event{used, event(2, start+10*day-1, "Product:Used")}, start+11*day-2)
	if !prof.In("recent") || prof.NextCheck != start+11*day-1 {
		t.Errorf("in %v, next check at day %.3f", prof.In("recent"), float64(prof.NextCheck-start)/float64(day))
	}
	x := p.Explain(prof, start+11*day-2)
	if got := x.Segments[1]; !got.In || got.StaysUntil != 0 || got.Due != start+11*day-1 {
		t.Errorf("explained as %+v", got)
	}
	early, _ := p.Derive(1, []Event{used}, start+5*day)
	if got := p.Explain(early, start+5*day).Segments[1]; got.StaysUntil != start+10*day || got.Why.Holds {
		t.Errorf("within the least time explained as %+v", got)
	}
}

func TestSideStageWithItsOwnWayOut(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, gatePlan)
	won, used := event(1, start, "Deal:Won"), event(2, start, "Product:Used")
	again := func(n int, at Instant) Event { return event(n, at, "Product:Used") }
	for name, c := range map[string]struct {
		events []Event
		now    Instant
		stage  Stage
	}{
		"one use does not lead out":                    {[]Event{won, used, again(3, start+40*day)}, start + 41*day, "Dormant"},
		"two do":                                       {[]Event{won, used, again(3, start+40*day), again(4, start+41*day)}, start + 41*day, "Customer"},
		"not within the least time":                    {[]Event{won, used, again(3, start+31*day), again(4, start+32*day)}, start + 33*day - 1, "Dormant"},
		"but when it is over":                          {[]Event{won, used, again(3, start+31*day), again(4, start+32*day)}, start + 33*day, "Customer"},
		"a pin comes first":                            {[]Event{won, used, PinEvent(number(3), start+31*day, "Lead", "", 0)}, start + 31*day, "Lead"},
		"after a pin what leads in decides":            {[]Event{won, used, again(3, start+40*day), PinEvent(number(4), start+41*day, "Dormant", "", start+42*day)}, start + 42*day, "Customer"},
		"and so it does after a claim":                 {[]Event{won, used, again(3, start+40*day), claimBy(4, start+41*day, "crm", "Dormant")}, start + 46*day, "Customer"},
		"which lets the condition of its own go on":    {[]Event{won, used, claimBy(4, start+41*day, "crm", "Dormant")}, start + 46*day, "Dormant"},
		"until its way out, whoever showed it between": {[]Event{won, used, claimBy(4, start+41*day, "crm", "Dormant"), again(5, start+47*day)}, start + 48*day, "Dormant"},
	} {
		prof, _ := p.Derive(1, c.events, c.now)
		if prof.Stage != c.stage {
			t.Errorf("%s: %q, want %q", name, prof.Stage, c.stage)
		}
	}
	prof, _ := p.Derive(1, []Event{won, used}, start+31*day)
	x := p.Explain(prof, start+31*day)
	if x.Stage != "Dormant" || x.Leave != `at_least("Product:Used", 2, "7d")` || x.LeaveWhy == nil || x.StaysUntil != start+33*day {
		t.Errorf("explained as %+v", x)
	}
	left, _ := p.Derive(1, []Event{won, used, again(3, start+day), again(4, start+day)}, start+2*day)
	if o := p.Explain(left, start+2*day).Next[0]; o.Stage != "Dormant" || len(o.Unmet) != 2 {
		t.Errorf("the way into Dormant: %+v", o)
	}
}

func TestGateMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"stages: [ { name: A }, { name: B, when: 'seen(\"X:Y\")', until: 'seen(\"X:Z\")' } ]":             "belongs to side stages",
		"stages: [ { name: A }, { name: B, when: 'seen(\"X:Y\")', stay: 3d } ]":                           "belongs to side stages",
		"stages: [ { name: A }, { name: B, side: true, when: 'seen(\"X:Y\")', stay: soon } ]":             "is not a duration",
		"stages: [ { name: A } ]\nsegments: { s: { until: 'seen(\"X:Z\")' } }":                            "when",
		"stages: [ { name: A } ]\nsegments: { s: { when: 'seen(\"X:Z\")', leave: 'seen(\"X:Y\")' } }":     "leave",
		"stages: [ { name: A } ]\nsegments: { s: { when: 'seen(\"X:Z\")', until: 'stage == \"None\"' } }": "there is no stage",
		"stages: [ { name: A } ]\nsegments: { s: { when: 'seen(\"X:Z\")', stay: 99999d } }":               "out of range",
		"stages: [ { name: A } ]\nsegments: { s: { when: 'seen(\"X:Z\")', stay: '' } }":                   "stay",
	} {
		_, err := ParsePlan("plan.yaml", []byte("name: x\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	with, without := mustPlan(t, gatePlan), mustPlan(t, strings.Replace(gatePlan, "    stay: 3d\n", "", 1))
	if !with.NeedsDerive(without) || with.Stages()[2].Stay != 72*3600e9 || with.Segments()[0].Until != "traits.score < 50" {
		t.Errorf("a least time makes no difference, or is not told: %+v %+v", with.Stages()[2], with.Segments()[0])
	}
}

func TestConflictsSayWhatWon(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, claimsPlan)
	prof, _ := p.Derive(1, []Event{
		claimBy(1, start, "crm", "Fan"),
		claimBy(2, start+day, "crm-eu", "Lead"),
		claimBy(3, start+2*day, "crm", "Nobody"),
		PinEvent(number(4), start+3*day, "Opportunity", "asked for", 0),
		claimBy(5, start+4*day, "survey", "Customer"),
		PinEvent(number(6), start+5*day, "None", "", 0),
		UnpinEvent(number(7), start+6*day, ""),
		claimBy(8, start+20*day, "survey", "Customer"),
	}, start+30*day)
	var got []string
	for c := range prof.Conflicts() {
		got = append(got, c.Connection+" "+string(c.Stage)+" "+string(c.Reason)+": "+string(c.Won)+" "+c.By)
	}
	want := []string{
		"crm Fan pinned: Opportunity pin: asked for",
		"crm-eu Lead outranked: Fan claim by crm",
		"crm Nobody unknown_stage: Fan claim by crm",
		"survey Customer ignored: Opportunity pin: asked for",
		" None unknown_stage: Opportunity pin: asked for",
		"survey Customer ignored: Lead claim by crm-eu",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if back := recoded(t, prof); diffProfiles(prof, back) != "" {
		t.Errorf("the codec loses something:\n%s", diffProfiles(prof, back))
	}
}

func TestDecodeReadsTheFirstForm(t *testing.T) {
	t.Parallel()
	prof := NewProfile(7)
	now := []byte(encoded(t, prof))
	first := append([]byte{1}, now[1:len(now)-11]...) // an empty profile ends in zeros, eleven of them new
	back, err := DecodeProfile(first)
	if err != nil || diffProfiles(prof, back) != "" {
		t.Fatalf("%v\n%s", err, diffProfiles(prof, back))
	}
	if _, err := DecodeProfile(append([]byte{1}, now[1:]...)); err == nil {
		t.Error("the new form passes for the first")
	}
}
