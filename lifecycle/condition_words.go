package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Clause is a condition, or a part of one, in plain words.
type Clause struct {
	// Op is "and", "or" or "not", or empty for a leaf.
	Op   string
	Kids []Clause
	// Words of a leaf, for example “Order:Completed” has happened.
	Words string
}

// ConditionInfo is one condition of a plan.
type ConditionInfo struct {
	// Lifecycle is the further lifecycle that it belongs to; empty: the main one.
	Lifecycle string
	// Stage or Segment says whose it is; the other is empty.
	Stage   Stage
	Segment Segment
	// Leaving tells a condition that leads out from one that leads in.
	Leaving bool
	// Text is as the plan spells it, Clause the same in words.
	Text   string
	Clause Clause
	// Events and Traits are those that it reads, sorted.
	Events []EventName
	Traits []string
}

// Conditions gives the conditions of stages and segments: the stages of the main
// lifecycle in the order of the plan, those of the further ones by id, then
// segments by name. A stage that everybody has, has none.
func (p *Plan) Conditions() []ConditionInfo {
	var all []ConditionInfo
	add := func(of ConditionInfo, text string, x *expr) {
		if x == nil {
			return
		}
		of.Text, of.Clause = text, x.clause(false)
		x.each(func(l *leaf) {
			for _, name := range []EventName{l.event, l.left.event, l.right.event} {
				if name != "" {
					of.Events = append(of.Events, name)
				}
			}
			for _, name := range []string{l.trait, l.left.trait, l.right.trait} {
				if name != "" {
					of.Traits = append(of.Traits, name)
				}
			}
		})
		slices.Sort(of.Events)
		slices.Sort(of.Traits)
		of.Events, of.Traits = slices.Compact(of.Events), slices.Compact(of.Traits)
		all = append(all, of)
	}
	for _, t := range append([]*track{&p.track}, p.others...) {
		for _, s := range t.stages {
			add(ConditionInfo{Lifecycle: t.id, Stage: s.name}, s.text, s.when)
			add(ConditionInfo{Lifecycle: t.id, Stage: s.name, Leaving: true}, s.untilText, s.until)
		}
	}
	for _, s := range p.segments {
		add(ConditionInfo{Lifecycle: s.of, Segment: s.name}, s.text, s.when)
		add(ConditionInfo{Lifecycle: s.of, Segment: s.name, Leaving: true}, s.untilText, s.until)
	}
	return all
}

// clause tells a condition, or that it does not hold. A "not" disappears into
// its leaves, since "neither nor" is harder to read than what is the case.
func (x *expr) clause(not bool) Clause {
	switch {
	case x.op == opLeaf:
		return Clause{Words: x.leaf.words(not)}
	case x.op == opNot:
		return x.kids[0].clause(!not)
	}
	op := x.op
	if not {
		op = map[exprOp]exprOp{opAnd: opOr, opOr: opAnd}[op]
	}
	c := Clause{Op: opNames[op]}
	for _, k := range x.kids {
		c.Kids = append(c.Kids, k.clause(not))
	}
	return c
}

// words tells a leaf, or that it does not hold.
func (l *leaf) words(not bool) string {
	event, span := "“"+string(l.event)+"”", spanWords(l.window)
	either := func(yes, no string) string {
		if not {
			return no
		}
		return yes
	}
	switch l.kind {
	case leafLiteral:
		return either("always", "never")
	case leafSeen:
		return event + either(" has happened", " has never happened")
	case leafAtLeast:
		return fmt.Sprintf("%s happened %s %s within the last %s", event, either("at least", "fewer than"), timesWords(l.n), span)
	case leafWithin:
		return event + either(" happened", " did not happen") + " within the last " + span
	case leafIdle:
		return event + either(" has happened, but not within the last "+span, " has never happened, or happened within the last "+span)
	case leafNever:
		return either("the person has been known for "+span+" without “"+string(l.event)+"”", event+" has happened, or the person has been known for less than "+span)
	case leafInactive:
		return either("the person was active once, but did nothing for "+span, "the person did something within the last "+span+", or no activity is known")
	case leafHasBeen:
		return fmt.Sprintf("the trait “%s” %s %s for %s", l.trait, either("has been", "has not been"), literalText(l.value), span)
	case leafWas:
		return fmt.Sprintf("the person %s in the stage “%s”", either("has been", "has never been"), l.stage)
	case leafLeft:
		return fmt.Sprintf("the person %s the stage “%s” within the last %s", either("left", "did not leave"), l.stage, span)
	case leafInStageFor:
		return either("the person has been in the present stage for "+span, "the person has been in the present stage for less than "+span)
	case leafIn:
		items := make([]string, len(l.list))
		for i, v := range l.list {
			items[i] = literalText(v)
		}
		return l.left.words() + either(" is one of ", " is none of ") + strings.Join(items, ", ")
	case leafTruthy:
		return l.left.words() + either(" is yes", " is not yes")
	case leafBefore, leafAfter:
		return l.dateWords(not)
	case leafCompare:
		return l.compareWords(not)
	}
	return either("", "it is not so that ") + l.text()
}

// dateWords tells before(…) and after(…). The opposite is told as such, since
// both are false where the trait holds no date.
func (l *leaf) dateWords(not bool) string {
	text := "it is " + map[leafKind]string{leafBefore: "earlier than", leafAfter: "not earlier than"}[l.kind] + " "
	if l.window != 0 {
		text += spanWords(l.window) + map[leafKind]string{leafBefore: " before ", leafAfter: " after "}[l.kind]
	}
	text += "the date in " + l.left.words()
	if not {
		return "it is not so that " + text
	}
	return text
}

// compareWords tells a comparison. The opposite of an order is told as an
// order only for counts and sums: a trait may not be known at all.
func (l *leaf) compareWords(not bool) string {
	words := map[string]string{"==": "is", "!=": "is not", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least"}
	opposite := map[string]string{"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
	op := l.op
	counted := l.left.kind == operandCount || l.left.kind == operandSum
	if not && (counted || op == "==" || op == "!=") {
		op, not = opposite[op], false
	}
	text := l.left.words() + " " + words[op] + " " + l.right.words()
	if not {
		return "it is not so that " + text
	}
	return text
}

// words tells one side of a comparison.
func (o *operand) words() string {
	switch o.kind {
	case operandTrait:
		return "the trait “" + strings.Join(append([]string{o.trait}, o.path...), ".") + "”"
	case operandScore:
		return "the score “" + o.trait + "”"
	case operandCount:
		return "the number of “" + string(o.event) + "”"
	case operandSum:
		return "the sum of “" + string(o.event) + "” in " + o.currency
	case operandDaysUntil:
		return "the number of days until the date in the trait “" + strings.Join(append([]string{o.trait}, o.path...), ".") + "”"
	case operandDaysSince:
		return "the number of days since the date in the trait “" + strings.Join(append([]string{o.trait}, o.path...), ".") + "”"
	case operandStage:
		switch {
		case o.named && o.of == "":
			return "the stage in the main lifecycle"
		case o.named:
			return "the stage in the lifecycle “" + o.of + "”"
		}
		return "the stage"
	case operandSource:
		return "the first source"
	}
	if o.value == nil {
		return "unknown"
	}
	return o.text()
}

func timesWords(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}

// spanWords spells a span in its largest whole unit.
func spanWords(span Instant) string {
	for _, u := range [...]struct {
		span time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		whole := Instant(u.span / time.Microsecond)
		if span < whole || span%whole != 0 {
			continue
		}
		n := span / whole
		if n == 1 {
			return "1 " + u.name
		}
		return fmt.Sprintf("%d %ss", n, u.name)
	}
	return windowText(span)
}
