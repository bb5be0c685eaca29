package lifecycle

// Clock tells, for a stage that the passing of time brought, from when the time
// was counted, and by which event if the condition names it: that of inactive is
// any activity. It is false for a stage that something else brought, or where
// the condition as it stands now does not tell.
func (x *Explanation) Clock() (from Instant, event EventName, ok bool) {
	if x.Event != (EventID{}) || x.Why == nil {
		return 0, "", false
	}
	x.Why.clocks(func(r *Reason) {
		// Of several spans the one that began last ended last.
		if r.At < x.Since && (!ok || r.At > from) {
			from, event, ok = r.At, r.Event, true
		}
	})
	return from, event, ok
}

// clocks gives the leaves that look at a span of time since something.
func (r *Reason) clocks(each func(*Reason)) {
	for i := range r.Kids {
		r.Kids[i].clocks(each)
	}
	if r.Op == "" && r.Window != 0 && r.At != 0 && r.By == (EventID{}) {
		each(r)
	}
}
