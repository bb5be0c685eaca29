package jobs

import (
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// Rollout is a version of the plan that a share of all people is under, while
// the others are under the one before it.
type Rollout struct {
	// Share in hundredths of a percent; see InShare.
	Share  int64
	Plan   *lifecycle.Plan
	Source store.Versioned
}

// InShare tells whether a person is among a share of all, in hundredths of a
// percent. It depends on the id alone, and whoever is in a share is in every
// greater one, so widening never takes anybody back.
func InShare(id lifecycle.ProfileID, share int64) bool {
	// The finaliser of SplitMix64 spreads ids, which come one after the other,
	// evenly over all numbers.
	x := uint64(id) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return int64(x%store.WholeShare) < share
}

// PlanOf gives the plan that a person is under.
func (c *Config) PlanOf(id lifecycle.ProfileID) *lifecycle.Plan {
	if c.Rollout != nil && InShare(id, c.Rollout.Share) {
		return c.Rollout.Plan
	}
	return c.Plan
}

// plans gives all that are in force: one, or two while a version is rolled out.
func (c *Config) plans() []*lifecycle.Plan {
	if c.Rollout == nil {
		return []*lifecycle.Plan{c.Plan}
	}
	return []*lifecycle.Plan{c.Plan, c.Rollout.Plan}
}
