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
	first   []Instant // by key: when it is first named together with another
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

// newKey is a key of a namespace with a window, of one of two people.
type newKey struct {
	at    Instant
	other bool
}

// crowded says whether two people have more values of a namespace that are new
// within a span than its window allows; "" when not. Like a limit, it stops only
// what would grow a namespace. It looks at the keys and not at the time of the
// edge, so that an edge told again later says nothing new.
func (r *resolver) crowded(a, b int32) string {
	if r.crowd.members == nil {
		return ""
	}
	reason := ""
	for namespace, w := range r.guards.Windows {
		keys := append(r.newKeys(nil, a, namespace, false), r.newKeys(nil, b, namespace, true)...)
		slices.SortFunc(keys, func(x, y newKey) int { return cmp.Compare(x.at, y.at) })
		if tooMany(keys, w) && (reason == "" || RefusedLimit+namespace < reason) {
			reason = RefusedLimit + namespace
		}
	}
	return reason
}

func (r *resolver) newKeys(keys []newKey, root int32, namespace string, other bool) []newKey {
	for _, i := range r.crowd.members[root] {
		if r.keys[i].Namespace == namespace {
			keys = append(keys, newKey{r.crowd.first[i], other})
		}
	}
	return keys
}

// tooMany looks, in keys in order of time, for a span in which keys of both
// people are more than the window allows.
func tooMany(keys []newKey, w KeyWindow) bool {
	for from := range keys {
		ours, theirs := 0, 0
		for _, k := range keys[from:] {
			if k.at-keys[from].at >= w.Within {
				break
			}
			if k.other {
				theirs++
			} else {
				ours++
			}
		}
		if ours > 0 && theirs > 0 && ours+theirs > w.Most {
			return true
		}
	}
	return false
}
