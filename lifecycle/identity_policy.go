package lifecycle

import (
	"cmp"
	"regexp"
	"slices"
)

// KeyWindow bounds how many values of one namespace may be new to a person
// within a span.
type KeyWindow struct {
	Most   int
	Within Instant // microseconds
}

// KeyPattern blocks the values of a namespace that an expression matches;
// without a namespace those of every one.
type KeyPattern struct {
	Namespace string
	Match     *regexp.Regexp
}

func (g *Guards) matched(k Key) bool {
	return slices.ContainsFunc(g.Patterns, func(p KeyPattern) bool {
		return (p.Namespace == "" || p.Namespace == k.Namespace) && p.Match.MatchString(k.Value)
	})
}

// compareAlike orders keys of one class: by the guards' own priority, then as
// SortKeys does.
func (g *Guards) compareAlike(a, b Key) int {
	if len(g.Priority) == 0 {
		return compareKeys(a, b)
	}
	return cmp.Or(cmp.Compare(g.place(a.Namespace), g.place(b.Namespace)), compareKeys(a, b))
}

func (g *Guards) place(namespace string) int {
	if i := slices.Index(g.Priority, namespace); i >= 0 {
		return i
	}
	return len(g.Priority)
}

// mayCrowd reports a set that holds more values of a namespace than its window
// allows: whether too many of them are new at once depends on the edges.
func (g *Guards) mayCrowd(s KeySet) bool {
	for namespace, w := range g.Windows {
		if s.Count(namespace) > w.Most {
			return true
		}
	}
	return false
}

// crowd is what a resolver needs to hold windows against joins.
type crowd struct {
	first   []Instant // by key: when it is named first
	members [][]int32 // by root: the keys of its person; nil without windows
}

func (c *crowd) start() {
	c.members = make([][]int32, len(c.first))
	for i := range c.members {
		c.members[i] = []int32{int32(i)}
	}
}

func (c *crowd) join(into, from int32) {
	if c.members == nil {
		return
	}
	c.members[into] = append(c.members[into], c.members[from]...)
	c.members[from] = nil
}

// crowded says whether joining two roots at an instant brings more new values
// of a namespace together than its window allows; "" when not. Like a limit, it
// stops only what would grow a namespace.
func (r *resolver) crowded(at Instant, a, b int32) string {
	if r.crowd.members == nil {
		return ""
	}
	reason := ""
	for namespace, w := range r.guards.Windows {
		x, y := r.fresh(a, namespace, at-w.Within), r.fresh(b, namespace, at-w.Within)
		if x > 0 && y > 0 && x+y > w.Most && (reason == "" || RefusedLimit+namespace < reason) {
			reason = RefusedLimit + namespace
		}
	}
	return reason
}

// fresh counts the values of a person that were new after an instant.
func (r *resolver) fresh(root int32, namespace string, after Instant) int {
	n := 0
	for _, i := range r.crowd.members[root] {
		if r.keys[i].Namespace == namespace && r.crowd.first[i] > after {
			n++
		}
	}
	return n
}
