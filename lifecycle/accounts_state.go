package lifecycle

// AccountState is where the plan puts an account.
type AccountState struct {
	Stage Stage
	// Segments the account is in, sorted.
	Segments []Segment
	// Condition is the text behind the stage; empty for one without.
	Condition string
}

// AccountState decides about an account by what all of its people add up to.
// It is a function of that alone: neither the past nor the order of anything
// matters. It gives false, and decides nothing, while some of the people were
// measured under another plan, which ends when all are brought to this one.
func (p *Plan) AccountState(people int64, t Tally) (AccountState, bool) {
	a := p.accounts
	if a == nil || t.Of(a.epoch) != people {
		return AccountState{}, false
	}
	v := accountView{people: people, tally: t}
	var s AccountState
	for i := range a.stages {
		if stage := &a.stages[i]; stage.when == nil || v.holds(stage.when) {
			s.Stage, s.Condition = Stage(stage.name), stage.text
		}
	}
	v.stage = string(s.Stage)
	for i := range a.segments {
		if v.holds(a.segments[i].when) {
			s.Segments = append(s.Segments, Segment(a.segments[i].name))
		}
	}
	return s, true
}

// accountView is what a condition about an account looks at.
type accountView struct {
	people int64
	tally  Tally
	stage  string
}

func (v *accountView) holds(x *accountExpr) bool {
	switch {
	case x.leaf != nil:
		return v.leaf(x.leaf)
	case x.op == opNot:
		return !v.holds(x.kids[0])
	}
	for _, k := range x.kids {
		if v.holds(k) == (x.op == opOr) {
			return x.op == opOr
		}
	}
	return x.op == opAnd
}

// number is what a leaf looks at.
func (v *accountView) number(l *accountLeaf) int64 {
	if l.measure == nil {
		return v.people
	}
	return v.tally.Of(l.measure.id)
}

func (v *accountView) leaf(l *accountLeaf) bool {
	switch l.kind {
	case accountAny:
		return v.number(l) > 0
	case accountAll:
		return v.people > 0 && v.number(l) == v.people
	case accountNumber:
		return l.holds(sign(v.number(l), l.want))
	case accountIsStage:
		return (v.stage == l.stage) != l.negated
	}
	return l.truth
}

// AccountExplanation says why an account is where it is.
type AccountExplanation struct {
	AccountState
	// Settled is false while the account waits for people who are still to be
	// brought to the plan.
	Settled bool
	// Stages in the order of the plan, and Segments by name.
	Stages, Segments []AccountReason
}

// AccountReason is a stage or segment with every part of its condition.
type AccountReason struct {
	Name, Condition string
	Holds           bool
	Parts           []AccountPart
}

// AccountPart is one yes/no part of a condition about an account.
type AccountPart struct {
	Text  string
	Holds bool
	// Have is the number behind it: of people, or money in millionths of Unit.
	Have int64
	// Unit is "people", a currency, or empty where no number is behind it.
	Unit string
}

// ExplainAccount gives the state with the numbers behind it.
func (p *Plan) ExplainAccount(people int64, t Tally) AccountExplanation {
	var x AccountExplanation
	if p.accounts == nil {
		return x
	}
	x.AccountState, x.Settled = p.AccountState(people, t)
	v := accountView{people: people, tally: t, stage: string(x.Stage)}
	for i := range p.accounts.stages {
		x.Stages = append(x.Stages, v.reason(&p.accounts.stages[i]))
	}
	for i := range p.accounts.segments {
		x.Segments = append(x.Segments, v.reason(&p.accounts.segments[i]))
	}
	return x
}

func (v *accountView) reason(s *accountStage) AccountReason {
	r := AccountReason{Name: s.name, Condition: s.text, Holds: s.when == nil || v.holds(s.when)}
	if s.when != nil {
		v.parts(s.when, &r.Parts)
	}
	return r
}

func (v *accountView) parts(x *accountExpr, into *[]AccountPart) {
	for _, k := range x.kids {
		v.parts(k, into)
	}
	l := x.leaf
	if l == nil {
		return
	}
	part := AccountPart{Text: l.text, Holds: v.leaf(l)}
	switch l.kind {
	case accountAny, accountAll, accountNumber:
		part.Have, part.Unit = v.number(l), "people"
		if l.measure != nil && l.measure.when == nil {
			part.Unit = l.measure.currency
		}
	}
	*into = append(*into, part)
}
