package mapping

import "github.com/stagebridge/stagebridge/lifecycle"

// Listed is what a rule says of itself.
type Listed struct {
	Name string
	// Type is the raw event type, with a trailing * for any that begin so.
	Type string
	// When is the condition's text; empty where there is none.
	When   string
	Line   int
	Events []lifecycle.EventName
}

// List gives the rules in the order of the file.
func (rs *Ruleset) List() []Listed {
	all := make([]Listed, len(rs.rules))
	for i, r := range rs.rules {
		all[i] = Listed{Name: r.name, Type: r.pattern(), Line: r.node.Line}
		if r.when != nil {
			all[i].When = r.when.Source()
		}
		for _, e := range r.emits {
			all[i].Events = append(all[i].Events, e.event)
		}
	}
	return all
}
