package lifecycle

// lifecycles writes where the person stands in the further lifecycles.
func (w *encoder) lifecycles(list []Lifecycle) {
	w.size(len(list))
	for i := range list {
		l := &list[i]
		w.text(l.ID)
		w.instant(l.FirstSeen)
		w.instant(l.LastActivity)
		w.text(string(l.Stage))
		w.instant(l.Since)
		w.id(l.StageEvent)
		w.int(l.StageInbox)
		w.text(string(l.Path))
		w.instant(l.PathSince)
		w.text(string(l.position))
		w.text(string(l.fallTo))
		w.instant(l.fallSince)
		w.flag(l.bySide)
		w.visits(l.visits)
		w.pin(&l.pin)
	}
}

// lifecycles reads what the encoder's wrote. Each takes at least its id, three
// names of stages and the event's id.
func (r *decoder) lifecycles() []Lifecycle {
	n := r.size(15 + len(EventID{}))
	if n == 0 {
		return nil
	}
	list := make([]Lifecycle, n)
	for i := range list {
		l := &list[i]
		l.ID, l.FirstSeen, l.LastActivity = r.text(), r.instant(), r.instant()
		if l.ID == "" || i > 0 && l.ID <= list[i-1].ID {
			r.fail()
		}
		l.Stage, l.Since, l.StageEvent, l.StageInbox = Stage(r.text()), r.instant(), r.id(), r.int()
		l.Path, l.PathSince = Stage(r.text()), r.instant()
		l.position, l.fallTo, l.fallSince = Stage(r.text()), Stage(r.text()), r.instant()
		l.bySide = r.number(1) == 1
		l.visits = r.visits()
		l.pin = r.pin()
	}
	return list
}

func (w *encoder) pin(pin *Pin) {
	w.text(string(pin.Stage))
	if pin.Stage == "" {
		return
	}
	w.instant(pin.At)
	w.instant(pin.Until)
	w.id(pin.Event)
	w.text(pin.Reason)
}

func (r *decoder) pin() (pin Pin) {
	if pin.Stage = Stage(r.text()); pin.Stage == "" {
		return pin
	}
	pin.At, pin.Until = r.instant(), r.instant()
	pin.Event = r.id()
	pin.Reason = r.text()
	return pin
}
