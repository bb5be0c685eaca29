package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// anyEvent draws events as mapping gives them, with the texts and numbers that
// are hard on a reader.
func anyEvent(t *rapid.T) lifecycle.Event {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "Ünï", `quote " and \\`, "<b>&", "line\nend", "\u2028", "😀", "ann@example.com"}), rapid.StringN(0, 20, 60))
	var value *rapid.Generator[any]
	scalar := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(n int64) any { return n }), rapid.Map(rapid.Float64(), func(f float64) any { return Plain(f) }),
		rapid.Just[any](nil),
	)
	value = rapid.OneOf(scalar, scalar, rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(l []any) any { return append([]any{}, l...) }),
		rapid.Map(rapid.MapOfN(text, scalar, 0, 3), func(m map[string]any) any { return m }))
	e := lifecycle.Event{Identity: []lifecycle.Key{}}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		e.Identity = append(e.Identity, lifecycle.Key{Namespace: rapid.SampledFrom([]string{"user", "email", "hub-1"}).Draw(t, "namespace"), Value: text.Draw(t, "key")})
	}
	e.BusinessKey = text.Draw(t, "business")
	e.Claim = lifecycle.Stage(text.Draw(t, "claim"))
	for range rapid.IntRange(0, 3).Draw(t, "traits") {
		e.Traits = append(e.Traits, lifecycle.Trait{Name: text.Draw(t, "name"), Value: value.Draw(t, "trait"), At: lifecycle.Instant(rapid.Int64().Draw(t, "at"))})
	}
	if rapid.Bool().Draw(t, "with properties") {
		if p := rapid.MapOfN(text, value, 0, 4).Draw(t, "properties"); len(p) > 0 {
			e.Properties = p
		}
	}
	if rapid.Bool().Draw(t, "with value") {
		e.Value = &lifecycle.Money{Micros: rapid.Int64().Draw(t, "micros"), Currency: "EUR"}
	}
	return e
}

// TestEventsReadAsTheyWereWritten: the quick reader and the library agree on
// whatever is written.
func TestEventsReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	quick := 0
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvent(t)
		b, err := encodeEvent(&e)
		if err != nil {
			t.Skip(err)
		}
		var got, want lifecycle.Event
		if err := decodeEventSlowly(b, &want); err != nil {
			t.Fatal(err)
		}
		if err := decodeEvent(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\n%s", b, diff)
		}
		if r := (eventReader{text: string(b)}); r.event(&lifecycle.Event{}) {
			quick++
		}
	})
	if quick == 0 {
		t.Error("the quick reader has read nothing")
	}
}

func BenchmarkDecodeEvent(b *testing.B) {
	e := lifecycle.Event{
		Identity: []lifecycle.Key{{Namespace: "user", Value: "u1"}, {Namespace: "email", Value: "ann@example.com"}}, BusinessKey: "o1",
		Traits: []lifecycle.Trait{{Name: "email", Value: "ann@example.com", At: 5}}, Properties: map[string]any{"order": "o1"}, Value: &lifecycle.Money{Micros: 5, Currency: "EUR"},
	}
	text, err := encodeEvent(&e)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var got lifecycle.Event
		if err := decodeEvent(text, &got); err != nil {
			b.Fatal(err)
		}
	}
}
