package summary

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// instants are such as vendors give, and the worst there are.
func instants() *rapid.Generator[lifecycle.Instant] {
	return rapid.Custom(func(t *rapid.T) lifecycle.Instant {
		v := rapid.OneOf(rapid.Int64Range(0, 2_000_000_000), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1})).Draw(t, "v")
		return lifecycle.Instant(v * rapid.SampledFrom([]int64{1, 1_000, 1_000_000, 86_400_000_000}).Draw(t, "unit"))
	})
}

func texts() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", "shop", "crm", "Order:Completed", "EUR", "a", "Grüße", "\x00"})
}

func people() *rapid.Generator[[]*Person] {
	event := rapid.Custom(func(t *rapid.T) Event {
		e := Event{Name: lifecycle.EventName(texts().Draw(t, "name")), At: instants().Draw(t, "at"), Connection: texts().Draw(t, "connection"), Key: rapid.Uint64().Draw(t, "key")}
		if e.Amount.Currency = texts().Draw(t, "currency"); e.Amount.Currency != "" {
			e.Amount.Micros = int64(instants().Draw(t, "micros"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "properties") {
			e.Properties = append(e.Properties, Property{texts().Draw(t, "property"), texts().Draw(t, "value")})
		}
		return e
	})
	return rapid.Custom(func(t *rapid.T) []*Person {
		var all []*Person
		id := lifecycle.ProfileID(0)
		for range rapid.IntRange(0, 5).Draw(t, "people") {
			id += lifecycle.ProfileID(rapid.Int64Range(1, 1<<40).Draw(t, "distance"))
			p := &Person{
				ID: id, Source: texts().Draw(t, "source"), FirstSeen: instants().Draw(t, "first"), LastSeen: instants().Draw(t, "last"),
				PlanVersion: rapid.Int64().Draw(t, "version"), Stage: lifecycle.Stage(texts().Draw(t, "stage")), Account: texts().Draw(t, "account"), Since: instants().Draw(t, "since"),
				Events: rapid.SliceOfN(event, 0, 5).Draw(t, "events"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "lists") {
				p.Segments = append(p.Segments, lifecycle.Segment(texts().Draw(t, "segment")))
				p.Moves = append(p.Moves, Move{lifecycle.Stage(texts().Draw(t, "to")), instants().Draw(t, "at")})
				p.moved(texts().Draw(t, "lifecycle"), Move{lifecycle.Stage(texts().Draw(t, "to there")), instants().Draw(t, "at")})
				p.Traits = append(p.Traits, Trait{texts().Draw(t, "trait"), texts().Draw(t, "value")})
			}
			all = append(all, p)
		}
		return all
	})
}

func plain(b *block) []*Person {
	var all []*Person
	for i := range b.people {
		all = append(all, &b.people[i])
	}
	return all
}

// TestCodec: what is unpacked is what was packed, into used memory too, and
// leaving out what is not wanted changes nothing else.
func TestCodec(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b block
		for range 2 {
			want := people().Draw(t, "people")
			body := encode(want)
			if err := b.decode(body, new(All())); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, plain(&b), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("-packed +unpacked:\n%s", diff)
			}
			name := lifecycle.EventName(texts().Draw(t, "wanted"))
			if err := b.decode(body, &Want{Events: []lifecycle.EventName{name}}); err != nil {
				t.Fatal(err)
			}
			for _, p := range want {
				p.Moves, p.Courses, p.Traits = nil, nil, nil
				p.Events = slices.DeleteFunc(p.Events, func(e Event) bool { return e.Name != name })
			}
			if diff := cmp.Diff(want, plain(&b), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("only %q: -packed +unpacked:\n%s", name, diff)
			}
		}
	})
}

// TestDecodeRefuses: a block that another version wrote, or that was cut short.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	all := All()
	body := encode([]*Person{{ID: 7, Stage: "Customer", Moves: []Move{{"Customer", 5}}, Courses: []Course{{"academy", []Move{{"Student", 6}}}},
		Events: []Event{{Name: "Order:Completed", At: 5, Key: 9}}}})
	var b block
	for n := range body {
		if b.decode(body[:n], &all) == nil {
			t.Errorf("the first %d of %d bytes are taken for a block", n, len(body))
		}
	}
	if other := append([]byte{Version + 1}, body[1:]...); b.decode(other, &all) == nil {
		t.Error("another version is taken for this one")
	}
}

// FuzzDecode: bytes from anywhere end in people or an error, in memory bounded
// by their number.
func FuzzDecode(f *testing.F) {
	f.Add(encode(nil))
	f.Add(encode([]*Person{{ID: 7, Stage: "Customer", Segments: []lifecycle.Segment{"s"}, Moves: []Move{{"Customer", 5}}, Traits: []Trait{{"company", "Acme"}},
		Events: []Event{{Name: "Order:Completed", At: 5, Amount: lifecycle.Money{Micros: 3, Currency: "EUR"}, Key: 9, Properties: []Property{{"kind", "a"}}}}}}))
	f.Fuzz(func(t *testing.T, body []byte) {
		all := All()
		var b block
		if err := b.decode(body, &all); err == nil && len(b.people) > len(body) {
			t.Errorf("%d people from %d bytes", len(b.people), len(body))
		}
	})
}
