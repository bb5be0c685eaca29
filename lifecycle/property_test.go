package lifecycle

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func drawCase(t *rapid.T) (*model, *Plan, []Event) {
	m := drawModel(t)
	p, err := ParsePlan("random.yaml", []byte(m.text()), genVocabulary())
	if err != nil {
		t.Fatalf("ParsePlan: %v\n%s", err, m.text())
	}
	return m, p, drawEvents(t, m)
}

func drawNow(t *rapid.T, label string) Instant {
	return genStart + Instant(rapid.IntRange(-2, 50).Draw(t, label))*500_000 +
		Instant(rapid.SampledFrom([]int{0, 0, 1, -1}).Draw(t, label+" off by"))
}

func encoded(t rapid.TB, prof *Profile) string {
	t.Helper()
	b, err := prof.AppendBinary(nil)
	if err != nil {
		t.Fatalf("AppendBinary: %v", err)
	}
	return string(b)
}

func diffProfiles(a, b *Profile) string {
	return cmp.Diff(a, b, cmp.AllowUnexported(Profile{}, Standing{}, Lifecycle{}), cmpopts.EquateEmpty())
}

// asOracle leaves of a transition what the oracle knows.
func asOracle(list []Transition) (moves []oracleMove) {
	for _, tr := range list {
		moves = append(moves, oracleMove{tr.At, tr.From, tr.To, tr.Entered, tr.Exited})
	}
	return moves
}

// The engine's history of a person is what the oracle reads from the raw
// events: every stage, every segment, every flip at its exact instant.
func TestPropertyHistoryIsWhatTheEventsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, p, events := drawCase(t)
		now := drawNow(t, "now")
		prof, got := p.Derive(1, events, now)
		o := tell(m, events, now)
		if diff := cmp.Diff(o.moves, asOracle(got)); diff != "" {
			t.Fatalf("moves (-oracle +engine):\n%s\n%s", diff, m.text())
		}
		if prof.Stage != o.stage() || !slices.Equal(prof.SegmentNames(), o.segments) {
			t.Fatalf("engine: %q %v, oracle: %q %v", prof.Stage, prof.SegmentNames(), o.stage(), o.segments)
		}
	})
}

// Between now and the next check nothing changes, by the oracle's word, and
// advancing that far does nothing.
func TestPropertyNothingChangesBeforeTheNextCheck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, p, events := drawCase(t)
		now := drawNow(t, "now")
		for i := range events {
			now = max(now, events[i].At)
		}
		prof, _ := p.Derive(1, events, now)
		later := now + 20_000_000
		if prof.NextCheck != 0 {
			if prof.NextCheck <= now {
				t.Fatalf("next check %d is not after now %d", prof.NextCheck, now)
			}
			later = prof.NextCheck - 1
		}
		if a, b := tell(m, events, now), tell(m, events, later); len(a.moves) != len(b.moves) {
			t.Fatalf("next check %d misses %+v\n%s", prof.NextCheck, b.moves[len(a.moves):], m.text())
		}
		before := encoded(t, prof)
		if moves := p.Advance(prof, later); moves != nil || encoded(t, prof) != before {
			t.Fatalf("advancing before the next check gave %+v", moves)
		}
	})
}

// At any instant, with what has been told by then, the person is in the stage
// and the segments that the raw events say.
func TestPropertyMembershipAtAnyInstant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, p, events := drawCase(t)
		sorted := Effective(events)
		for _, at := range drawInstants(t) {
			told := len(sorted)
			for told > 0 && sorted[told-1].At > at {
				told--
			}
			o := tell(m, sorted[:told], at)
			prof, _ := p.Derive(1, sorted[:told], at)
			if prof.Stage != o.stage() || !slices.Equal(prof.SegmentNames(), o.segments) {
				t.Fatalf("at %d: engine %q %v, oracle %q %v\n%s", at-start, prof.Stage, prof.SegmentNames(), o.stage(), o.segments, m.text())
			}
			if told > 0 && prof.NextCheck != 0 && prof.NextCheck <= at {
				t.Fatalf("at %d: next check %d", at-start, prof.NextCheck-start)
			}
		}
	})
}

func drawInstants(t *rapid.T) (list []Instant) {
	for range rapid.IntRange(1, 6).Draw(t, "instants") {
		list = append(list, drawNow(t, "at"))
	}
	slices.Sort(list)
	return list
}

// However the sorted events are cut into calls, and whenever timers are
// applied between them, the profile is the same to the byte.
func TestPropertyAnySplitGivesTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, p, events := drawCase(t)
		sorted := Effective(events)
		now := sorted[len(sorted)-1].At
		prof, moves, clock := NewProfile(1), []Transition(nil), Instant(0)
		derived := false
		for i := 0; i < len(sorted); {
			n := rapid.IntRange(1, len(sorted)-i).Draw(t, "chunk")
			clock = max(clock, drawNow(t, "call"))
			got, err := p.Apply(prof, sorted[i:i+n], clock)
			if errors.Is(err, ErrLate) {
				// Time has passed this event by: what a caller does then.
				prof, moves = p.Derive(1, sorted[:i+n], clock)
				derived = true
			} else if err != nil {
				t.Fatal(err)
			}
			moves = append(moves, got...)
			i += n
			if rapid.Bool().Draw(t, "advance") {
				clock = max(clock, drawNow(t, "clock"))
				moves = append(moves, p.Advance(prof, clock)...)
			}
			prof = recoded(t, prof)
		}
		now = max(now, clock)
		moves = append(moves, p.Advance(prof, now)...)
		want, wantMoves := p.Derive(1, events, now)
		if diff := diffProfiles(want, prof); diff != "" {
			t.Fatalf("profile, derived on the way: %v (-whole +split):\n%s", derived, diff)
		}
		for i := range moves {
			moves[i].Decided = now
		}
		if diff := cmp.Diff(wantMoves, moves); diff != "" {
			t.Fatalf("moves (-whole +split):\n%s", diff)
		}
	})
}

// The order of the events and copies of them make no difference.
func TestPropertyOrderAndCopiesDoNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, p, events := drawCase(t)
		now := drawNow(t, "now")
		want, wantMoves := p.Derive(1, events, now)
		mixed := slices.Concat(events, rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "copies"))
		mixed = rapid.Permutation(mixed).Draw(t, "order")
		got, gotMoves := p.Derive(1, mixed, now)
		if diff := diffProfiles(want, got); diff != "" {
			t.Fatalf("profile (-first +mixed):\n%s", diff)
		}
		if diff := cmp.Diff(wantMoves, gotMoves); diff != "" {
			t.Fatalf("moves (-first +mixed):\n%s", diff)
		}
	})
}

// recoded sends a profile through the codec.
func recoded(t rapid.TB, prof *Profile) *Profile {
	t.Helper()
	text := encoded(t, prof)
	back, err := DecodeProfile([]byte(text))
	if err != nil {
		t.Fatalf("DecodeProfile: %v", err)
	}
	if encoded(t, back) != text {
		t.Fatal("a decoded profile encodes differently")
	}
	return back
}
