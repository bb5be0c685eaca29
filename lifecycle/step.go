package lifecycle

import "slices"

// step looks at a person at one instant: with an event that has just been
// absorbed, or because a timer is due. The stage is decided first, by
// conditions that see the stage held until now; then the segments, which see
// the new stage; then the next check is set.
func (r *run) step(t Instant, e *Event) {
	prof := r.prof
	r.now = t
	var reason ConflictReason
	var shown Claim // what an event that may outrank it finds
	if e != nil && (e.Claim != "" || e.IsDecision()) && len(prof.claims) > 0 {
		shown = r.shownClaim()
	}
	if e != nil && e.Claim != "" {
		reason = r.claim(e)
	}
	scores, scored := never, false
	if len(r.plan.scores) > 0 {
		scores, scored = r.scoreStep(t, e)
	}
	// Every lifecycle is decided by the stages held until now.
	d := &r.d
	*d = r.decide(&r.course)
	for i := range r.others {
		r.others[i].d = r.decide(&r.others[i])
	}
	changed := r.latch(t) || scored
	switch {
	case reason != "" && d.stage != e.Claim:
		r.conflict(e, e.Claim, d.conflict(reason))
	case reason == ConflictNotAhead && d.via == ViaPath:
		d.why = claimReason(e.Connection)
	}
	r.settleConflicts(d)
	if shown.Stage != "" {
		r.outrank(&shown, d)
	}

	shifted := r.settle(&r.course, t, e)
	moved, next := r.moved, d.next
	for i := range r.others {
		c := &r.others[i]
		changed = c.latch(t) || changed
		shifted = r.settle(c, t, e) || shifted
		moved, next = moved || c.moved, min(next, c.d.next)
	}
	if shifted {
		next = r.relook(t)
	}
	flips := r.segments(&r.tr, t)
	next = min(next, flips, scores)
	if r.moved || len(r.tr.Entered)+len(r.tr.Exited) > 0 {
		r.emit(&r.tr, t, e, d)
		changed = true
	}
	for i := range r.others {
		if c := &r.others[i]; c.moved {
			r.emit(&c.tr, t, e, &c.d)
		}
	}
	if e == nil && (changed || shifted) {
		prof.timed = t
	}
	if e == nil && moved {
		prof.idle++
	}
	r.schedule(t, next)
}

// schedule sets the next check. It is always later than t, so that timers come
// to an end.
func (r *run) schedule(t, next Instant) {
	switch {
	case next == never || r.prof.idle >= r.plan.patience():
		next = 0
	case next <= t:
		next = t + 1
	case next == 0:
		next = 1 // zero means none
	}
	r.prof.NextCheck = next
}

// move takes a person into another stage.
func (r *run) move(c *course, tr *Transition, t Instant, e *Event, d *decision) {
	at := c.at
	tr.Kind, tr.Skipped = c.kind(e, d.stage)
	if v := at.visit(at.Stage); v != nil {
		v.Left = t
		v.Total = addSaturated(v.Total, int64(t-v.Last))
	}
	if d.stage != "" {
		v := at.visit(d.stage)
		if v == nil {
			at.visits = append(at.visits, Visit{Stage: d.stage, First: t})
			v = &at.visits[len(at.visits)-1]
		}
		v.Count++
		v.Last = t
	}
	at.Stage, at.Since = d.stage, t
	at.StageEvent, at.StageInbox = EventID{}, 0
	if e != nil {
		at.StageEvent, at.StageInbox = e.ID, e.Inbox
	}
	if c.PathIndex(d.stage) >= 0 {
		at.position = d.stage
	}
}

// kind says what sort of move leads to a stage, measured from the last path
// stage shown.
func (c *course) kind(e *Event, to Stage) (Kind, []Stage) {
	from, place := c.PathIndex(c.at.position), c.PathIndex(to)
	onPath := c.at.Stage == "" || c.PathIndex(c.at.Stage) >= 0
	switch {
	case e != nil && e.decides(c.id):
		return KindManual, nil
	case to == "" || onPath && place >= 0 && place < from:
		return KindBack, nil
	case c.at.visit(to) != nil:
		return KindReEntry, nil
	case place >= 0 && place < from:
		return KindBack, nil
	case place > from+1:
		skipped := make([]Stage, 0, place-from-1)
		for _, s := range c.track.path[from+1 : place] {
			skipped = append(skipped, s.name)
		}
		return KindSkip, skipped
	}
	return KindForward, nil
}

// segments brings the memberships up to date and gives their next flip.
func (r *run) segments(tr *Transition, t Instant) Instant {
	prof, next := r.prof, never
	var truth [MaxSegments / 64]uint64
	held, changed := 0, false
	for i, s := range r.plan.segments {
		for held < len(prof.Segments) && prof.Segments[held].Name < s.name {
			held++
			changed = true // one that the plan no longer has
		}
		has := held < len(prof.Segments) && prof.Segments[held].Name == s.name
		since := Instant(0)
		if has {
			since = prof.Segments[held].Since
			held++
		}
		ok, n := s.holds(&r.view, has, since)
		next = min(next, n)
		if ok {
			truth[i/64] |= 1 << (i % 64)
		}
		changed = changed || ok != has
	}
	if changed || held < len(prof.Segments) {
		r.changeSegments(tr, t, &truth)
	}
	return next
}

func (r *run) changeSegments(tr *Transition, t Instant, truth *[MaxSegments / 64]uint64) {
	old := r.prof.Segments
	list := make([]Membership, 0, len(old)+1)
	for i, s := range r.plan.segments {
		for len(old) > 0 && old[0].Name < s.name {
			tr.Exited = append(tr.Exited, old[0].Name)
			old = old[1:]
		}
		has := len(old) > 0 && old[0].Name == s.name
		in := truth[i/64]&(1<<(i%64)) != 0
		switch {
		case has && in:
			list = append(list, old[0])
		case has:
			tr.Exited = append(tr.Exited, s.name)
		case in:
			list = append(list, Membership{s.name, t})
			tr.Entered = append(tr.Entered, s.name)
		}
		if has {
			old = old[1:]
		}
	}
	for _, m := range old {
		tr.Exited = append(tr.Exited, m.Name)
	}
	r.prof.Segments = list
}

// emit completes a transition and adds it to the outcome.
func (r *run) emit(tr *Transition, t Instant, e *Event, d *decision) {
	r.prof.Moves++
	tr.Seq, tr.At, tr.Decided, tr.PlanVersion = r.prof.Moves, t, r.decided, r.plan.version
	if e != nil {
		tr.Event, tr.Inbox = e.ID, e.Inbox
	}
	tr.Condition = d.why
	if tr.From == tr.To {
		tr.Condition = r.segmentReason(tr)
	}
	r.prof.history.add(tr)
	r.out = append(r.out, *tr)
}

// segmentReason gives the conditions of the segments that changed.
func (r *run) segmentReason(tr *Transition) string {
	why := ""
	for _, s := range r.plan.segments {
		entered := slices.Contains(tr.Entered, s.name)
		if !entered && !slices.Contains(tr.Exited, s.name) {
			continue
		}
		if why != "" {
			why += "; "
		}
		if entered {
			why += s.why
		} else {
			why += s.out
		}
	}
	return why
}
