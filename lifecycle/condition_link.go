package lifecycle

// link compiles a tree into closures. It runs once all conditions of a plan
// are parsed, since only then the places of the event names are known.
func (x *expr) link(slots map[EventName]int) condition {
	switch x.op {
	case opNot:
		inner := x.kids[0].link(slots)
		x.eval = func(v *view) (bool, Instant) {
			ok, next := inner(v)
			return !ok, next
		}
	case opAnd, opOr:
		kids := make([]condition, len(x.kids))
		for i, k := range x.kids {
			kids[i] = k.link(slots)
		}
		x.eval = all(kids)
		if x.op == opOr {
			x.eval = some(kids)
		}
	default:
		l := x.leaf
		l.slot = slots[l.event]
		l.left.slot, l.right.slot = slots[l.left.event], slots[l.right.event]
		x.eval = l.link()
	}
	return x.eval
}

// all is true while every branch is. While it is false it stays so at least
// until the last of the false branches can change, which spares evaluations
// that could find nothing new.
func all(kids []condition) condition {
	return func(v *view) (bool, Instant) {
		truth, next := true, never
		for _, k := range kids {
			ok, n := k(v)
			switch {
			case !ok && n == never:
				return false, never
			case !ok && truth:
				truth, next = false, n
			case !ok:
				next = max(next, n)
			case truth:
				next = min(next, n)
			}
		}
		return truth, next
	}
}

// some is true while at least one branch is; the mirror of all.
func some(kids []condition) condition {
	return func(v *view) (bool, Instant) {
		truth, next := false, never
		for _, k := range kids {
			ok, n := k(v)
			switch {
			case ok && n == never:
				return true, never
			case ok && !truth:
				truth, next = true, n
			case ok:
				next = max(next, n)
			case !truth:
				next = min(next, n)
			}
		}
		return truth, next
	}
}

// during is true in the half-open window that starts at an instant: from it
// until just before it plus the span.
func during(start, span, now Instant) (bool, Instant) {
	if end := start.after(span); now < end {
		return true, end
	}
	return false, never
}

// since is true from an instant plus a span on.
func since(start, span, now Instant) (bool, Instant) {
	if due := start.after(span); now < due {
		return false, due
	}
	return true, never
}

func (l *leaf) link() condition {
	slot, span, n, of := l.slot, l.window, l.n, l.of
	switch l.kind {
	case leafLiteral:
		truth := l.value == true
		return func(*view) (bool, Instant) { return truth, never }
	case leafSeen:
		return func(v *view) (bool, Instant) { return v.places[slot] >= 0, never }
	case leafAtLeast:
		return func(v *view) (bool, Instant) {
			f := v.fact(slot)
			if f == nil || len(f.Newest) < n {
				return false, never
			}
			return during(f.Newest[len(f.Newest)-n], span, v.now)
		}
	case leafWithin:
		return func(v *view) (bool, Instant) {
			f := v.fact(slot)
			if f == nil {
				return false, never
			}
			return during(f.Last, span, v.now)
		}
	case leafIdle:
		return func(v *view) (bool, Instant) {
			f := v.fact(slot)
			if f == nil {
				return false, never
			}
			return since(f.Last, span, v.now)
		}
	case leafNever:
		return func(v *view) (bool, Instant) {
			first, _ := v.seen(of)
			if first == 0 || v.places[slot] >= 0 {
				return false, never
			}
			return since(first, span, v.now)
		}
	case leafInactive:
		return func(v *view) (bool, Instant) {
			_, active := v.seen(of)
			if active == 0 {
				return false, never
			}
			return since(active, span, v.now)
		}
	case leafHasBeen:
		return l.linkHasBeen()
	case leafWas, leafLeft, leafInStageFor:
		return l.linkStage()
	case leafBefore, leafAfter:
		return l.linkInstant()
	}
	if l.left.kind == operandScore {
		return l.linkScore()
	}
	if l.left.isDays() {
		return l.linkDays()
	}
	truth := l.linkCompare()
	return func(v *view) (bool, Instant) { return truth(v), never }
}

func (l *leaf) linkHasBeen() condition {
	name, want, span := l.trait, l.value, l.window
	return func(v *view) (bool, Instant) {
		i, ok := v.prof.findTrait(name)
		if !ok || !equalValues(v.prof.traits[i].Value, want) {
			return false, never
		}
		return since(v.prof.traits[i].Since, span, v.now)
	}
}

// linkStage compiles the functions over where the person is and has been.
func (l *leaf) linkStage() condition {
	stage, span, of := l.stage, l.window, l.of
	switch l.kind {
	case leafWas:
		return func(v *view) (bool, Instant) { return v.standing(of).visit(stage) != nil, never }
	case leafLeft:
		return func(v *view) (bool, Instant) {
			at := v.standing(of)
			visit := at.visit(stage)
			if visit == nil || visit.Left == 0 || at.Stage == stage {
				return false, never
			}
			return during(visit.Left, span, v.now)
		}
	}
	return func(v *view) (bool, Instant) {
		at := v.standing(of)
		if at.Stage == "" {
			return false, never
		}
		return since(at.Since, span, v.now)
	}
}
