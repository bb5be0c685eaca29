package lifecycle

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Violation is one thing about an event that does not fit the plan.
type Violation struct {
	Class ViolationClass
	Event EventName
	// Property that is missing or wrong; of a trait "traits." and its name.
	Property string
	// Want is the type that a missing or mistyped property should have.
	Want PropertyType
	// Looks says what an unmarked value looks like, for example "an IBAN".
	Looks string
	// Action is what the plan asks for.
	Action Action
}

// traitProperty stands before a trait's name in Violation.Property.
const traitProperty = "traits."

// Error says it in words, without the value, so that a Violation can be
// reported as an error.
func (v *Violation) Error() string {
	switch v.Class {
	case ViolationReserved:
		return fmt.Sprintf("event %q: the category %s is kept for decisions", v.Event, ReservedCategory)
	case ViolationEvent:
		return fmt.Sprintf("event %q: is not in the plan", v.Event)
	case ViolationMissing:
		return fmt.Sprintf("event %q: property %q is missing", v.Event, v.Property)
	case ViolationValue:
		return fmt.Sprintf("event %q: property %q has none of the values that the plan lists", v.Event, v.Property)
	case ViolationProperty:
		return fmt.Sprintf("event %q: property %q is not in the plan", v.Event, v.Property)
	case ViolationPII:
		return fmt.Sprintf("event %q: %q looks like %s, and the plan does not mark it", v.Event, v.Property, v.Looks)
	}
	return fmt.Sprintf("event %q: property %q is not of type %s", v.Event, v.Property, v.Want)
}

// judged is what Judge knows of one event name that is in the plan.
type judged struct {
	properties map[string]PropertySpec
	required   []string // sorted
	closed     bool
}

// judgement makes the table that Judge looks into. A plan that describes events
// knows these and those that its conditions and its revenue read; one that
// describes none knows the vocabulary as well.
func (p *Plan) judgement() {
	planned := slices.Concat(p.reads, p.revenue, slices.Collect(maps.Keys(p.events)))
	if !p.listed {
		planned = append(planned, slices.Collect(maps.Keys(p.known))...)
	}
	p.judged = make(map[EventName]*judged, len(planned))
	for _, name := range planned {
		spec := p.known[name]
		j := &judged{properties: spec.Properties, closed: spec.Closed}
		for property, s := range spec.Properties {
			if s.Required {
				j.required = append(j.required, property)
			}
		}
		slices.Sort(j.required)
		p.judged[name] = j
	}
}

// Judge compares a mapped event with the plan and gives every way in which it
// does not fit, each with the plan's action for the event's connection: by
// class, then by property. nil when it fits. The answer depends on nothing but
// event and plan, so no order of arrival changes it. It never changes e.
func (p *Plan) Judge(e *Event) []Violation {
	if strings.HasPrefix(string(e.Name), ReservedCategory) {
		if e.IsDecision() {
			return nil
		}
		return []Violation{{Class: ViolationReserved, Event: e.Name, Action: Quarantine}}
	}
	var found []Violation
	j := p.judged[e.Name]
	if j == nil {
		found = append(found, Violation{Class: ViolationEvent, Event: e.Name})
		j = &judged{}
	}
	for _, name := range j.required {
		if e.Properties[name] == nil {
			found = append(found, Violation{Class: ViolationMissing, Event: e.Name, Property: name, Want: j.properties[name].Type})
		}
	}
	for name, value := range e.Properties {
		if value == nil {
			continue
		}
		spec, described := j.properties[name]
		switch {
		case !described && j.closed:
			found = append(found, Violation{Class: ViolationProperty, Event: e.Name, Property: name})
		case !spec.Type.fits(value):
			found = append(found, Violation{Class: ViolationType, Event: e.Name, Property: name, Want: spec.Type})
		case !spec.allows(value):
			found = append(found, Violation{Class: ViolationValue, Event: e.Name, Property: name})
		}
		if spec.PII == PIIUnmarked {
			if looks := looksPersonal(value); looks != "" {
				found = append(found, Violation{Class: ViolationPII, Event: e.Name, Property: name, Looks: looks})
			}
		}
	}
	for i := range e.Traits {
		t := &e.Traits[i]
		if looks := looksPersonal(t.Value); looks != "" && p.TraitPII(t.Name) == PIIUnmarked {
			found = append(found, Violation{Class: ViolationPII, Event: e.Name, Property: traitProperty + t.Name, Looks: looks})
		}
	}
	if len(found) == 0 {
		return nil
	}
	for i := range found {
		found[i].Action = p.Action(found[i].Class, e.Connection)
	}
	slices.SortFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(slices.Index(classes[:], a.Class), slices.Index(classes[:], b.Class)),
			cmp.Compare(a.Property, b.Property), cmp.Compare(a.Looks, b.Looks))
	})
	return slices.Compact(found)
}

// Strip takes from the event what violations whose action is Strip name.
func (e *Event) Strip(found []Violation) {
	for _, v := range found {
		if v.Action != Strip {
			continue
		}
		if trait, ok := strings.CutPrefix(v.Property, traitProperty); ok && v.Class == ViolationPII && e.Properties[v.Property] == nil {
			e.Traits = slices.DeleteFunc(e.Traits, func(t Trait) bool { return t.Name == trait && looksPersonal(t.Value) != "" })
			continue
		}
		delete(e.Properties, v.Property)
	}
}

// allows tells whether a value is one of those listed. Numbers compare as
// numbers, also one that was sent as a text.
func (s *PropertySpec) allows(v any) bool {
	if len(s.Values) == 0 {
		return true
	}
	return slices.ContainsFunc(s.Values, func(want any) bool {
		if equalValues(v, want) {
			return true
		}
		c, ok := compareValues(v, want)
		return ok && c == 0 && s.Type != TypeText
	})
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

// JudgementPrint is a short text that two plans share when they judge every
// event alike, whatever else differs between them.
func (p *Plan) JudgementPrint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.judged)) {
		j := p.judged[name]
		fmt.Fprintf(h, "event %q %v\n", name, j.closed)
		for _, property := range slices.Sorted(maps.Keys(j.properties)) {
			s := j.properties[property]
			fmt.Fprintf(h, "property %q %q %v %q %#v\n", property, s.Type, s.Required, s.PII, s.Values)
		}
	}
	fmt.Fprintf(h, "actions %q\nconnections %q\n", p.rules.actions, p.rules.connections)
	for _, name := range slices.Sorted(maps.Keys(p.rules.traits)) {
		fmt.Fprintf(h, "trait %q %q\n", name, p.rules.traits[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Plans tells whether an event's name is in the plan; see Judge.
func (p *Plan) Plans(name EventName) bool { return p.judged[name] != nil }
