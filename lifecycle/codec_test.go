package lifecycle

import (
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// richProfile has every field that a profile can have.
func richProfile(t testing.TB) *Profile {
	t.Helper()
	p := mustPlan(t, claimsPlan+"back: [ { policy: after 3d } ]\nsegments: { s: 'at_least(\"Deal:Won\", 3, \"900d\")' }\n").WithVersion(12)
	e := event(1, start, "Contact:Updated")
	e.Traits = []Trait{
		{"text", "Grüße", 0},
		{"none", nil, 0},
		{"yes", true, 0},
		{"no", false, 0},
		{"whole", int64(math.MinInt64), 0},
		{"part", 0.1, 0},
		{"list", []any{"a", int64(1), nil, []any{}}, 0},
		{"map", map[string]any{"b": int64(2), "a": map[string]any{"c": 1.5}}, 0},
		{"older", "x", start - 9*day},
	}
	again := event(5, start+4*day, "Contact:Updated")
	again.Traits = []Trait{{"text", "Grüße", 0}}
	won := event(2, start+day, "Deal:Won")
	won.Value = &Money{-5_000_001, "USD"}
	paid := event(3, start+2*day, "Deal:Won")
	paid.Value = &Money{math.MaxInt64, "EUR"}
	prof, _ := p.Derive(77, []Event{
		e, won, paid, event(4, start+3*day, "Deal:Won"), again,
		claimBy(6, start+5*day, "crm", "Lead"), claimBy(7, start+5*day, "survey", "Fan"),
		claimBy(8, start+6*day, "crm-eu", "Fan"),
		PinEvent(number(9), start+7*day, "Dormant", "because", start+900*day),
	}, start+20*day)
	return prof
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	extreme := NewProfile(math.MinInt64)
	extreme.FirstSeen, extreme.LastSeen, extreme.NextCheck, extreme.Since = math.MaxInt64, math.MinInt64, -1, math.MaxInt64
	zeroBase := NewProfile(1)
	zeroBase.LastSeen, zeroBase.NewestAt, zeroBase.Since = math.MinInt64, math.MaxInt64, 1
	low := NewProfile(2)
	low.FirstSeen, low.LastSeen, low.NewestAt, low.Since = math.MinInt64, math.MinInt64, math.MaxInt64, -math.MaxInt64
	half := NewProfile(3)
	half.FirstSeen, half.LastSeen = 5, 5+math.MinInt64
	for name, prof := range map[string]*Profile{
		"nothing": {}, "rich": richProfile(t), "extreme": extreme, "zero base": zeroBase, "low base": low, "half way round": half,
	} {
		back := recoded(t, prof)
		if diff := cmp.Diff(prof, back, cmp.AllowUnexported(Profile{}, Standing{}, Lifecycle{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDecodeRefusesWhatIsCutOrLonger(t *testing.T) {
	t.Parallel()
	whole := []byte(encoded(t, richProfile(t)))
	for n := range whole {
		if _, err := DecodeProfile(whole[:n]); !errors.Is(err, ErrProfileBytes) {
			t.Fatalf("cut at %d of %d: got %v", n, len(whole), err)
		}
	}
	for name, b := range map[string][]byte{
		"a byte more":     append(whole[:len(whole):len(whole)], 0),
		"another version": append([]byte{codecVersion + 1}, whole[1:]...),
		"nil":             nil,
	} {
		if _, err := DecodeProfile(b); !errors.Is(err, ErrProfileBytes) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if prof, err := DecodeProfile(whole); err != nil || prof.ID != 77 {
		t.Errorf("the whole: %v", err)
	}
}

func TestEncodeRefusesForeignValues(t *testing.T) {
	t.Parallel()
	prof := NewProfile(1)
	prof.traits = []TraitState{{Name: "x", Value: struct{}{}}}
	if b, err := prof.AppendBinary([]byte("kept")); err == nil || string(b) != "kept" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, claimsPlan)
	prof := richProfile(t)
	before := encoded(t, prof)
	c := prof.Clone()
	if encoded(t, c) != before {
		t.Fatal("a clone differs")
	}
	e := event(99, start+30*day, "Deal:Won")
	e.Value, e.Traits, e.Claim = &Money{1, "EUR"}, []Trait{{"text", "new", 0}}, "Lead"
	if _, err := p.Apply(c, []Event{e, UnpinEvent(number(100), start+31*day, "")}, start+90*day); err != nil {
		t.Fatal(err)
	}
	if encoded(t, prof) != before {
		t.Error("changing the clone changed the original")
	}
}

func FuzzDecodeProfile(f *testing.F) {
	f.Add([]byte(encoded(f, richProfile(f))))
	f.Add([]byte(encoded(f, NewProfile(1))))
	f.Add([]byte{codecVersion})
	p := mustPlan(f, claimsPlan)
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		prof, err := DecodeProfile(b)
		runtime.ReadMemStats(&after)
		// Other goroutines of the fuzzer allocate too, so the bound is loose.
		if got, bound := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+400*len(b)); got > bound {
			t.Fatalf("%d bytes made it allocate %d", len(b), got)
		}
		if err != nil {
			if !errors.Is(err, ErrProfileBytes) {
				t.Fatalf("foreign error %v", err)
			}
			return
		}
		again := recoded(t, prof)
		// Whatever was decoded, the engine takes it without a panic.
		p.Explain(prof, start)
		p.Advance(prof, start)
		_, _ = p.Apply(again, []Event{claimBy(1, start, "crm", "Fan"), event(2, start, "Deal:Won")}, start+day)
	})
}
