package lifecycle

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// A vendor that never stops inventing names, traits and stages can't make a
// person grow without end, and what the plan reads is kept all the same.
func TestPersonIsBounded(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `
name: bounded
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Zebra:Bought") && traits.zzz == "yes"' }
segments:
  busy: at_least("Page:Viewed", 50, "900d")
claims: { "*": hold }
`)
	prof := NewProfile(1)
	size := 0
	for i := range 3000 {
		e := event(i+1, start+Instant(i)*1000, EventName(fmt.Sprintf("Vendor:Invented%d", i)))
		if i%3 == 0 {
			e.Name = "Page:Viewed"
		}
		e.Connection = fmt.Sprintf("c%d", i)
		e.Value = &Money{math.MaxInt64, string([]byte{'A' + byte(i/26%26), 'A' + byte(i%26), 'X'})}
		e.Traits = []Trait{
			{fmt.Sprintf("trait_%d", i), strings.Repeat("ü", 4000), 0},
			{strings.Repeat("n", 200), 1.5, 0},
			{"nested", deep(20), 0},
		}
		e.Claim = Stage(strings.Repeat("s", 300))
		if i%2 == 0 {
			e.Claim = "Visit"
		}
		if _, err := p.Apply(prof, []Event{e}, e.At); err != nil {
			t.Fatal(err)
		}
		if i == 1500 {
			size = len(encoded(t, prof))
		}
	}
	if grown := len(encoded(t, prof)); grown > size+1000 {
		t.Errorf("%d bytes after 1,500 events, %d after 3,000", size, grown)
	}
	if n := len(prof.facts); n > MaxEventNames+2 {
		t.Errorf("%d event names", n)
	}
	if n := len(prof.traits); n > MaxTraits+2 {
		t.Errorf("%d traits", n)
	}
	if len(prof.claims) != MaxClaims || len(prof.conflicts) != MaxConflicts {
		t.Errorf("%d claims, %d conflicts", len(prof.claims), len(prof.conflicts))
	}
	if f := prof.Fact("Page:Viewed"); f.Count != 1000 || len(f.Newest) != 50 || len(f.Sums) != MaxCurrencies || f.Sums[0].Micros != math.MaxInt64 {
		t.Errorf("page views: %d, %d times, %v", f.Count, len(f.Newest), f.Sums)
	}
	if s, _ := prof.Trait("trait_1").(string); len(s) != MaxTraitBytes {
		t.Errorf("a long text is kept with %d bytes", len(s))
	}
	if v := prof.Trait("nested"); v != nil {
		t.Errorf("a deep value is kept: %v", v)
	}
	last := event(5000, start+day, "Zebra:Bought")
	last.Traits = []Trait{{"zzz", "yes", 0}}
	if _, err := p.Apply(prof, []Event{last}, last.At); err != nil {
		t.Fatal(err)
	}
	if prof.Path != "Customer" {
		t.Error("what the plan reads was not kept once the person was full")
	}
}

func deep(n int) any {
	var v any = "end"
	for range n {
		v = []any{v}
	}
	return v
}

// Times at the ends of what an Instant holds neither overflow nor hang.
func TestExtremeInstants(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, classicPlan)
	events := []Event{
		event(1, math.MinInt64, "Page:Viewed"), event(2, -60*day, "Order:Completed"), event(3, 0, "Page:Viewed"),
		event(4, math.MaxInt64-1, "Order:Completed"), event(5, math.MaxInt64, "Page:Viewed"),
	}
	for i := range len(events) + 1 {
		prof, list := p.Derive(1, events[:i], math.MaxInt64)
		recoded(t, prof)
		for j := 1; j < len(list); j++ {
			if list[j].At < list[j-1].At {
				t.Errorf("%d events: transition %d goes back in time", i, j)
			}
		}
	}
}

func TestCleanValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want any }{
		"int":            {7, nil},
		"infinite":       {math.Inf(1), nil},
		"no number":      {math.NaN(), nil},
		"foreign":        {struct{}{}, nil},
		"cut at a rune":  {strings.Repeat("a", MaxTraitBytes-1) + "ü", strings.Repeat("a", MaxTraitBytes-1)},
		"list too large": {[]any{strings.Repeat("a", MaxTraitBytes)}, nil},
		"NaN inside":     {[]any{math.NaN()}, nil},
	} {
		want := c.want
		if name == "int" {
			want = int64(7)
		}
		if got := cleanValue(c.in); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
