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
	if e != nil && e.Claim != "" {
		reason = r.claim(e)
	}
	scores, scored := never, false
	if len(r.plan.scores) > 0 {
		scores, scored = r.scoreStep(t, e)
	}
	d := r.decide()
	changed := scored || d.path != r.path || d.fallTo != prof.fallTo || d.fallSince != prof.fallSince
	r.raisePath(d.path, t)
	prof.fallTo, prof.fallSince = d.fallTo, d.fallSince
	switch {
	case reason != "" && d.stage != e.Claim:
		r.conflict(e, e.Claim, d.conflict(reason))
	case reason == ConflictNotAhead && d.via == ViaPath:
		d.why = claimReason(e.Connection)
	}
	r.settleConflicts(&d)

	tr := Transition{From: prof.Stage, To: d.stage, Kind: KindSegments}
	moved := d.stage != prof.Stage
	next := d.next
	held := prof.bySide
	prof.bySide = d.via == ViaSide
	changed = changed || held != prof.bySide
	if moved {
		r.move(&tr, t, e, &d)
	}
	if moved || held != prof.bySide {
		next = r.relook(t, next)
	}
	flips := r.segments(&tr, t)
	next = min(next, flips, scores)
	if moved || len(tr.Entered)+len(tr.Exited) > 0 {
		r.emit(&tr, t, e, &d)
		changed = true
	}
	if e == nil && changed {
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
	case next == never || r.prof.idle >= maxIdleMoves:
		next = 0
	case next <= t:
		next = t + 1
	case next == 0:
		next = 1 // zero means none
	}
	r.prof.NextCheck = next
}

// raisePath latches a path stage.
func (r *run) raisePath(path int, t Instant) {
	if path > r.path {
		r.path = path
		r.prof.Path, r.prof.PathSince = r.plan.path[path].name, t
	}
}

// relook gives the next flip of the stage conditions now that they see the
// new stage; next is what it was before. If they would decide otherwise, that
// is the next microsecond.
func (r *run) relook(t, next Instant) Instant {
	if !r.plan.stageReads {
		return next
	}
	d := r.decide()
	if d.path != r.path || d.stage != r.prof.Stage {
		return t + 1
	}
	return d.next
}

// move takes a person into another stage.
func (r *run) move(tr *Transition, t Instant, e *Event, d *decision) {
	prof := r.prof
	tr.Kind, tr.Skipped = r.kind(e, d.stage)
	if v := prof.visit(prof.Stage); v != nil {
		v.Left = t
		v.Total = addSaturated(v.Total, int64(t-v.Last))
	}
	if d.stage != "" {
		v := prof.visit(d.stage)
		if v == nil {
			prof.visits = append(prof.visits, Visit{Stage: d.stage, First: t})
			v = &prof.visits[len(prof.visits)-1]
		}
		v.Count++
		v.Last = t
	}
	prof.Stage, prof.Since = d.stage, t
	prof.StageEvent, prof.StageInbox = EventID{}, 0
	if e != nil {
		prof.StageEvent, prof.StageInbox = e.ID, e.Inbox
	}
	if r.plan.PathIndex(d.stage) >= 0 {
		prof.position = d.stage
	}
}

// kind says what sort of move leads to a stage, measured from the last path
// stage shown.
func (r *run) kind(e *Event, to Stage) (Kind, []Stage) {
	at, place := r.plan.PathIndex(r.prof.position), r.plan.PathIndex(to)
	onPath := r.prof.Stage == "" || r.plan.PathIndex(r.prof.Stage) >= 0
	switch {
	case e != nil && e.IsDecision():
		return KindManual, nil
	case to == "" || onPath && place >= 0 && place < at:
		return KindBack, nil
	case r.prof.visit(to) != nil:
		return KindReEntry, nil
	case place >= 0 && place < at:
		return KindBack, nil
	case place > at+1:
		skipped := make([]Stage, 0, place-at-1)
		for _, s := range r.plan.path[at+1 : place] {
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
