package lifecycle

import (
	"slices"
	"strings"
)

// The reasons a key is refused, in Refusal and from Allows and Joins. The
// limit of a namespace is told as "limit:" and its name.
const (
	RefusedLimit         = "limit:"
	RefusedTooManyKeys   = "too_many_keys"
	RefusedSharedDevice  = "shared_device"
	RefusedSharedAddress = "shared_address"
	// RefusedSplit: a person decided that the two are not the same.
	RefusedSplit = "split"
	// RefusedOrder is Allows' alone: nothing is broken, but whether something
	// is depends on the order of the edges.
	RefusedOrder = "order"
)

// KeySet sums up the keys of one person: how many of each namespace, and how
// many of these are the person's own. It is what the guards look at, so that
// nobody has to load the keys. The zero value is empty; a KeySet is not
// changed by any exported method. Two people never hold the same key, which is
// why counting is enough.
type KeySet struct {
	spaces                 []spaceCount // by namespace
	total                  int
	strong, roles, devices int
	mostAlike              int // the most of the person's own in one namespace
}

type spaceCount struct {
	namespace     string
	total, strong int
}

// KeySet sums up the distinct keys of one person, or a single new key.
func (g Guards) KeySet(keys ...Key) KeySet {
	var s KeySet
	for _, k := range keys {
		s.add(g.single(k, make([]spaceCount, 1)))
	}
	return s
}

// single is the set of one key, kept in room, which has space for one entry.
func (g *Guards) single(k Key, room []spaceCount) KeySet {
	s := KeySet{spaces: room, total: 1}
	room[0] = spaceCount{namespace: k.Namespace, total: 1}
	switch g.class(k) {
	case deviceKey:
		s.devices = 1
	case roleKey:
		s.roles = 1
	default:
		s.strong, s.mostAlike, room[0].strong = 1, 1, 1
	}
	return s
}

// Len is the number of keys.
func (s KeySet) Len() int { return s.total }

// Count is the number of keys in a namespace.
func (s KeySet) Count(namespace string) int {
	if i, ok := s.find(namespace); ok {
		return s.spaces[i].total
	}
	return 0
}

// Union sums up two sets that share no key.
func (s KeySet) Union(o KeySet) KeySet {
	s.spaces = slices.Clone(s.spaces)
	s.add(o)
	return s
}

func (s *KeySet) find(namespace string) (int, bool) {
	return slices.BinarySearchFunc(s.spaces, namespace, func(c spaceCount, name string) int {
		return strings.Compare(c.namespace, name)
	})
}

// add makes s the union, changing it in place; o is left alone.
func (s *KeySet) add(o KeySet) {
	for _, c := range o.spaces {
		i, ok := s.find(c.namespace)
		if !ok {
			s.spaces = slices.Insert(s.spaces, i, spaceCount{namespace: c.namespace})
		}
		s.spaces[i].total += c.total
		s.spaces[i].strong += c.strong
		s.mostAlike = max(s.mostAlike, s.spaces[i].strong)
	}
	s.total += o.total
	s.strong += o.strong
	s.roles += o.roles
	s.devices += o.devices
}

// Allows says whether the union of two people's keys, or of a person's and
// new keys, is harmless whatever the edges between them were and in whatever
// order they came: "" when it is, else the reason. It depends on nothing but
// the union, and it is monotone: what it allows for a union it allows for
// every part of it. So where it allows the union of a whole connected set,
// Partition refuses nothing within that set and makes it one person, in any
// order of any edges. For three and more, ask for the first two, then for
// their Union and the third.
func (g Guards) Allows(a, b KeySet) (reason string) {
	u := a.Union(b)
	for _, c := range u.spaces {
		if limit := g.limit(c.namespace); limit > 0 && c.total > limit {
			return RefusedLimit + c.namespace
		}
	}
	switch {
	case g.MaxKeys > 0 && u.total > g.MaxKeys:
		return RefusedTooManyKeys
	case g.mayCrowd(u):
		return RefusedOrder
	case u.devices > 0 && u.mostAlike > 1, u.roles > 0 && u.strong > 1:
		return RefusedOrder
	}
	return ""
}

// Joins says whether one edge may join two people who share no key: a, who
// owns the edge's anchor, and b, who owns another key of that edge; for a key
// that nobody owns b is its set alone. "" is yes, else it is the reason for
// the refusal. It is the single step of Partition, which holds splits and
// windows against it besides.
//
// A limit stops only what would grow a namespace, so that two people whom a
// person's decision has joined beyond a limit can still be told news of.
func (g Guards) Joins(a, b KeySet, anchor, key Key) (reason string) {
	return g.joins(a, b, anchor, key, "")
}

// vendorSpace gives the namespace of a key where VendorLimit is its limit, else "".
func (g *Guards) vendorSpace(k Key) string {
	if _, own := g.Limits[k.Namespace]; own {
		return ""
	}
	return k.Namespace
}

// joins is Joins without the limit of one namespace.
func (g *Guards) joins(a, b KeySet, anchor, key Key, free string) (reason string) {
	sameKind := false
	for _, c := range b.spaces {
		i, ok := a.find(c.namespace)
		if !ok {
			continue
		}
		if limit := g.limit(c.namespace); limit > 0 && a.spaces[i].total+c.total > limit && c.namespace != free {
			return RefusedLimit + c.namespace
		}
		sameKind = sameKind || a.spaces[i].strong > 0 && c.strong > 0
	}
	if g.MaxKeys > 0 && a.total+b.total > g.MaxKeys {
		return RefusedTooManyKeys
	}
	x, y := g.class(anchor), g.class(key)
	switch {
	case (x == deviceKey || y == deviceKey) && sameKind:
		return RefusedSharedDevice
	case (x == roleKey || y == roleKey) && a.strong > 0 && b.strong > 0:
		return RefusedSharedAddress
	}
	return ""
}

func (g *Guards) limit(namespace string) int {
	if n, ok := g.Limits[namespace]; ok {
		return n
	}
	return g.VendorLimit
}
