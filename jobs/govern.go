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

// violations adds up what was found in the raw events that the batch finishes,
// each row under its own connection. Those that wait for their time or were
// echoes are judged when, and as far as, they are taken.
func (w *work) violations(rows []store.Row) []store.Violation {
	type place struct {
		connection string
		class      lifecycle.ViolationClass
		event      lifecycle.EventName
		property   string
		rule       string
	}
	var at map[place]int
	var all []store.Violation
	for i := range rows {
		m, row := &w.rows[i], &rows[i]
		if len(m.found) == 0 || m.hold != 0 {
			continue
		}
		if at == nil {
			at = map[place]int{}
		}
		for _, f := range m.found {
			p := place{row.Connection, f.Class, f.Event, f.Property, f.rule}
			n, ok := at[p]
			if !ok {
				n = len(all)
				at[p] = n
				all = append(all, store.Violation{Connection: row.Connection, Class: f.Class, Event: f.Event, Property: f.Property, Rule: f.rule,
					Action: f.Action, First: row.Received, Last: row.Received})
			}
			count(&all[n], row, f.Action)
		}
	}
	return all
}

// count adds one finding in a raw event. The newest samples come first.
func count(v *store.Violation, row *store.Row, action lifecycle.Action) {
	if row.Replayed {
		v.Replayed++
	} else {
		v.Count++
	}
	v.First = min(v.First, row.Received)
	if row.Received >= v.Last {
		v.Last, v.Action = row.Received, action
	}
	if len(v.Samples) > 0 && v.Samples[0] == row.ID {
		return
	}
	v.Samples = append([]int64{row.ID}, v.Samples[:min(len(v.Samples), store.MaxSamples-1)]...)
}
