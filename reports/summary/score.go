package summary

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// scored notes the plan's own lead score after each event that changed it, in
// place of what events said.
func (p *Person) scored(plan *lifecycle.Plan, events []lifecycle.Event) {
	values := plan.ScoreAfter(events, LeadScore)
	if values == nil {
		return
	}
	kept, last := 0, int64(0)
	for i, e := range lifecycle.Effective(events) {
		if e.IsDecision() {
			continue
		}
		one := &p.Events[kept]
		one.Properties = slices.DeleteFunc(one.Properties, func(x Property) bool { return x.Name == LeadScore })
		if kept == 0 || values[i] != last {
			at, _ := slices.BinarySearchFunc(one.Properties, LeadScore, func(x Property, name string) int { return strings.Compare(x.Name, name) })
			one.Properties = slices.Insert(one.Properties, at, Property{LeadScore, strconv.FormatInt(values[i], 10)})
		}
		kept, last = kept+1, values[i]
	}
}
