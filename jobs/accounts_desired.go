package jobs

import (
	"fmt"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// AccountDestination gives the connector if accounts are pushed here, else nil.
func (c *Conn) AccountDestination() connectors.AccountDestination {
	d, ok := c.Open.(connectors.AccountDestination)
	if !ok || !c.Push.Enabled || c.Push.Accounts == nil || !c.Push.Accounts.Enabled {
		return nil
	}
	return d
}

// accountsDue tells whether a change makes an account due here.
func (c *Conn) accountsDue(was, now *store.Account) bool {
	if c.AccountDestination() == nil {
		return false
	}
	p := c.Push.Accounts
	if was.Moves == 0 || vendorStage(p, was.Stage) != vendorStage(p, now.Stage) {
		return true
	}
	pushed := func(all []lifecycle.Segment) []lifecycle.Segment {
		return slices.DeleteFunc(slices.Clone(all), func(s lifecycle.Segment) bool { return !Pushes(p, string(s)) })
	}
	return !slices.Equal(pushed(was.Segments), pushed(now.Segments))
}

// wantAccount is want for an account.
func wantAccount(c *Conn, plan *lifecycle.Plan, a *store.Account, managed []string) connectors.State {
	p := c.Push.Accounts
	// Since when is not told: it could only be when it was found, see Account.Found.
	s := connectors.State{Stage: vendorStage(p, a.Stage)}
	names := slices.Clone(managed)
	for _, x := range plan.AccountSegments() {
		if Pushes(p, x.Name) {
			names = append(names, x.Name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if slices.Contains(a.Segments, lifecycle.Segment(name)) && Pushes(p, name) {
			s.Segments = append(s.Segments, name)
		} else {
			s.Absent = append(s.Absent, name)
		}
	}
	return s
}

// AccountPlan gives the plan that decides about an account: the one in force, or
// the one that is rolled out where all of the account's people are under it. An
// account whose people are measured in two ways waits for the end of the rollout.
func (c *Config) AccountPlan(people int64, t lifecycle.Tally) *lifecycle.Plan {
	for _, plan := range c.plans() {
		if _, settled := plan.AccountState(people, t); settled {
			return plan
		}
	}
	return c.Plan
}

// ExplainAccount says why an account is where it is, and by which plan.
func (r *Registry) ExplainAccount(a *store.Account) (lifecycle.AccountExplanation, *lifecycle.Plan, error) {
	t, err := lifecycle.DecodeTally(a.Tally)
	if err != nil {
		return lifecycle.AccountExplanation{}, nil, fmt.Errorf("jobs: account %s: %w", a.Key, err)
	}
	plan := r.Config().AccountPlan(a.People, t)
	return plan.ExplainAccount(a.People, t), plan, nil
}
