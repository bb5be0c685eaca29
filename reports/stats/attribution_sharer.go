package stats

import (
	"fmt"
	"slices"
)

// Sharer shares conversions one after the other, in memory that it keeps. What
// it gives is as Attribute and Credit give it, and valid until it is asked
// again. It is used by one goroutine.
type Sharer struct {
	journey       Journey
	counted       []int
	weights       []float64
	shares, parts []int64
	apportioned   []int64
}

// Take sets the journey that is to be shared. The error wraps ErrModel.
func (s *Sharer) Take(j Journey) error {
	if len(j.Touches) > maxTouches || j.Lookback < 0 || j.HalfLife < 0 {
		return fmt.Errorf("stats: attribution: %w: %d touches, lookback %s, half-life %s", ErrModel, len(j.Touches), j.Lookback, j.HalfLife)
	}
	s.journey, s.counted = j, j.counted(s.counted[:0])
	return nil
}

// Attribute is the function of that name about the journey taken.
func (s *Sharer) Attribute(model Model) ([]int64, error) {
	n := len(s.journey.Touches)
	s.shares = slices.Grow(s.shares[:0], n)[:n]
	clear(s.shares)
	switch len(s.counted) {
	case 1: // as most journeys are
		if model.known() {
			s.shares[s.counted[0]] = Whole
			return s.shares, nil
		}
	case 0:
		if model.known() {
			return s.shares, nil
		}
	}
	s.weights = slices.Grow(s.weights[:0], len(s.counted))[:len(s.counted)]
	clear(s.weights)
	if err := weigh(model, s.journey, s.counted, s.weights); err != nil {
		return nil, err
	}
	s.apportioned = apportion(s.weights, slices.Grow(s.apportioned[:0], len(s.counted))[:len(s.counted)])
	for i, part := range s.apportioned {
		s.shares[s.counted[i]] = part
	}
	return s.shares, nil
}

// Credit splits an amount by shares; see the function of that name.
func (s *Sharer) Credit(micros int64, shares []int64) ([]int64, error) {
	s.parts = slices.Grow(s.parts[:0], len(shares))[:len(shares)]
	clear(s.parts)
	if err := credit(micros, shares, s.parts); err != nil {
		return nil, err
	}
	return s.parts, nil
}
