package connectors

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// LifecyclePush says how the stage in one of the plan's further lifecycles is
// written: into a field of its own, as traits are.
type LifecyclePush struct {
	// Field is the vendor's field; empty: sb_stage_ and the lifecycle's id.
	Field string `json:"field,omitempty" yaml:"field,omitempty"`
	// Stages translates our stage names into the vendor's; empty: unchanged.
	// While the person is in a stage that it, when not empty, does not name, the
	// field is left alone.
	Stages map[string]string `json:"stages,omitempty" yaml:"stages,omitempty"`
}

// FieldOf gives the vendor's field for a lifecycle.
func (p LifecyclePush) FieldOf(id string) string {
	if p.Field != "" {
		return p.Field
	}
	return "sb_stage_" + id
}

// Theirs gives a stage in the vendor's spelling; false where the field is left
// alone. An empty stage, which clears the field, stays empty.
func (p LifecyclePush) Theirs(stage lifecycle.Stage) (string, bool) {
	if stage == "" || len(p.Stages) == 0 {
		return string(stage), true
	}
	theirs, ok := p.Stages[string(stage)]
	return theirs, ok
}

// CheckLifecycles tells of a field that two things would be written into; nil
// where there is none.
func (p *PushConfig) CheckLifecycles() error {
	taken := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(p.Lifecycles)) {
		field := p.Lifecycles[id].FieldOf(id)
		switch other, twice := taken[field]; {
		case twice:
			return fmt.Errorf("%s and %s are written into one field, %q", other, id, field)
		case p.Traits[field] != "":
			return fmt.Errorf("%s is written into the field %q, which is that of a trait", id, field)
		}
		taken[field] = id
	}
	return nil
}
