package jobs

import (
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// stepPlan is the step at which a raw event stops that does not fit the plan.
const stepPlan = "plan"

// maxFindings is how many violations of one raw event are counted: beyond,
// its rules are wrong as a whole, and more of the same tell nothing new.
const maxFindings = 200

// finding is one violation of a raw event and the rule that led to it.
type finding struct {
	lifecycle.Violation
	rule string
}

// judge notes what about an event does not fit, and takes away what the plan
// wants to have taken away.
func (m *mapped) judge(e *lifecycle.Event, found []lifecycle.Violation, rule string) {
	e.Strip(found)
	for _, v := range found {
		if len(m.found) < maxFindings || v.Action == lifecycle.Quarantine {
			m.found = append(m.found, finding{v, rule})
		}
	}
}

// govern makes of all findings one outcome of the raw event, which is taken or
// parked as a whole. The first finding that parks it gives the reason, else
// the first that marks it.
func (m *mapped) govern() {
	var mark *finding
	for i := range m.found {
		f := &m.found[i]
		switch {
		case f.Action == lifecycle.Quarantine:
			m.outcome = store.Outcome{Status: store.Quarantined, Step: stepPlan, Reason: string(f.Class), Detail: f.Error(), Rule: f.rule}
			m.events, m.hold, m.written = nil, 0, nil
			return
		case mark == nil && f.Action != lifecycle.Allow:
			mark = f
		}
	}
	if mark != nil {
		m.outcome.Step, m.outcome.Reason, m.outcome.Detail = stepPlan, string(mark.Class), mark.Error()
		if mark.Action == lifecycle.Strip {
			m.outcome.Detail += "; it was taken away"
		}
	}
}
