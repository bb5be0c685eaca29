package stats

import (
	"fmt"
	"math"
	"slices"
)

func (m Model) known() bool {
	switch m {
	case FirstTouch, LastTouch, LastNonDirect, Linear, TimeDecay, UShaped, WShaped:
		return true
	}
	return false
}

// weigh writes the weight of each counted touch, first to last, into weights,
// which are all zero.
func weigh(model Model, j Journey, counted []int, weights []float64) error {
	n := len(counted)
	if !model.known() {
		return fmt.Errorf("stats: attribution: %w: model %q", ErrModel, model)
	}
	switch model {
	case FirstTouch:
		weights[0] = 1
	case LastTouch:
		weights[n-1] = 1
	case LastNonDirect:
		weights[lastNonDirect(j, counted)] = 1
	case Linear:
		for i := range weights {
			weights[i] = 1
		}
	case TimeDecay:
		decay(j, counted, weights)
	case UShaped:
		anchor(weights, 0.4, 0, n-1)
	case WShaped:
		anchor(weights, 0.3, 0, slices.Index(counted, j.Lead), n-1)
	}
	return nil
}

func lastNonDirect(j Journey, counted []int) int {
	for i := len(counted) - 1; i >= 0; i-- {
		if !j.Touches[counted[i]].Direct {
			return i
		}
	}
	return len(counted) - 1
}

// decay halves a weight with every half-life. It is measured from the last
// touch, which changes nothing once normalised and keeps touches of long ago
// from vanishing all together.
func decay(j Journey, counted []int, weights []float64) {
	half := j.HalfLife
	if half == 0 {
		half = HalfLife
	}
	last := float64(j.Touches[counted[len(counted)-1]].At)
	for i, c := range counted {
		age := last - float64(j.Touches[c].At) // microseconds
		weights[i] = math.Exp2(-age / (float64(half) / 1000))
	}
}

// anchor gives each of the named places the same weight and the others, in
// equal parts, the rest of a whole. Places that coincide are one, and -1 is
// none; those that are left keep the sum of all of them. With nobody else the
// whole is theirs.
func anchor(weights []float64, each float64, places ...int) {
	sum := each * float64(len(places))
	slices.Sort(places)
	places = slices.DeleteFunc(slices.Compact(places), func(i int) bool { return i < 0 })
	others := len(weights) - len(places)
	for i := range weights {
		if others > 0 {
			weights[i] = (1 - sum) / float64(others)
		}
	}
	for _, p := range places {
		weights[p] = sum / float64(len(places))
	}
}
