package lifecycle

import (
	"cmp"
	"math"
	"slices"
)

// Fact is what is remembered of all events of one name: enough for every
// condition, whatever the length of the history.
type Fact struct {
	Name  EventName
	Count int64
	// First and Last are the times of the earliest and the newest event.
	First, Last Instant
	// Sums holds one sum per currency, sorted by currency. A sum stops at the
	// ends of int64.
	Sums []Money
	// Newest holds the newest times, oldest first, as many as the plan asks
	// for (Plan.Keep); nil when it asks for none.
	Newest []Instant
}

// findFact gives the place of a name and whether it is there.
func (prof *Profile) findFact(name EventName) (int, bool) {
	lo, hi := 0, len(prof.facts)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if prof.facts[mid].Name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(prof.facts) && prof.facts[lo].Name == name
}

// countEvent adds an event to its fact. It reports whether a fact was added,
// which moves the places of those behind it.
func (prof *Profile) countEvent(e *Event, planned bool, keep int) (added bool) {
	i, ok := prof.findFact(e.Name)
	if !ok {
		if !planned && (len(prof.facts) >= MaxEventNames || len(e.Name) > MaxNameBytes || e.Name == "") {
			return false
		}
		prof.facts = slices.Insert(prof.facts, i, Fact{Name: e.Name, First: e.At})
		added = true
	}
	f := &prof.facts[i]
	f.Count++
	f.Last = e.At
	if keep > 0 {
		f.remember(e.At, keep)
	}
	if e.Value != nil {
		f.add(*e.Value)
	}
	return added
}

// remember keeps the newest times.
func (f *Fact) remember(at Instant, keep int) {
	if len(f.Newest) < keep {
		if f.Newest == nil {
			f.Newest = make([]Instant, 0, min(keep, 4))
		}
		f.Newest = append(f.Newest, at)
		return
	}
	copy(f.Newest, f.Newest[1:])
	f.Newest[len(f.Newest)-1] = at
}

func (f *Fact) add(m Money) {
	i, ok := slices.BinarySearchFunc(f.Sums, m.Currency, func(have Money, currency string) int {
		return cmp.Compare(have.Currency, currency)
	})
	if !ok {
		if len(f.Sums) >= MaxCurrencies || len(m.Currency) > MaxNameBytes {
			return
		}
		f.Sums = slices.Insert(f.Sums, i, Money{Currency: m.Currency})
	}
	f.Sums[i].Micros = addSaturated(f.Sums[i].Micros, m.Micros)
}

// sum gives the sum in one currency, zero when there is none.
func (f *Fact) sum(currency string) int64 {
	for i := range f.Sums {
		if f.Sums[i].Currency == currency {
			return f.Sums[i].Micros
		}
	}
	return 0
}

// addSaturated adds and stops at the ends of int64.
func addSaturated(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}
