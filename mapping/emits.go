package mapping

import "github.com/stagebridge/stagebridge/lifecycle"

// Emission is one event that a rule may emit.
type Emission struct {
	// Rule is the rule's name, Line where the event stands in the file.
	Rule string
	Line int
	// Event is its name; Properties and Traits are those that the rule writes,
	// in the order of the file.
	Event      lifecycle.EventName
	Properties []string
	Traits     []string
}

// Emits lists everything that the rules may emit, in the order of the file.
func (rs *Ruleset) Emits() []Emission {
	var all []Emission
	for _, r := range rs.rules {
		for _, e := range r.emits {
			all = append(all, Emission{Rule: r.name, Line: e.node.Line, Event: e.event, Properties: written(e.properties), Traits: written(e.traits)})
		}
	}
	return all
}

func written(list []named) []string {
	var all []string
	for _, n := range list {
		all = append(all, n.name)
	}
	return all
}
