package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// accountPlan is the part of a plan about accounts: to which one a person
// belongs, and the stages and segments of accounts. Nil where the plan has no
// accounts.
type accountPlan struct {
	by       []accountBy
	personal map[string]bool // domains of e-mail addresses: true never makes an account, false does
	stages   []accountStage
	segments []accountStage // sorted by name
	measures []*measure     // distinct, sorted by id
	// epoch is a measure of its own that is 1 for everybody who was measured by
	// exactly these measures, for these stages and segments: where only a number
	// in a condition is another, no measure is, and accounts have to be looked at
	// all the same.
	epoch uint64
}

type accountStage struct {
	name string
	text string
	when *accountExpr // nil: always
}

type accountByKind uint8

const (
	byGroup accountByKind = iota
	byTrait
	byDomain
)

// accountBy is one way to find the account of a person.
type accountBy struct {
	kind accountByKind
	name string // byGroup: the connection, or empty for any; byTrait: the trait
}

// measure is something that people add up to: how many of them fulfil a
// condition, or the money of an event.
type measure struct {
	id   uint64
	text string
	when *expr // nil for a sum
	eval condition
	// event and currency of a sum.
	event    EventName
	slot     int
	currency string
}

// measureID hashes a text. Two measures of one plan that met in 64 bits would
// be seen when it is parsed: see accountParser.measure.
func measureID(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:])
}

// AccountStageInfo describes a stage or segment of accounts.
type AccountStageInfo struct {
	Name string
	// When is the condition; empty on a first stage that every account has.
	When string
}

// HasAccounts tells whether the plan is about accounts, too.
func (p *Plan) HasAccounts() bool { return p.accounts != nil }

// AccountStages gives the stages of accounts in the order of the plan; the
// last one whose condition is true is that of an account.
func (p *Plan) AccountStages() []AccountStageInfo { return p.accounts.describe(false) }

// AccountSegments gives the segments of accounts, sorted by name.
func (p *Plan) AccountSegments() []AccountStageInfo { return p.accounts.describe(true) }

// AccountBy gives the ways in which an account is found, as the plan spells them.
func (p *Plan) AccountBy() []string {
	if p.accounts == nil {
		return nil
	}
	names := make([]string, len(p.accounts.by))
	for i, b := range p.accounts.by {
		names[i] = b.text()
	}
	return names
}

func (b accountBy) text() string {
	switch {
	case b.kind == byDomain:
		return "domain"
	case b.kind == byTrait:
		return "trait:" + b.name
	case b.name == "":
		return "group"
	}
	return "group:" + b.name
}

func (a *accountPlan) describe(segments bool) []AccountStageInfo {
	if a == nil {
		return nil
	}
	list := a.stages
	if segments {
		list = a.segments
	}
	out := make([]AccountStageInfo, len(list))
	for i, s := range list {
		out[i] = AccountStageInfo{s.name, s.text}
	}
	return out
}

// leaves calls f for everything that the measures read of a person.
func (a *accountPlan) leaves(f func(*leaf)) {
	if a == nil {
		return
	}
	for _, m := range a.measures {
		if m.when != nil {
			m.when.each(f)
		}
	}
}

// sums gives the events whose money is summed.
func (a *accountPlan) sums() []EventName {
	var names []EventName
	if a != nil {
		for _, m := range a.measures {
			if m.when == nil {
				names = append(names, m.event)
			}
		}
	}
	return names
}

// link compiles the measures, as expr.link does.
func (a *accountPlan) link(slots map[EventName]int) {
	if a == nil {
		return
	}
	for _, m := range a.measures {
		if m.when != nil {
			m.eval = m.when.link(slots)
		} else {
			m.slot = slots[m.event]
		}
	}
}

// print adds everything that decides about accounts to a fingerprint.
func (a *accountPlan) print(w io.Writer) {
	if a == nil {
		return
	}
	fmt.Fprintf(w, "accounts %v %v %x\n", a.by, a.personal, a.epoch)
	for _, list := range [][]accountStage{a.stages, a.segments} {
		for _, s := range list {
			fmt.Fprintf(w, "account %q %q\n", s.name, s.text)
		}
	}
}

// seal sorts the measures and gives them, and what they are for, a name.
func (a *accountPlan) seal() {
	slices.SortFunc(a.measures, func(x, y *measure) int { return strings.Compare(x.text, y.text) })
	var all strings.Builder
	all.WriteString("measured by")
	for _, m := range a.measures {
		fmt.Fprintf(&all, "\x00%s%s", m.text, m.when.scorePrints())
	}
	for _, list := range [][]accountStage{a.stages, a.segments} {
		all.WriteString("\x00for")
		for _, s := range list {
			fmt.Fprintf(&all, "\x00%q %q", s.name, s.text)
		}
	}
	a.epoch = measureID(all.String())
	slices.SortFunc(a.measures, func(x, y *measure) int {
		if x.id < y.id {
			return -1
		}
		return 1
	})
}
