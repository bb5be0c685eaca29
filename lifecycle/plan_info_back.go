package lifecycle

import "time"

// BackInfo is what the plan says about moves back between stages of the path.
// The first that names both stages of a move decides about it.
type BackInfo struct {
	// From and To are lists of stages of the path, in its order.
	From, To []Stage
	// Policy is "allow", "forbid" or "after"; After is for how long what asks for
	// the move must hold with the latter.
	Policy string
	After  time.Duration
}

var backPolicies = map[backPolicy]string{backAllow: "allow", backForbid: "forbid", backAfter: "after"}

// Backs gives the policies for moves back of the main lifecycle, in the order
// of the plan.
func (p *Plan) Backs() []BackInfo {
	named := func(bits uint64) (names []Stage) {
		for i, s := range p.path {
			if bits&(1<<i) != 0 {
				names = append(names, s.name)
			}
		}
		return names
	}
	all := make([]BackInfo, len(p.back))
	for i, rule := range p.back {
		all[i] = BackInfo{named(rule.from), named(rule.to), backPolicies[rule.policy], time.Duration(rule.span) * time.Microsecond}
	}
	return all
}
