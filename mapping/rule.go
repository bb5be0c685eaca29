package mapping

import (
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

// Options tell what rules need to know about the connection they belong to.
type Options struct {
	// Connection is the connection's id, Connector the vendor's.
	Connection, Connector string
	// IdentityScope, when set, stands for the connection's id in the keys of
	// the vendor's records, so that several connections can share them.
	IdentityScope string
	// Stages is push.stages, ours to theirs. A claim is translated back through
	// it; one that it does not name stays as it is. Where two of our stages
	// have the same name there, the first in alphabetical order is claimed.
	Stages map[string]string
}

// Ruleset is a compiled text of rules. Safe for concurrent use.
type Ruleset struct {
	file    string
	options Options
	rules   []*rule
	tests   []*ruleTest
	// exact lists the rules for a type that some rule names, prefix ones
	// included, in the order of the file; prefixes is for all other types.
	exact    map[string][]*rule
	prefixes []*rule
	stages   map[string]lifecycle.Stage // theirs to ours
	headers  bool                       // some rule reads headers
}

// rule is one compiled rule.
type rule struct {
	name, typ string
	prefix    bool // typ matches as the start
	path      string
	node      *document.Node
	when      *expr
	each      *expr
	emits     []*emit
}

// emit is one event that a rule makes.
type emit struct {
	rule       *rule
	path       string
	node       *document.Node
	event      lifecycle.EventName
	key, at    *expr
	identity   []named
	traits     []named
	properties []named
	amount     *expr
	currency   *expr
	stage      *expr
}

// named is an expression with the name that its value gets.
type named struct {
	name string
	*expr
	fromRecord bool
}

// expr is a compiled expression that knows its place in the file.
type expr struct {
	*expression.Program
	source document.Source
}

// The variables of an expression, in the order of the environment.
const (
	varBody = iota
	varHeaders
	varRecord
	varType
	varItem
	varCount
)

// variables gives the names; item only exists below each.
func variables(item bool) []string {
	names := []string{"body", "headers", "record", "type", "item"}
	if !item {
		return names[:varItem]
	}
	return names
}

// for lists the rules whose type matches.
func (rs *Ruleset) candidates(typ string) []*rule {
	if rules, ok := rs.exact[typ]; ok {
		return rules
	}
	var found []*rule
	for _, r := range rs.prefixes {
		if strings.HasPrefix(typ, r.typ) {
			found = append(found, r)
		}
	}
	return found
}

// Read is what one rule reads.
type Read struct {
	Rule, Type string
	// Paths are member paths, sorted: body.propertyName,
	// record.contacts[].email.
	Paths []string
}

// Reads lists what each rule reads, in the order of the file.
func (rs *Ruleset) Reads() []Read {
	reads := make([]Read, len(rs.rules))
	for i, r := range rs.rules {
		reads[i] = Read{Rule: r.name, Type: r.pattern(), Paths: r.reads()}
	}
	return reads
}

// Types lists the event types that the rules name, a trailing * included, in
// the order of the file without repeats.
func (rs *Ruleset) Types() []string {
	var types []string
	seen := map[string]bool{}
	for _, r := range rs.rules {
		if p := r.pattern(); !seen[p] {
			seen[p] = true
			types = append(types, p)
		}
	}
	return types
}

// Events lists the names of the events that the rules emit, in the order of
// the file without repeats.
func (rs *Ruleset) Events() []lifecycle.EventName {
	var names []lifecycle.EventName
	seen := map[lifecycle.EventName]bool{}
	for _, r := range rs.rules {
		for _, e := range r.emits {
			if !seen[e.event] {
				seen[e.event] = true
				names = append(names, e.event)
			}
		}
	}
	return names
}

func (r *rule) pattern() string {
	if r.prefix {
		return r.typ + "*"
	}
	return r.typ
}
