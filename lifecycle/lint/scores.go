package lint

import (
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// scores looks at what scores count, and at rules that write a trait of the
// same name, which would be passed over.
func (l *linter) scores(top *document.Node) {
	sent := map[lifecycle.EventName]bool{}
	for _, e := range l.facts.Emitted {
		sent[e.Event] = true
	}
	for _, s := range l.plan.Scores() {
		at := place{file: l.file, field: "scores." + s.Name}
		if node := top.Get("scores").Get(s.Name); node != nil {
			at.line, at.column = node.Line, node.Column
		}
		for _, rule := range s.Rules {
			names := rule.Events
			if rule.Event != "" {
				names = []lifecycle.EventName{rule.Event}
			}
			for _, name := range names {
				l.read[name] = true
				l.use(name, at)
				l.deprecated(name, at, "gives points")
				if _, known := l.plan.Events()[name]; !known {
					l.add("undescribed", Warning, name, at, quoted(name)+" gives points, and nothing describes it", l.nearest(name))
				}
				if l.facts.EmittedKnown && !sent[name] {
					l.add("never_sent", Warning, name, at, quoted(name)+" gives points, and no rule sends it", "write a rule that does, or take it out of the score")
				}
			}
		}
		for _, e := range l.facts.Emitted {
			for _, trait := range e.Traits {
				if trait == s.Name {
					written := place{file: e.File, line: e.Line, connection: e.Connection, rule: e.Rule}
					if e.Line > 0 {
						written.column = 1
					}
					l.add("score_written", Warning, e.Event, written,
						fmt.Sprintf("the trait %q is a score of the plan, so what this rule writes is passed over", s.Name),
						"give the score or the trait another name, such as "+e.Connection+"_"+s.Name)
				}
			}
		}
	}
}
