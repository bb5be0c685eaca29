package lifecycle

import "slices"

// TraitState is a trait as it stands: the write with the greatest (At, Event)
// has won. A removed trait stays with a nil Value, so that an older write that
// arrives later does not bring it back.
type TraitState struct {
	Name  string
	Value any
	// At is when the value was told to be true, Event which event told it.
	At    Instant
	Event EventID
	// Since is from when on the value has been what it is; writing an equal
	// value again does not move it.
	Since Instant
}

// TraitEmail is the trait that an e-mail address among an event's keys sets.
const TraitEmail = "email"

func (prof *Profile) findTrait(name string) (int, bool) {
	lo, hi := 0, len(prof.traits)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if prof.traits[mid].Name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(prof.traits) && prof.traits[lo].Name == name
}

// setTrait applies one write by the rule of the last writer. Of two writes by
// one event at one time the later in its list wins.
func (prof *Profile) setTrait(name string, value any, at Instant, by EventID, planned bool) {
	i, ok := prof.findTrait(name)
	if !ok {
		if !planned && (len(prof.traits) >= MaxTraits || len(name) > MaxNameBytes || name == "") {
			return
		}
		prof.traits = slices.Insert(prof.traits, i, TraitState{name, cleanValue(value), at, by, at})
		return
	}
	t := &prof.traits[i]
	if at < t.At || at == t.At && string(by[:]) < string(t.Event[:]) {
		return
	}
	value = cleanValue(value)
	if !equalValues(t.Value, value) {
		t.Since = at
	}
	t.Value, t.At, t.Event = value, at, by
}

// setTraits applies what an event tells. The address in its keys comes first,
// so that a trait "email" written by a rule decides where both are there.
func (r *run) setTraits(e *Event, ordinary bool) (read bool) {
	if ordinary {
		for i := range e.Identity {
			if e.Identity[i].Namespace == NamespaceEmail {
				planned := r.plan.readsTrait(TraitEmail)
				r.prof.setTrait(TraitEmail, e.Identity[i].Value, e.At, e.ID, planned)
				read = planned
				break
			}
		}
	}
	for i := range e.Traits {
		t := &e.Traits[i]
		at := t.At
		if at == 0 {
			at = e.At
		}
		if r.plan.score(t.Name) != nil {
			continue // what the plan computes is not told by others
		}
		planned := r.plan.readsTrait(t.Name)
		r.prof.setTrait(t.Name, t.Value, at, e.ID, planned)
		read = read || planned
	}
	return read
}
