package clv

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// History is what BG/NBD knows of customers: how often, how recently, for how
// long. Fader, Hardie and Lee (2005) call it (x, t_x, T).
type History struct {
	// Repeats is x, the purchases after the first one; those of one day count
	// as one.
	Repeats int64
	// Last is t_x, the time from the first to the last purchase; zero without
	// a repeat.
	Last float64
	// Age is T, the time from the first purchase to the end of observation, in
	// the unit of Last.
	Age float64
	// Customers is how many have this history; zero stands for one.
	Customers int64
}

// ErrHistory says that a history contradicts itself.
var ErrHistory = errors.New("no possible history")

// maxRepeats bounds the sums over purchases of one customer.
const maxRepeats = 1_000_000

func (h History) check() error {
	switch {
	case h.Repeats < 0 || h.Repeats > maxRepeats:
		return fmt.Errorf("%w: %d repeats", ErrHistory, h.Repeats)
	case h.Customers < 0:
		return fmt.Errorf("%w: %d customers", ErrHistory, h.Customers)
	case math.IsNaN(h.Last) || math.IsNaN(h.Age) || math.IsInf(h.Age, 0):
		return fmt.Errorf("%w: a time that is no number", ErrHistory)
	case h.Last < 0 || h.Last > h.Age:
		return fmt.Errorf("%w: the last purchase at %g and observed until %g", ErrHistory, h.Last, h.Age)
	case h.Repeats == 0 && h.Last != 0:
		return fmt.Errorf("%w: no repeat and one at %g", ErrHistory, h.Last)
	case h.Repeats > 0 && h.Last == 0:
		return fmt.Errorf("%w: %d repeats in no time", ErrHistory, h.Repeats)
	}
	return nil
}

// MergeHistories adds equal histories up and sorts them. A fit visits each only
// once, and gives the same for any order of its input. The error wraps
// ErrHistory and tells the first contradiction.
func MergeHistories(all []History) ([]History, error) {
	merged := slices.Clone(all)
	for i, h := range merged {
		if err := h.check(); err != nil {
			return nil, fmt.Errorf("clv: history %d: %w", i+1, err)
		}
		merged[i].Customers = max(h.Customers, 1)
	}
	slices.SortFunc(merged, func(a, b History) int {
		switch { // the second and the third are compared only where they decide
		case a.Repeats != b.Repeats:
			return cmp.Compare(a.Repeats, b.Repeats)
		case a.Last != b.Last:
			return cmp.Compare(a.Last, b.Last)
		}
		return cmp.Compare(a.Age, b.Age)
	})
	kept := merged[:0]
	for _, h := range merged {
		n := len(kept) - 1
		if n < 0 || kept[n].Repeats != h.Repeats || kept[n].Last != h.Last || kept[n].Age != h.Age {
			kept = append(kept, h)
			continue
		}
		if kept[n].Customers > math.MaxInt64-h.Customers {
			return nil, fmt.Errorf("clv: history: %w: more customers than can be counted", ErrHistory)
		}
		kept[n].Customers += h.Customers
	}
	return kept, nil
}

// countCustomers sums merged histories; ok is false beyond what int64 holds.
func countCustomers(all []History) (n, repeaters int64, ok bool) {
	for _, h := range all {
		if n > math.MaxInt64-h.Customers {
			return 0, 0, false
		}
		n += h.Customers
		if h.Repeats > 0 {
			repeaters += h.Customers
		}
	}
	return n, repeaters, true
}
