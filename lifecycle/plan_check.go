package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ViolationClass says in what way an event does not fit the plan.
type ViolationClass string

// The classes.
const (
	ViolationReserved  ViolationClass = "reserved_event"   // a decision's name, told by a connection
	ViolationUnplanned ViolationClass = "unplanned_event"  // the plan does not know the name
	ViolationMissing   ViolationClass = "missing_property" // a required property is not there
	ViolationType      ViolationClass = "wrong_type"       // a property is of another type
)

// Violation is the first thing about an event that does not fit the plan.
type Violation struct {
	Class ViolationClass
	Event EventName
	// Property and Want are set for a missing or mistyped property.
	Property string
	Want     PropertyType
	// Action is what the plan asks for: Tag or Quarantine.
	Action Unplanned
}

// Error says it in words, without the value, so that a Violation can be
// reported as an error.
func (v *Violation) Error() string {
	switch v.Class {
	case ViolationReserved:
		return fmt.Sprintf("event %q: the category %s is kept for decisions", v.Event, ReservedCategory)
	case ViolationUnplanned:
		return fmt.Sprintf("event %q: is not in the plan", v.Event)
	case ViolationMissing:
		return fmt.Sprintf("event %q: property %q is missing", v.Event, v.Property)
	}
	return fmt.Sprintf("event %q: property %q is not of type %s", v.Event, v.Property, v.Want)
}

// Check compares a mapped event with the plan. It gives nil when the event
// fits or when the plan allows everything. A plan that describes events knows
// these and those that its conditions and its revenue read; one that describes
// none knows the vocabulary. A reserved name is always quarantined.
func (p *Plan) Check(e *Event) *Violation {
	if strings.HasPrefix(string(e.Name), ReservedCategory) {
		if e.IsDecision() {
			return nil
		}
		return &Violation{Class: ViolationReserved, Event: e.Name, Action: Quarantine}
	}
	if p.unplanned == Allow {
		return nil
	}
	if !p.planned(e.Name) {
		return &Violation{Class: ViolationUnplanned, Event: e.Name, Action: p.unplanned}
	}
	properties := p.known[e.Name].Properties
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		spec := properties[name]
		v := e.Properties[name]
		switch {
		case v == nil && spec.Required:
			return &Violation{ViolationMissing, e.Name, name, spec.Type, p.unplanned}
		case v != nil && !spec.Type.fits(v):
			return &Violation{ViolationType, e.Name, name, spec.Type, p.unplanned}
		}
	}
	return nil
}

// planned tells whether the plan knows a name.
func (p *Plan) planned(name EventName) bool {
	if p.readsEvent(name) || slices.Contains(p.revenue, name) {
		return true
	}
	known := p.known
	if p.listed {
		known = p.events
	}
	_, ok := known[name]
	return ok
}

// fits tells whether a value is of the type. Texts that spell a number or a
// time count as one, since vendors send both.
func (t PropertyType) fits(v any) bool {
	switch t {
	case TypeText:
		_, ok := v.(string)
		return ok
	case TypeBoolean:
		_, ok := v.(bool)
		return ok
	case TypeList:
		_, ok := v.([]any)
		return ok
	case TypeMap:
		_, ok := v.(map[string]any)
		return ok
	case TypeNumber:
		_, ok := compareValues(v, int64(0))
		return ok
	case TypeInteger:
		return isInteger(v)
	case TypeTime:
		return isTime(v)
	}
	return true
}

func isInteger(v any) bool {
	switch x := v.(type) {
	case int64:
		return true
	case float64:
		return x == float64(int64(x))
	case string:
		digits := strings.TrimPrefix(x, "-")
		return digits != "" && len(digits) <= 40 && strings.Trim(digits, "0123456789") == ""
	}
	return false
}

func isTime(v any) bool {
	switch x := v.(type) {
	case int64:
		return true
	case string:
		if _, err := time.Parse(time.RFC3339Nano, x); err == nil {
			return true
		}
		_, err := strconv.ParseInt(x, 10, 64)
		return err == nil
	}
	return false
}
