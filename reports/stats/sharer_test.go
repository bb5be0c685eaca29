package stats

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// A Sharer that has shared other journeys before gives what one of its own does.
func TestPropertySharerForgets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Sharer
		for range rapid.IntRange(1, 4).Draw(t, "journeys") {
			j := Journey{Conversion: 1000, Lookback: HalfLife, Lead: -1}
			for range rapid.IntRange(0, 5).Draw(t, "touches") {
				j.Touches = append(j.Touches, Touch{At: lifecycle.Instant(rapid.IntRange(1, 1100).Draw(t, "at")), Direct: rapid.Bool().Draw(t, "direct")})
			}
			if n := len(j.Touches); n > 0 {
				j.Lead = rapid.IntRange(-1, n-1).Draw(t, "lead")
			}
			if err := s.Take(j); err != nil {
				t.Fatal(err)
			}
			micros := rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "micros")
			for _, model := range []Model{FirstTouch, LastTouch, LastNonDirect, Linear, TimeDecay, UShaped, WShaped} {
				want, err := Attribute(model, j)
				if err != nil {
					t.Fatal(err)
				}
				parts, err := Credit(micros, want)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Attribute(model)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%s: %v, %v, want %v", model, got, err, want)
				}
				if credited, err := s.Credit(micros, got); err != nil || !slices.Equal(credited, parts) {
					t.Fatalf("%s: %v, %v, want %v", model, credited, err, parts)
				}
			}
		}
	})
}
