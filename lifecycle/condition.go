package lifecycle

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// condition evaluates to its truth at view.now and the next instant at which
// that can change if nothing but time passes: an instant strictly after now
// before which it surely does not change, or never.
type condition func(*view) (bool, Instant)

// view is what a condition looks at: a person at an instant.
type view struct {
	plan *Plan
	prof *Profile
	now  Instant
	// places holds, per event name that the plan reads, where its fact is in
	// prof.facts; -1 where there is none.
	places []int16
}

// standing is where the person stands in a lifecycle by id; all zero where not
// in it.
func (v *view) standing(of string) *Standing {
	if of == "" {
		return &v.prof.Standing
	}
	if s := v.prof.standing(of); s != nil {
		return s
	}
	return &Standing{}
}

// seen gives the times of the first event and the newest activity that a
// lifecycle with events of its own reads; of all for an empty id.
func (v *view) seen(of string) (first, active Instant) {
	if of == "" {
		return v.prof.FirstSeen, v.prof.LastActivity
	}
	if l := v.prof.lifecycle(of); l != nil {
		return l.FirstSeen, l.LastActivity
	}
	return 0, 0
}

func (v *view) fact(slot int) *Fact {
	if i := v.places[slot]; i >= 0 {
		return &v.prof.facts[i]
	}
	return nil
}

// locate finds the facts that the plan reads, both lists being sorted.
func (v *view) locate() {
	names, facts := v.plan.reads, v.prof.facts
	if cap(v.places) < len(names) {
		v.places = make([]int16, len(names))
	}
	v.places = v.places[:len(names)]
	f := 0
	for i, name := range names {
		for f < len(facts) && facts[f].Name < name {
			f++
		}
		v.places[i] = -1
		if f < len(facts) && facts[f].Name == name {
			v.places[i] = int16(f)
		}
	}
}

type exprOp uint8

const (
	opLeaf exprOp = iota
	opAnd
	opOr
	opNot
)

// expr is a condition as a tree: && and || with any number of branches, !
// with one, and leaves.
type expr struct {
	op   exprOp
	kids []*expr
	leaf *leaf
	eval condition // of this branch, set by link
}

type leafKind uint8

const (
	leafLiteral leafKind = iota // true, false
	leafSeen
	leafAtLeast
	leafWithin
	leafIdle
	leafNever
	leafInactive
	leafHasBeen
	leafWas
	leafLeft
	leafInStageFor
	leafBefore // left is a date
	leafAfter
	leafCompare // left, op, right
	leafIn      // left in list
	leafTruthy  // traits.x alone
)

// leaf is one yes/no function or comparison.
type leaf struct {
	kind   leafKind
	event  EventName
	slot   int
	n      int
	window Instant // microseconds
	stage  Stage
	of     string // the lifecycle that it looks at; empty: the main one, or everything
	trait  string
	value  any
	op     string
	left   operand
	right  operand
	list   []any
}

type operandKind uint8

const (
	operandLiteral operandKind = iota
	operandTrait
	operandCount
	operandSum
	operandStage
	operandSource
	operandDaysUntil
	operandDaysSince
	operandScore
)

// operand is one side of a comparison.
type operand struct {
	kind     operandKind
	value    any
	trait    string
	path     []string // into a trait that is a map
	event    EventName
	slot     int
	currency string
	score    *score
	of       string // operandStage: the lifecycle; empty: the main one
	named    bool   // … which the plan names by stage_of
}

// readsStage tells whether the truth depends on where the person is or was.
func (l *leaf) readsStage() bool {
	switch l.kind {
	case leafWas, leafLeft, leafInStageFor:
		return true
	}
	return l.left.kind == operandStage || l.right.kind == operandStage
}

// each calls f for every leaf.
func (x *expr) each(f func(*leaf)) {
	if x.op == opLeaf {
		f(x.leaf)
		return
	}
	for _, k := range x.kids {
		k.each(f)
	}
}

// text gives the leaf as a plan would spell it.
func (l *leaf) text() string {
	event := strconv.Quote(string(l.event))
	window := strconv.Quote(windowText(l.window))
	switch l.kind {
	case leafLiteral:
		return literalText(l.value)
	case leafSeen:
		return "seen(" + event + ")"
	case leafAtLeast:
		return fmt.Sprintf("at_least(%s, %d, %s)", event, l.n, window)
	case leafWithin:
		return "within(" + event + ", " + window + ")"
	case leafIdle:
		return "idle(" + event + ", " + window + ")"
	case leafNever:
		return "never(" + event + ", " + window + ")"
	case leafInactive:
		return "inactive(" + window + ")"
	case leafHasBeen:
		return fmt.Sprintf("has_been(%q, %s, %s)", l.trait, literalText(l.value), window)
	case leafWas:
		return fmt.Sprintf("was(%q)", string(l.stage))
	case leafLeft:
		return fmt.Sprintf("left(%q, %s)", string(l.stage), window)
	case leafInStageFor:
		return "in_stage_for(" + window + ")"
	case leafBefore, leafAfter:
		name := map[leafKind]string{leafBefore: "before", leafAfter: "after"}[l.kind]
		if l.window == 0 {
			return name + "(" + l.left.text() + ")"
		}
		return name + "(" + l.left.text() + ", " + window + ")"
	case leafIn:
		items := make([]string, len(l.list))
		for i, v := range l.list {
			items[i] = literalText(v)
		}
		return l.left.text() + " in [" + strings.Join(items, ", ") + "]"
	case leafTruthy:
		return l.left.text()
	}
	return l.left.text() + " " + l.op + " " + l.right.text()
}

func (o *operand) text() string {
	trait := "traits." + strings.Join(append([]string{o.trait}, o.path...), ".")
	switch o.kind {
	case operandTrait, operandScore:
		return trait
	case operandDaysUntil:
		return "days_until(" + trait + ")"
	case operandDaysSince:
		return "days_since(" + trait + ")"
	case operandCount:
		return fmt.Sprintf("count(%q)", string(o.event))
	case operandSum:
		return fmt.Sprintf("sum(%q, %q)", string(o.event), o.currency)
	case operandStage:
		if o.named {
			return fmt.Sprintf("stage_of(%q)", cmp.Or(o.of, MainLifecycle))
		}
		return "stage"
	case operandSource:
		return "source"
	}
	return literalText(o.value)
}

func literalText(v any) string {
	switch x := v.(type) {
	case nil:
		return "nil"
	case string:
		return strconv.Quote(x)
	}
	return fmt.Sprint(v)
}

// windowText spells a span of microseconds in its largest whole unit.
func windowText(span Instant) string {
	const second = Instant(1_000_000)
	for _, u := range [...]struct {
		span Instant
		name string
	}{{86400 * second, "d"}, {3600 * second, "h"}, {60 * second, "m"}} {
		if span >= u.span && span%u.span == 0 {
			return strconv.FormatInt(int64(span/u.span), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(span/second), 10) + "s"
}
