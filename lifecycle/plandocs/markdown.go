package plandocs

import (
	"fmt"
	"io"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Markdown writes the page. Names come from people and vendors, so every sign
// that means something in Markdown or HTML is escaped.
func Markdown(w io.Writer, plan *lifecycle.Plan, senders []Sender) error {
	m := &markdown{}
	m.page(pageOf(plan, senders))
	_, err := io.WriteString(w, m.b.String())
	return err
}

type markdown struct{ b strings.Builder }

// raw is text that is not escaped.
type raw string

func (m *markdown) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = escape(s)
		}
	}
	fmt.Fprintf(&m.b, format+"\n", args...)
}

// escape keeps a text from being read as markup, and on one line.
func escape(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if strings.ContainsRune("\\`*_{}[]<>#|!~&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (m *markdown) page(p *page) {
	m.line("# The tracking plan %s", p.Name)
	if p.Version > 0 {
		m.line("\nVersion %d.", p.Version)
	}
	m.line("\n## The path\n\nA person goes from stage to stage in this order. Who has reached a stage does not fall back by the plan alone; a later one may be reached without those in between.\n")
	for i, s := range p.Stages {
		m.line("%d. **%s**", i+1, s.Name)
		m.conditions(s, "   ")
	}
	if len(p.Sides) > 0 {
		m.line("\n## Beside the path\n\nThese are shown instead of the stage reached for as long as they apply; the first that applies wins.\n")
		for _, s := range p.Sides {
			m.line("- **%s**", s.Name)
			if len(s.From) > 0 {
				m.line("  - only for who has reached %s", strings.Join(s.From, ", "))
			}
			m.conditions(s, "  ")
		}
	}
	for _, l := range p.Lifecycles {
		m.line("\n## The lifecycle %s beside it\n\n%s\n", l.ID, l.About)
		if l.Events != "" {
			m.line("A person is in it from the first of these events on, and it sees no others: %s.\n", l.Events)
		}
		for _, s := range l.Stages {
			kind := ""
			if s.Side {
				kind = " (beside the path)"
			}
			m.line("- **%s**%s", s.Name, kind)
			m.conditions(s, "  ")
		}
	}
	if len(p.Segments) > 0 {
		m.line("\n## Segments\n\nA person may be in any number of them, and leaves as soon as it no longer applies, unless another end is named.\n")
		for _, s := range p.Segments {
			m.line("- **%s**", s.Name)
			m.conditions(stage{When: s.When, Until: s.Until, Stay: s.Stay}, "  ")
		}
	}
	if len(p.Scores) > 0 {
		m.line("\n## Scores\n")
	}
	for _, s := range p.Scores {
		m.line("- **%s** %s", s.Name, s.About)
		for _, rule := range s.Rules {
			m.line("  - %s", rule)
		}
		for _, note := range s.Notes {
			m.line("  - %s", note)
		}
	}
	if len(p.Accounts) > 0 {
		m.line("\n## Accounts\n")
		for _, a := range p.Accounts {
			m.line("- **%s** %s", a.Name, a.Text)
		}
	}
	m.events(p)
	m.rest(p)
}

// conditions tells what leads in and out.
func (m *markdown) conditions(s stage, indent string) {
	switch {
	case s.When != nil:
		m.clause("when ", s.When, indent)
	case s.First:
		m.line("%s- everybody begins here", raw(indent))
	}
	if s.Until != nil {
		m.clause("until ", s.Until, indent)
	}
	if s.Stay != "" {
		m.line("%s- for at least %s", raw(indent), s.Stay)
	}
}

func (m *markdown) clause(before string, c *clause, indent string) {
	if len(c.Items) == 0 {
		m.line("%s- "+before+"%s", raw(indent), c.Words)
		return
	}
	m.line("%s- "+before+"%s:", raw(indent), c.Head)
	for i := range c.Items {
		m.clause("", &c.Items[i], indent+"  ")
	}
}

func (m *markdown) events(p *page) {
	m.line("\n## Events\n")
	for _, e := range p.Events {
		m.line("### %s\n", e.Name)
		if e.Description != "" {
			m.line("%s\n", e.Description)
		}
		if e.Deprecated && e.Successor != "" {
			m.line("- **deprecated**: use %s", e.Successor)
		} else if e.Deprecated {
			m.line("- **deprecated**")
		}
		if e.Owner != "" {
			m.line("- owner: %s", e.Owner)
		}
		if e.Activity {
			m.line("- counts as activity of the person")
		}
		if e.Revenue {
			m.line("- its value counts as revenue")
		}
		for _, s := range e.Senders {
			m.line("- sent by %s", s)
		}
		for _, u := range e.UsedBy {
			m.line("- read by the %s", u)
		}
		if len(e.Properties) > 0 {
			m.line("\n| property | type | required | values | personal | meaning |\n| --- | --- | --- | --- | --- | --- |")
			for _, x := range e.Properties {
				m.line("| %s | %s | %s | %s | %s | %s |", x.Name, x.Type, x.Required, x.Values, x.PII, x.Description)
			}
		}
		m.line("")
	}
}

func (m *markdown) rest(p *page) {
	if len(p.Traits) > 0 {
		m.line("## Traits\n")
		for _, t := range p.Traits {
			m.line("- %s: %s", t.Name, t.PII)
		}
		m.line("")
	}
	if len(p.Claims) > 0 {
		m.line("## What other systems say\n")
		for _, c := range p.Claims {
			m.line("- %s", c)
		}
		m.line("")
	}
	if len(p.Backs) > 0 {
		m.line("## Moves back\n\nWhere another system or the end of a pin asks for an earlier stage, the first of these that fits decides; where none does, the move is made.\n")
		for _, b := range p.Backs {
			m.line("- %s", b)
		}
		m.line("")
	}
	m.line("## What does not fit the plan\n\n| what | becomes | for |\n| --- | --- | --- |")
	for _, j := range p.Judged {
		m.line("| %s | %s | %s |", j.Class, j.Action, j.Where)
	}
}
