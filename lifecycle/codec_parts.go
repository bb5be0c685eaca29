package lifecycle

import (
	"math"
	"strings"
)

func (r *decoder) memberships() []Membership {
	n := r.size(2)
	if n == 0 {
		return nil
	}
	list := make([]Membership, n)
	for i := range list {
		list[i] = Membership{Segment(r.text()), r.instant()}
		if i > 0 && list[i].Name <= list[i-1].Name {
			r.fail()
		}
	}
	return list
}

func (r *decoder) facts() []Fact {
	n := r.size(6)
	if n == 0 || n > math.MaxInt16 {
		r.bad = r.bad || n > 0
		return nil
	}
	list := make([]Fact, n, n+1)
	for i := range list {
		f := &list[i]
		f.Name = EventName(r.text())
		if i > 0 && f.Name <= list[i-1].Name {
			r.fail()
		}
		f.Count, f.First, f.Last = r.int(), r.instant(), r.instant()
		if n := r.size(2); n > 0 {
			f.Sums = make([]Money, n)
			for j := range f.Sums {
				f.Sums[j].Currency = r.text()
				f.Sums[j].Micros = r.int()
				if j > 0 && f.Sums[j].Currency <= f.Sums[j-1].Currency {
					r.fail()
				}
			}
		}
		if n := r.size(1); n > 0 {
			f.Newest = make([]Instant, n, n+1)
			for j := range f.Newest {
				f.Newest[j] = r.instant()
			}
		}
	}
	return list
}

func (r *decoder) traits() []TraitState {
	n := r.size(3)
	if n == 0 {
		return nil
	}
	list := make([]TraitState, n, n+1)
	for i := range list {
		t := &list[i]
		flags := r.byte()
		t.Name = r.text()
		if i > 0 && t.Name <= list[i-1].Name || i == 0 && flags&traitSameTeller != 0 {
			r.fail()
		}
		if flags&traitSameTeller != 0 && i > 0 {
			t.At, t.Event = list[i-1].At, list[i-1].Event
		} else {
			t.At, t.Event = r.instant(), r.id()
		}
		t.Since = t.At
		if flags&traitFresh == 0 {
			t.Since = r.instant()
		}
		t.Value = r.value(0)
	}
	return list
}

func (r *decoder) value(depth int) any {
	if depth > maxTraitDepth+1 {
		r.fail()
		return nil
	}
	switch r.byte() {
	case valueNil:
		return nil
	case valueFalse:
		return false
	case valueTrue:
		return true
	case valueInt:
		return r.int()
	case valueFloat:
		f := math.Float64frombits(r.fixed())
		if r.bad || math.IsNaN(f) || math.IsInf(f, 0) {
			r.fail()
			return nil
		}
		return f
	case valueText:
		return r.text()
	case valueList:
		list := make([]any, r.size(1))
		for i := range list {
			list[i] = r.value(depth + 1)
		}
		return list
	case valueMap:
		m := map[string]any{}
		last := ""
		for i := range r.size(2) {
			k := r.text()
			if i > 0 && strings.Compare(k, last) <= 0 {
				r.fail()
			}
			m[k], last = r.value(depth+1), k
		}
		return m
	}
	r.fail()
	return nil
}

func (r *decoder) visits() []Visit {
	n := r.size(6)
	if n == 0 {
		return nil
	}
	list := make([]Visit, n, n+1)
	for i := range list {
		list[i] = Visit{Stage(r.text()), r.int(), r.instant(), r.instant(), r.instant(), r.int()}
	}
	return list
}

func (r *decoder) stances(prof *Profile) {
	if n := r.size(3 + len(EventID{})); n > 0 {
		prof.claims = make([]Claim, n)
		for i := range prof.claims {
			prof.claims[i] = Claim{r.text(), Stage(r.text()), r.instant(), r.id()}
			if i > 0 && prof.claims[i].Connection <= prof.claims[i-1].Connection {
				r.fail()
			}
		}
	}
	if n := r.size(4 + len(EventID{})); n > 0 {
		prof.conflicts = make([]Conflict, n)
		for i := range prof.conflicts {
			c := &prof.conflicts[i]
			c.Connection, c.Stage, c.At, c.Event, c.Reason = r.text(), Stage(r.text()), r.instant(), r.id(), ConflictReason(r.text())
			if r.version >= 2 {
				c.Won, c.By = Stage(r.text()), r.text()
			}
		}
	}
	prof.pin = r.pin()
}
