package workspace

import (
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// readLifecycles reads which further lifecycles are written, and into which
// fields; nil for none. The plan, where there is one, knows which there are.
func readLifecycles(m *document.Reader, plan *lifecycle.Plan) map[string]connectors.LifecyclePush {
	var all map[string]connectors.LifecyclePush
	m.Entries("lifecycles", func(id string, r *document.Reader) {
		push := connectors.LifecyclePush{Field: r.OptText("field"), Stages: texts(r, "stages")}
		r.Unknown()
		if all == nil {
			all = map[string]connectors.LifecyclePush{}
		}
		all[id] = push
		if plan == nil {
			return
		}
		if !plan.HasLifecycle(id) {
			r.Fail("", "is a lifecycle that the plan does not have")
			return
		}
		for name := range push.Stages {
			if !slices.Contains(plan.StageNamesOf(id), lifecycle.Stage(name)) {
				r.Fail("stages", "names the stage %q, which the lifecycle %s does not have", name, id)
			}
		}
	})
	return all
}
