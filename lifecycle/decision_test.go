package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const claimsPlan = `
name: claims
stages:
  - { name: Lead }
  - { name: Opportunity, when: 'seen("Deal:Created")' }
  - { name: Customer, when: 'seen("Deal:Won")' }
  - { name: Fan, when: 'seen("Referral:Made")' }
  - { name: Dormant, side: true, when: 'idle("Deal:Won", "30d")' }
claims:
  crm: { mode: hold, for: 14d }
  "crm-*": hold
  loose: advance
`

func claimBy(n int, at Instant, connection string, stage Stage) Event {
	e := event(n, at, "Stage:Claimed")
	e.Connection, e.Claim = connection, stage
	return e
}

func conflicts(prof *Profile) (reasons []ConflictReason) {
	for c := range prof.Conflicts() {
		reasons = append(reasons, c.Reason)
	}
	return reasons
}

func TestClaims(t *testing.T) {
	t.Parallel()
	won := event(1, start, "Deal:Won")
	for name, c := range map[string]struct {
		events    []Event
		now       Instant
		stage     Stage
		conflicts []ConflictReason
	}{
		"holds against evidence":               {[]Event{won, claimBy(2, start+day, "crm", "Lead")}, start + 15*day - 1, "Lead", nil},
		"until its time is over":               {[]Event{won, claimBy(2, start+day, "crm", "Lead")}, start + 15*day, "Customer", nil},
		"without a time until the next":        {[]Event{claimBy(2, start, "crm-eu", "Fan")}, start + 900*day, "Fan", nil},
		"the first rule comes first":           {[]Event{claimBy(1, start, "crm", "Fan"), claimBy(2, start+day, "crm-eu", "Lead")}, start + 2*day, "Fan", []ConflictReason{ConflictOutranked}},
		"and the second follows":               {[]Event{claimBy(1, start, "crm", "Fan"), claimBy(2, start+day, "crm-eu", "Opportunity")}, start + 14*day, "Opportunity", []ConflictReason{ConflictOutranked}},
		"the newest of one rule":               {[]Event{claimBy(1, start, "crm-eu", "Fan"), claimBy(2, start+day, "crm-us", "Customer")}, start + 2*day, "Customer", []ConflictReason{ConflictOutranked}},
		"advance goes forward":                 {[]Event{claimBy(1, start, "loose", "Customer")}, start + day, "Customer", nil},
		"and stays":                            {[]Event{claimBy(1, start, "loose", "Customer")}, start + 900*day, "Customer", nil},
		"advance never goes back":              {[]Event{event(1, start, "Referral:Made"), claimBy(2, start+day, "loose", "Customer")}, start + day, "Fan", []ConflictReason{ConflictNotAhead}},
		"advance takes no side stage":          {[]Event{claimBy(1, start, "loose", "Dormant")}, start, "Lead", []ConflictReason{ConflictSideStage}},
		"a side stage shows over the advanced": {[]Event{won, claimBy(2, start+31*day, "loose", "Fan")}, start + 32*day, "Dormant", []ConflictReason{ConflictNotAhead}},
		"ignored is the default":               {[]Event{claimBy(1, start, "survey", "Fan")}, start, "Lead", []ConflictReason{ConflictIgnored}},
		"agreeing is no conflict":              {[]Event{won, claimBy(2, start, "survey", "Customer")}, start, "Customer", nil},
		"unknown stage":                        {[]Event{claimBy(1, start, "crm", "Fan"), claimBy(2, start+day, "crm", "Nobody")}, start + day, "Fan", []ConflictReason{ConflictUnknownStage}},
		"a pin stands above claims":            {[]Event{PinEvent(number(1), start, "Opportunity", "", 0), claimBy(2, start+day, "crm", "Fan")}, start + day, "Opportunity", []ConflictReason{ConflictPinned}},
		"pin of an unknown stage":              {[]Event{won, PinEvent(number(2), start+day, "Nobody", "", 0)}, start + day, "Customer", []ConflictReason{ConflictUnknownStage}},
		"pin that is over":                     {[]Event{won, PinEvent(number(2), start+day, "Lead", "", start+day)}, start + day, "Customer", []ConflictReason{ConflictExpired}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prof, _ := mustPlan(t, claimsPlan).Derive(1, c.events, c.now)
			if prof.Stage != c.stage {
				t.Errorf("stage %q, want %q", prof.Stage, c.stage)
			}
			if diff := cmp.Diff(c.conflicts, conflicts(prof)); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPinIsManualAndNoFact(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, claimsPlan)
	pin := PinEvent(number(2), start+day, "Fan", "knows best", start+10*day)
	prof, list := p.Derive(1, []Event{event(1, start, "Deal:Created"), pin, UnpinEvent(number(3), start+3*day, "")}, start+4*day)
	want := []string{
		" > Opportunity skip 03-01 12:00:00.000000",
		"Opportunity > Fan manual 03-02 12:00:00.000000",
		"Fan > Opportunity manual 03-04 12:00:00.000000",
	}
	if diff := cmp.Diff(want, moves(list)); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	if list[1].Condition != "pin: knows best" || list[1].Event != pin.ID || list[1].Inbox != 0 {
		t.Errorf("the pin's transition is %+v", list[1])
	}
	if prof.Events != 1 || prof.LastSeen != start || prof.Fact(EventPinned).Count != 0 {
		t.Errorf("a decision counted as a fact: %d events, last seen %v", prof.Events, prof.LastSeen.Time())
	}
	expiring, list := p.Derive(1, []Event{event(1, start, "Deal:Created"), pin}, start+10*day)
	if expiring.Stage != "Opportunity" || list[2].Kind != KindBack || list[2].At != start+10*day {
		t.Errorf("after the pin's end: %q, %+v", expiring.Stage, list[2])
	}
	if _, ok := expiring.Pinned(start + 10*day); ok {
		t.Error("the pin still holds at its end")
	}
	// What a connection tells under a reserved name is no decision.
	told := pin
	told.Inbox = 9
	if prof, _ := p.Derive(1, []Event{event(1, start, "Deal:Created"), told}, start+day); prof.Stage != "Opportunity" {
		t.Errorf("a connection pinned a person to %q", prof.Stage)
	}
}

func TestBackPolicies(t *testing.T) {
	t.Parallel()
	const rules = claimsPlan + `
back:
  - { from: Fan, to: [Lead, Opportunity], policy: forbid }
  - { from: [Fan, Customer], policy: after 3d }
`
	p := mustPlan(t, rules)
	pin := PinEvent(number(1), start, "Fan", "", start+day)
	for name, c := range map[string]struct {
		events []Event
		stage  map[Instant]Stage
	}{
		"forbidden for ever": {
			[]Event{event(0, start, "Deal:Created"), pin},
			map[Instant]Stage{start: "Fan", start + day: "Fan", start + 900*day: "Fan"},
		},
		"held up": {
			[]Event{event(0, start, "Deal:Won"), pin},
			map[Instant]Stage{start + day: "Fan", start + 4*day - 1: "Fan", start + 4*day: "Customer"},
		},
		"a side stage is no move back": {
			[]Event{event(0, start, "Deal:Won"), PinEvent(number(1), start, "Fan", "", start+30*day)},
			map[Instant]Stage{start + 30*day: "Dormant"},
		},
		"a claim that no longer stands is never followed": {
			[]Event{event(1, start, "Deal:Won"), claimBy(2, start+day, "crm-eu", "Lead"), claimBy(3, start+3*day, "crm-eu", "Customer")},
			map[Instant]Stage{start + 2*day: "Customer", start + 5*day: "Customer"},
		},
		"a claim that stands is": {
			[]Event{event(1, start, "Deal:Won"), claimBy(2, start+day, "crm-eu", "Lead")},
			map[Instant]Stage{start + 4*day - 1: "Customer", start + 4*day: "Lead"},
		},
		"a human may always": {
			[]Event{event(1, start, "Referral:Made"), PinEvent(number(2), start+day, "Lead", "", 0)},
			map[Instant]Stage{start + day: "Lead"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for now, want := range c.stage {
				if prof, _ := p.Derive(1, c.events, now); prof.Stage != want {
					t.Errorf("day %.6f: got %q, want %q", float64(now-start)/float64(day), prof.Stage, want)
				}
			}
		})
	}
	prof, _ := p.Derive(1, []Event{event(1, start, "Referral:Made"), claimBy(2, start+day, "crm", "Lead")}, start+day)
	if diff := cmp.Diff([]ConflictReason{ConflictBack}, conflicts(prof)); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

func TestStagesThatChaseEachOtherRest(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `
name: chase
stages:
  - { name: Visit }
  - { name: Ghost, side: true, when: 'stage != "Ghost"' }
segments:
  haunted: was("Ghost")
`)
	prof, list := p.Derive(1, []Event{event(1, start, "Page:Viewed")}, start+1000*day)
	if len(list) != maxIdleMoves+1 || !prof.Flapping() || prof.NextCheck != 0 {
		t.Errorf("%d moves, flapping %v, next check %d", len(list), prof.Flapping(), prof.NextCheck)
	}
	for i, tr := range list {
		if tr.At != start+Instant(i) {
			t.Fatalf("move %d at %d µs, want one per microsecond", i, tr.At-start)
		}
	}
	if x := p.Explain(prof, start+1000*day); x.Stage != prof.Stage {
		t.Errorf("explains %q, the person is in %q", x.Stage, prof.Stage)
	}
	more, err := p.Apply(prof, []Event{event(2, start+1001*day, "Page:Viewed")}, start+1002*day)
	if err != nil || len(more) == 0 {
		t.Errorf("an event does not wake the person: %v, %v", more, err)
	}
}
