package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
)

// Facts are what is known beyond the plan's text.
type Facts struct {
	// Emitted is what the rules of connections may send. Where it is not known,
	// leave EmittedKnown false: then nothing is said about events that nobody
	// sends.
	Emitted      []Emitted
	EmittedKnown bool
	// Pushed are the traits that connections send to their vendors.
	Pushed []Pushed
	// Arrived are events that came in and were not in the plan of their time.
	Arrived []Arrived
}

// Emitted is one event that a rule may send.
type Emitted struct {
	Connection, Rule string
	// File and Line of the rule; empty where it is a connector's own.
	File       string
	Line       int
	Event      lifecycle.EventName
	Properties []string
	Traits     []string
}

// Pushed is one trait that a connection sends.
type Pushed struct{ Connection, Field, Trait string }

// Arrived is an event that came in without being planned.
type Arrived struct {
	Connection, Rule string
	Event            lifecycle.EventName
	Count            int64
	Last             lifecycle.Instant
}

// Plan gives every finding about a plan and the names that go with it, in the
// order of the file and then by connection; nil when there is none. src is the
// text that plan was parsed from.
func Plan(file string, src []byte, plan *lifecycle.Plan, f Facts) []Finding {
	top, err := document.Parse(file, src)
	if err != nil {
		return nil // plan came of it, so this is another text
	}
	l := &linter{file: file, plan: plan, facts: f, vocabulary: plans.Vocabulary(), own: map[lifecycle.EventName]document.Entry{}, used: map[lifecycle.EventName]place{}}
	l.names.categories = categories(plan, l.vocabulary)
	if events := top.Get("events"); events != nil {
		for _, e := range events.Entries {
			name := lifecycle.EventName(e.Key)
			l.own[name] = e
			l.use(name, place{file: file, line: e.Line, column: e.Column, field: "events." + e.Key})
		}
	}
	l.conditions(top)
	l.scores(top)
	for _, name := range plan.Revenue() {
		if node := top.Get("revenue"); node != nil {
			at := place{file: file, line: node.Line, column: node.Column, field: "revenue"}
			l.use(name, at)
			l.deprecated(name, at, "counts as revenue")
		}
	}
	l.emitted()
	l.described()
	l.arrived()
	l.pushed()
	l.judgeNames()
	l.variants()
	l.properties()
	return sorted(l.found)
}

// categories are those of the vocabulary and those that the plan adds.
func categories(plan *lifecycle.Plan, vocabulary lifecycle.Vocabulary) []string {
	all := plan.Categories()
	for name := range vocabulary {
		category, _, _ := strings.Cut(string(name), ":")
		all = append(all, category)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// place is where a name stands.
type place struct {
	file             string
	line, column     int
	field            string
	connection, rule string
}

type linter struct {
	file       string
	plan       *lifecycle.Plan
	facts      Facts
	vocabulary lifecycle.Vocabulary
	names      names
	own        map[lifecycle.EventName]document.Entry // described by the plan
	used       map[lifecycle.EventName]place          // where each name stands first
	read       map[lifecycle.EventName]bool           // by some condition
	found      []Finding
}

func (l *linter) use(name lifecycle.EventName, at place) {
	if _, ok := l.used[name]; !ok {
		l.used[name] = at
	}
}

func (l *linter) add(code string, s Severity, name lifecycle.EventName, at place, reason, proposal string) {
	l.found = append(l.found, Finding{Code: code, Severity: s, File: at.file, Line: at.line, Column: at.column, Field: at.field, Event: name,
		Connection: at.connection, Rule: at.rule, Reason: reason, Proposal: proposal})
}

// conditions looks at what the conditions read.
func (l *linter) conditions(top *document.Node) {
	l.read = map[lifecycle.EventName]bool{}
	sent := map[lifecycle.EventName]bool{}
	for _, e := range l.facts.Emitted {
		sent[e.Event] = true
	}
	for _, c := range l.plan.Conditions() {
		at := l.placeOf(top, &c)
		for _, name := range c.Events {
			l.read[name] = true
			l.use(name, at)
			l.deprecated(name, at, "is read here")
			if _, known := l.plan.Events()[name]; !known {
				l.add("undescribed", Warning, name, at, quoted(name)+" is read, and nothing describes it", l.nearest(name))
			}
			if l.facts.EmittedKnown && !sent[name] {
				l.add("never_sent", Warning, name, at, quoted(name)+" is read, and no rule sends it", "write a rule that does, or take it out of the condition")
			}
		}
	}
}

// placeOf finds a condition in the file.
func (l *linter) placeOf(top *document.Node, c *lifecycle.ConditionInfo) place {
	field, node := "when", (*document.Node)(nil)
	if c.Leaving {
		field = "until"
	}
	above := ""
	if c.Lifecycle != "" {
		if top = top.Get("lifecycles").Get(c.Lifecycle); top == nil {
			return place{file: l.file, field: "lifecycles"}
		}
		above = "lifecycles." + c.Lifecycle + "."
	}
	if c.Segment != "" {
		node = top.Get("segments").Get(string(c.Segment))
		if node != nil && node.Kind == document.Map {
			node = node.Get(field)
		}
		field = "segments." + string(c.Segment)
	} else if stages := top.Get("stages"); stages != nil {
		for i, item := range stages.Items {
			if name := item.Get("name"); name != nil && name.Text == string(c.Stage) {
				node, field = item.Get(field), fmt.Sprintf("stages[%d].%s", i, field)
				break
			}
		}
	}
	at := place{file: l.file, field: above + field}
	if node != nil {
		at.line, at.column = node.Line, node.Column
	}
	return at
}

func (l *linter) nearest(name lifecycle.EventName) string {
	known := make([]string, 0, len(l.plan.Events()))
	for n := range l.plan.Events() {
		known = append(known, string(n))
	}
	if near := document.Nearest(string(name), known); near != "" {
		return "did you mean " + near + "?"
	}
	return "list it under events with a sentence about what happened"
}

func (l *linter) deprecated(name lifecycle.EventName, at place, how string) {
	spec := l.plan.Events()[name]
	if !spec.Deprecated {
		return
	}
	proposal := "take it out"
	if spec.Successor != "" {
		proposal = "use " + string(spec.Successor)
	}
	l.add("deprecated", Warning, name, at, quoted(name)+" is deprecated and "+how, proposal)
}

// emitted looks at what the rules send.
func (l *linter) emitted() {
	for _, e := range l.facts.Emitted {
		at := place{file: e.File, line: e.Line, connection: e.Connection, rule: e.Rule}
		if e.Line > 0 {
			at.column = 1
		}
		l.use(e.Event, at)
		l.deprecated(e.Event, at, "is sent")
		spec, planned := l.plan.Events()[e.Event]
		if !l.plan.Plans(e.Event) {
			l.misfit(lifecycle.ViolationEvent, e, at, quoted(e.Event)+" is sent and not in the plan", "list it under events, or mend the rule")
			continue
		}
		if !planned || !spec.Closed {
			continue
		}
		for _, property := range e.Properties {
			if _, described := spec.Properties[property]; !described {
				l.misfit(lifecycle.ViolationProperty, e, at, fmt.Sprintf("%s is sent with the property %q, which the plan does not describe", quoted(e.Event), cut(property, 100)),
					"list it under the event's properties, or take it out of the rule")
			}
		}
	}
}

// misfit is an error where it would park what comes in.
func (l *linter) misfit(class lifecycle.ViolationClass, e Emitted, at place, reason, proposal string) {
	severity := Warning
	switch l.plan.Action(class, e.Connection) {
	case lifecycle.Quarantine:
		severity, reason = Error, reason+": it will be quarantined"
	case lifecycle.Strip:
		reason += ": it will be taken away"
	}
	l.add(string(class), severity, e.Event, at, reason, proposal)
}

// described looks at the events that the plan describes.
func (l *linter) described() {
	owned := false
	for name := range l.own {
		owned = owned || l.plan.Events()[name].Owner != ""
	}
	sent := map[lifecycle.EventName]bool{}
	for _, e := range l.facts.Emitted {
		sent[e.Event] = true
	}
	for _, name := range slices.Sorted(maps.Keys(l.own)) {
		spec, at := l.plan.Events()[name], l.used[name]
		if spec.Description == "" {
			l.add("no_description", Warning, name, at, quoted(name)+" is not described", "say in one sentence what happened")
		}
		if owned && spec.Owner == "" {
			l.add("no_owner", Warning, name, at, quoted(name)+" has no owner, while others have one", "say who answers for it")
		}
		if l.facts.EmittedKnown && !sent[name] && !l.read[name] && !spec.Deprecated {
			l.add("never_sent", Warning, name, at, quoted(name)+" is described, and no rule sends it", "write a rule that does, or mark it as deprecated")
		}
	}
}

// arrived looks at what came in without being planned, as far as the plan does
// not know it by now.
func (l *linter) arrived() {
	for _, a := range l.facts.Arrived {
		if l.plan.Plans(a.Event) {
			continue
		}
		at := place{connection: a.Connection, rule: a.Rule}
		l.use(a.Event, at)
		l.add("came_in", Warning, a.Event, at, fmt.Sprintf("%s came in %d times, the last on %s, and is not in the plan", quoted(a.Event), a.Count,
			a.Last.Time().Format(time.DateOnly)), l.nearest(a.Event))
	}
}

// pushed looks at what vendors are told.
func (l *linter) pushed() {
	for _, p := range l.facts.Pushed {
		if l.plan.TraitPII(p.Trait) == lifecycle.PIISensitive {
			l.add("sensitive_pushed", Warning, "", place{connection: p.Connection, field: "push.traits." + p.Field},
				fmt.Sprintf("the trait %q is sensitive, so the field %q of the vendor is not written", cut(p.Trait, 100), cut(p.Field, 100)),
				"take it out of push.traits; what the vendor holds already stays there")
		}
	}
}

// judgeNames looks at every name but those of the vocabulary, by itself and
// beside the others.
func (l *linter) judgeNames() {
	known := make([]spelled, 0, len(l.vocabulary)+len(l.used))
	for _, name := range slices.Sorted(maps.Keys(l.vocabulary)) {
		known = append(known, spell(name))
	}
	used := slices.Sorted(maps.Keys(l.used))
	// Of two that are nearly the same, the plan's own name is not the slip.
	slices.SortStableFunc(used, func(a, b lifecycle.EventName) int { return l.standing(a) - l.standing(b) })
	for _, name := range used {
		if _, ours := l.vocabulary[name]; ours {
			continue
		}
		at := l.used[name]
		for _, p := range l.names.judge(name) {
			l.add(p.code, p.severity, name, at, p.reason, p.proposal)
		}
		s := spell(name)
		if meant := s.meant(); meant != "" {
			l.add("synonym", Warning, name, at, fmt.Sprintf("%s is another word for %q of the vocabulary", quoted(name), meant), "use "+string(meant))
		}
		for i := range known {
			if near(&s, &known[i]) {
				l.add("near_duplicate", Warning, name, at, fmt.Sprintf("%s is nearly the same as %q", quoted(name), known[i].name), "use one name for one thing")
				break
			}
		}
		known = append(known, s)
		if len(l.found) > 2*maxFindings {
			return
		}
	}
}

// standing is 0 for a name that the plan describes, 1 for another in the plan,
// 2 for one that only came in or is sent.
func (l *linter) standing(name lifecycle.EventName) int {
	_, own := l.own[name]
	switch {
	case own:
		return 0
	case l.plan.Plans(name):
		return 1
	}
	return 2
}
