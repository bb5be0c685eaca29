package lifecycle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// maxAccountBy bounds the ways in which an account is found, maxDomains the
// domains that a plan lists.
const (
	maxAccountBy = 16
	maxDomains   = 1000
)

// accounts reads the part about accounts. It comes after stages, whose names
// conditions about people may use.
func (d *planReader) accounts() {
	if !d.r.Has("accounts") {
		return
	}
	d.r.Map("accounts", func(r *document.Reader) {
		a := &accountPlan{personal: map[string]bool{}}
		d.accountBy(r, a)
		d.personalDomains(r, a)
		p := &accountParser{people: &d.cond, plan: a}
		d.accountStages(r, a, p)
		r.Entries("segments", func(name string, item *document.Reader) {
			if len(a.segments) == MaxSegments {
				d.fullUp(item, "segment", MaxSegments)
				return
			}
			d.uniqueName(item, "", "segment of accounts", name)
			s := accountStage{name: name}
			if when, ok := item.Condition(""); ok {
				p.ofSegment = true
				s.text, s.when = d.accountCondition(item, p, when)
			}
			a.segments = append(a.segments, s)
		})
		slices.SortFunc(a.segments, func(x, y accountStage) int { return cmp.Compare(x.name, y.name) })
		r.Unknown()
		a.seal()
		d.p.accounts = a
	})
}

func (d *planReader) accountBy(r *document.Reader, a *accountPlan) {
	for _, text := range r.Texts("by") {
		kind, name, named := strings.Cut(text, ":")
		b := accountBy{name: name}
		switch {
		case kind == "domain" && !named:
			b.kind = byDomain
		case kind == "group" && (!named || validNamespace(name)):
		case kind == "trait" && name != "" && len(name) <= MaxNameBytes:
			b.kind = byTrait
		default:
			r.Fail("by", "holds %q, want group, group:CONNECTION, trait:NAME or domain", cutText(text, 80))
			continue
		}
		if slices.Contains(a.by, b) {
			r.Fail("by", "names %s twice", text)
		}
		if len(a.by) == maxAccountBy {
			r.Fail("by", "is too long; the limit is %d", maxAccountBy)
			return
		}
		a.by = append(a.by, b)
	}
	if len(a.by) == 0 {
		if r.Has("by") {
			return // said already, or empty, which the list reader reports
		}
		a.by = []accountBy{{kind: byGroup}, {kind: byDomain}}
	}
}

// personalDomains reads what changes the kept list of domains that give
// addresses to anybody.
func (d *planReader) personalDomains(r *document.Reader, a *accountPlan) {
	r.Map("personal_domains", func(m *document.Reader) {
		for _, field := range []string{"add", "remove"} {
			for _, text := range m.Texts(field) {
				domain, ok := cleanDomain(text)
				_, twice := a.personal[domain]
				switch {
				case !ok:
					m.Fail(field, "holds %q, which is no domain", cutText(text, 80))
				case twice:
					m.Fail(field, "names %s twice", domain)
				case len(a.personal) == maxDomains:
					m.Fail(field, "is too long; the limit is %d", maxDomains)
					return
				}
				a.personal[domain] = field == "add"
			}
		}
		m.Unknown()
	})
}

func (d *planReader) accountStages(r *document.Reader, a *accountPlan, p *accountParser) {
	if !r.Has("stages") {
		r.Fail("stages", "is missing")
	}
	r.List("stages", func(item *document.Reader) {
		if len(a.stages) == MaxStages {
			d.fullUp(item, "stage", MaxStages)
			return
		}
		s := accountStage{name: item.Text("name")}
		d.uniqueName(item, "name", "stage of accounts", s.name)
		p.stages = append(p.stages, s.name)
		switch when, ok := item.OptCondition("when"); {
		case ok:
			s.text, s.when = d.accountCondition(item, p, when)
		case len(a.stages) > 0 && !item.Has("when"):
			item.Fail("when", "is missing; only the first stage may lack a condition")
		}
		item.Unknown()
		a.stages = append(a.stages, s)
	})
	if r.Kind("stages") == document.List && len(a.stages) == 0 {
		r.Fail("stages", "is empty; accounts have at least one stage")
	}
}

// accountCondition is condition for one about accounts.
func (d *planReader) accountCondition(r *document.Reader, p *accountParser, src document.Source) (string, *accountExpr) {
	x, wrong := p.parse(src.Text)
	for _, w := range wrong {
		r.FailIn(src, w.line, w.column, w.message)
	}
	if d.cond.leaves > MaxConditionLeaves && !d.full {
		d.full = true
		r.FailIn(src, 1, 0, tooManyLeaves())
	}
	return strings.Join(strings.Fields(src.Text), " "), x
}
