package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// readsStages tells whether a report's figures are about stages, so that it can
// be asked about a further lifecycle.
func (o *Options) readsStages(name string) bool {
	switch name {
	case "contact", "content", "conversion", "funnel", "precedes", "stay", "surveys", "tickets":
		return true
	case "churn", "economics":
		return o.Basis == BasisStage
	}
	return false
}

// ReadsStages tells whether a report can be about one of the plan's further
// lifecycles under some options.
func ReadsStages(name string) bool {
	return (&Options{Settings: Settings{Basis: BasisStage}}).readsStages(name)
}

// checkLifecycle tells whether the lifecycle asked for has a meaning for a report.
func (o *Options) checkLifecycle(name string) error {
	switch {
	case o.Lifecycle == "" || o.readsStages(name):
		return nil
	case ReadsStages(name):
		return &FieldError{"lifecycle", "has a meaning for " + name + " with the basis stage only"}
	}
	return &FieldError{"lifecycle", "has no meaning for " + name + ", which is not about stages"}
}

// fillStages finds the stages that the report is about. The error is a
// *FieldError where the plan has no such lifecycle, or that none of the stages
// named, which would be nobody's.
func (o *Options) fillStages(plan *lifecycle.Plan) error {
	if o.Lifecycle == "" {
		o.stages = plan.Stages()
		return nil
	}
	there := []string{lifecycle.MainLifecycle}
	for _, l := range plan.Lifecycles() {
		there = append(there, l.ID)
		if l.ID == o.Lifecycle {
			o.stages = l.Stages
		}
	}
	if o.stages == nil {
		return &FieldError{"lifecycle", fmt.Sprintf("is %q, want one of the plan's: %s", o.Lifecycle, strings.Join(there, ", "))}
	}
	names := o.stageNames()
	for _, name := range o.Stages {
		if !slices.Contains(names, name) {
			return &FieldError{"stages", fmt.Sprintf("have %q, which the lifecycle %s does not have", name, o.Lifecycle)}
		}
	}
	return nil
}

// stageNames gives the names of the stages, in the order of the plan.
func (o *Options) stageNames() []lifecycle.Stage {
	all := make([]lifecycle.Stage, len(o.stages))
	for i := range o.stages {
		all[i] = o.stages[i].Name
	}
	return all
}

// path gives the stages that are no side stages, in order.
func (o *Options) path() []lifecycle.Stage {
	var path []lifecycle.Stage
	for _, s := range o.stages {
		if !s.Side {
			path = append(path, s.Name)
		}
	}
	return path
}
