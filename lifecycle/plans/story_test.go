package plans

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
)

var start = time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)

func day(n int) lifecycle.Instant { return lifecycle.At(start.AddDate(0, 0, n)) }

// when reads "12d" or "12d3h20s": the time since the start of a story.
func when(t *testing.T, s string) lifecycle.Instant {
	t.Helper()
	days, rest, _ := strings.Cut(s, "d")
	var n int
	if _, err := fmt.Sscan(days, &n); err != nil {
		t.Fatalf("when %q: %v", s, err)
	}
	var d time.Duration
	if rest != "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil {
			t.Fatalf("when %q: %v", s, err)
		}
	}
	return day(n).Add(d)
}

// happening is "12d Order:Completed", with an amount ("12d Order:Completed
// 700 EUR") or a trait ("12d Contact:Updated lead_score=60") behind it.
func happening(t *testing.T, line string, number int) lifecycle.Event {
	t.Helper()
	f := strings.Fields(line)
	e := lifecycle.Event{Name: lifecycle.EventName(f[1]), At: when(t, f[0]), Connection: "story", Inbox: int64(number + 1)}
	binary.BigEndian.PutUint64(e.ID[:], uint64(number+1))
	if _, ok := Vocabulary()[e.Name]; !ok {
		t.Fatalf("%s is not in the vocabulary", e.Name)
	}
	if len(f) == 4 {
		var amount int64
		if _, err := fmt.Sscan(f[2], &amount); err != nil {
			t.Fatal(err)
		}
		e.Value = &lifecycle.Money{Micros: amount * 1e6, Currency: f[3]}
	}
	if len(f) == 3 {
		name, value, _ := strings.Cut(f[2], "=")
		e.Traits = []lifecycle.Trait{{Name: name, Value: value}}
	}
	return e
}

// story is told in lines: what happened, and in between, after "=", what is
// seen at a time: the stage, and segments that must be held (or, with a !, not).
type story struct {
	name, plan string
	lines      []string
}

func TestStories(t *testing.T) {
	t.Parallel()
	for _, s := range stories {
		t.Run(s.plan+"/"+s.name, func(t *testing.T) {
			t.Parallel()
			plan := MustParse(s.plan)
			var events []lifecycle.Event
			var checks [][2]string
			for i, line := range s.lines {
				at, what, _ := strings.Cut(line, " ")
				if seen, ok := strings.CutPrefix(what, "= "); ok {
					checks = append(checks, [2]string{at, seen})
				} else {
					events = append(events, happening(t, line, i))
				}
			}
			if len(checks) == 0 {
				t.Fatal("the story looks at nothing")
			}
			for _, c := range checks {
				now := when(t, c[0])
				var past []lifecycle.Event
				for _, e := range events {
					if e.At <= now {
						past = append(past, e)
					}
				}
				prof := tell(t, plan, past, now)
				stage, segments, _ := strings.Cut(c[1], " + ")
				if string(prof.Stage) != stage {
					t.Errorf("%s: stage %q, want %q", c[0], prof.Stage, stage)
				}
				for _, name := range strings.Fields(segments) {
					name, not := strings.CutPrefix(name, "!")
					if prof.In(lifecycle.Segment(name)) == not {
						t.Errorf("%s: in %s: %v", c[0], name, !not)
					}
				}
			}
		})
	}
}

// tell derives the person from the events in some order, and again event by
// event as they came, and holds the two against each other.
func tell(t *testing.T, plan *lifecycle.Plan, events []lifecycle.Event, now lifecycle.Instant) *lifecycle.Profile {
	t.Helper()
	shuffled := slices.Clone(events)
	rand.New(rand.NewPCG(uint64(now), 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	all, moves := plan.Derive(1, shuffled, now)
	one := lifecycle.NewProfile(1)
	var seen []lifecycle.Transition
	for _, e := range lifecycle.Effective(events) {
		out, err := plan.Apply(one, []lifecycle.Event{e}, e.At)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, out...)
	}
	seen = append(seen, plan.Advance(one, now)...)
	if one.Stage != all.Stage || one.Since != all.Since || len(seen) != len(moves) || !slices.Equal(one.SegmentNames(), all.SegmentNames()) {
		t.Errorf("one by one: %q since %v, %v; at once: %q since %v, %v\n%s",
			one.Stage, one.Since.Time(), one.SegmentNames(), all.Stage, all.Since.Time(), all.SegmentNames(), cmp.Diff(moves, seen))
	}
	if all.Flapping() {
		t.Error("the stages chase each other")
	}
	return all
}

// TestNobodyIsLostForLackOfData: whatever single event is all we know of a
// person, time alone makes nobody churned or dormant unless it was activity.
func TestNobodyIsLostForLackOfData(t *testing.T) {
	t.Parallel()
	for _, name := range Names() {
		plan := MustParse(name)
		for _, e := range Events() {
			for _, second := range []lifecycle.EventName{"", "Deal:Won", "Subscription:Started"} {
				events := []lifecycle.Event{{ID: lifecycle.EventID{1}, Name: e.Name, At: day(0), Connection: "c", Inbox: 1}}
				if second != "" {
					events = append(events, lifecycle.Event{ID: lifecycle.EventID{2}, Name: second, At: day(0), Connection: "c", Inbox: 2})
				}
				prof, _ := plan.Derive(1, events, day(1000))
				lost := prof.Stage == "Churned" || prof.Stage == "Dormant" || prof.In("dormant") || prof.In("at_risk")
				if lost && !e.Activity && e.Name != "Subscription:Canceled" {
					t.Errorf("%s: %s and %q: stage %q, %v", name, e.Name, second, prof.Stage, prof.SegmentNames())
				}
				if prof.Stage == "Churned" && second == "Subscription:Started" {
					t.Errorf("%s: churned although a subscription runs, after %s", name, e.Name)
				}
				if prof.Flapping() {
					t.Errorf("%s: the stages chase each other after %s", name, e.Name)
				}
			}
		}
	}
}
