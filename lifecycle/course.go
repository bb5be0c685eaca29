package lifecycle

import (
	"cmp"
	"slices"
)

// course is a person in one lifecycle during a run.
type course struct {
	*track
	at   *Standing
	path int // place of at.Path; -1 for none
	// away: the person has not come to the lifecycle; a pin alone shows a stage.
	away bool

	// d, tr and moved belong to the present step.
	d     decision
	tr    Transition
	moved bool
}

// follow makes the courses of the further lifecycles that the person is in, and
// forgets those that the plan does not have.
func (r *run) follow() {
	r.others = r.others[:0]
	r.prof.lifecycles = slices.DeleteFunc(r.prof.lifecycles, func(l Lifecycle) bool { return r.plan.other(l.ID) == nil })
	for i := range r.prof.lifecycles {
		l := &r.prof.lifecycles[i]
		t := r.plan.other(l.ID)
		r.others = append(r.others, course{track: t, at: &l.Standing, path: t.PathIndex(l.Path), away: t.reading != nil && l.FirstSeen == 0})
	}
}

// attend takes the person into the lifecycles that read an event, and notes
// what these keep of it. It tells whether anything changed that they look at.
func (r *run) attend(e *Event) (touched bool) {
	decision := e.IsDecision()
	for _, t := range r.plan.others {
		if t.reading != nil && (decision || !t.reads(e.Name)) {
			continue
		}
		l := r.prof.lifecycle(t.id)
		if l == nil {
			l, touched = r.enrol(t.id), true
		}
		if t.reading == nil {
			continue
		}
		if l.FirstSeen == 0 {
			l.FirstSeen, touched = e.At, true
		}
		if r.plan.activity[e.Name] {
			l.LastActivity = e.At
			touched = touched || r.plan.activeRead
		}
	}
	if touched {
		r.follow()
	}
	return touched
}

// enrol adds a lifecycle to those the person is in.
func (r *run) enrol(id string) *Lifecycle {
	i, _ := slices.BinarySearchFunc(r.prof.lifecycles, id, func(l Lifecycle, id string) int { return cmp.Compare(l.ID, id) })
	r.prof.lifecycles = slices.Insert(r.prof.lifecycles, i, Lifecycle{ID: id})
	return &r.prof.lifecycles[i]
}

// pinElsewhere takes a pin, or its release, that is about a further lifecycle.
// What the plan does not know is passed over.
func (r *run) pinElsewhere(id string, pin Pin) {
	t := r.plan.other(id)
	if t == nil || pin.Stage != "" && (t.stage(pin.Stage) == nil || !pin.live(pin.At)) {
		return
	}
	l := r.prof.lifecycle(id)
	if l == nil && pin.Stage == "" {
		return
	}
	if l == nil {
		l = r.enrol(id)
	}
	l.pin = pin
	r.follow()
}

// latch keeps the path stage that was decided, and the move back that is held
// up. It tells whether either is new.
func (c *course) latch(t Instant) (changed bool) {
	changed = c.d.path != c.path || c.d.fallTo != c.at.fallTo || c.d.fallSince != c.at.fallSince
	c.raise(c.d.path, t)
	c.at.fallTo, c.at.fallSince = c.d.fallTo, c.d.fallSince
	return changed
}

// raise latches a path stage.
func (c *course) raise(path int, t Instant) {
	if path > c.path {
		c.path = path
		c.at.Path, c.at.PathSince = c.track.path[path].name, t
	}
}

// settle brings the person to the stage that was decided. It tells whether
// conditions that read stages may see anything new.
func (r *run) settle(c *course, t Instant, e *Event) (shifted bool) {
	held := c.at.bySide
	c.at.bySide = c.d.via == ViaSide
	c.tr = Transition{Lifecycle: c.id, From: c.at.Stage, To: c.d.stage, Kind: KindSegments}
	c.moved = c.d.stage != c.at.Stage
	if c.moved {
		r.move(c, &c.tr, t, e, &c.d)
	}
	return c.moved || held != c.at.bySide
}

// relook gives the next flip of the stage conditions now that they see the
// new stages. If they would decide otherwise, that is the next microsecond.
func (r *run) relook(t Instant) Instant {
	next := r.relookAt(&r.course, t)
	for i := range r.others {
		next = min(next, r.relookAt(&r.others[i], t))
	}
	return next
}

func (r *run) relookAt(c *course, t Instant) Instant {
	if !c.stageReads {
		return c.d.next
	}
	d := r.decide(c)
	if d.path != c.path || d.stage != c.at.Stage {
		return t + 1
	}
	return d.next
}

// decides tells whether an event is a decision about a lifecycle.
func (e *Event) decides(id string) bool {
	if !e.IsDecision() {
		return false
	}
	if e.Name != EventPinned && e.Name != EventUnpinned {
		return id == ""
	}
	return e.pinned() == id
}

// pinned gives the further lifecycle that a pin or its release is about; empty
// for the main one.
func (e *Event) pinned() string {
	id, _ := e.Properties[pinLifecycle].(string)
	if id == MainLifecycle {
		return ""
	}
	return id
}

const pinLifecycle = "lifecycle"

// About makes a pin or its release concern one of the plan's further lifecycles.
// An empty id and MainLifecycle leave it as it is.
func (e Event) About(id string) Event {
	if id == "" || id == MainLifecycle {
		return e
	}
	properties := map[string]any{pinLifecycle: id}
	for name, v := range e.Properties {
		properties[name] = v
	}
	e.Properties = properties
	return e
}
