package lifecycle

import (
	"slices"
)

// resolver applies edges to a union-find over the keys. A key is a number
// here; a root carries the KeySet of its person.
type resolver struct {
	guards Guards
	edges  []numberedEdge // in order

	number map[Key]int32
	keys   []Key
	parent []int32 // nobody, or a key of the same person; a root is its own
	sets   []KeySet
	// apart lists at each root the splits that concern its person: pairs of a
	// key of this person and one that must stay out.
	apart [][]keyPair
	crowd crowd

	refused []refusal
	joined  []Joined
	anchor  map[EventID]Key
}

// numberedEdge is an edge with its usable keys only, and their numbers.
type numberedEdge struct {
	Edge
	keys, apart []int32
}

// nobody is the parent of a key that no edge has given to a person.
const nobody int32 = -1

type keyPair struct{ in, out int32 }

type refusal struct {
	Refusal
	pair keyPair
}

func newResolver(g Guards, edges []Edge) *resolver {
	r := &resolver{
		guards: g,
		edges:  make([]numberedEdge, len(edges)),
		number: make(map[Key]int32, len(edges)),
		anchor: make(map[EventID]Key, len(edges)),
	}
	order := make([]int32, len(edges))
	usable := make([]Edge, len(edges))
	total, decided := 0, false
	for i, e := range edges {
		e.Keys, e.Apart = g.Usable(e.Keys), g.Usable(e.Apart)
		if e.Decision != DecidedSplit {
			e.Apart = nil
		}
		decided = decided || e.Decision == DecidedSplit
		total += len(e.Keys) + len(e.Apart)
		usable[i], order[i] = e, int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int { return compareEdges(&usable[i], &usable[j]) })
	numbers := make([]int32, 0, total) // one piece of memory for all edges
	for i, from := range order {
		e := numberedEdge{Edge: usable[from]}
		n := len(numbers)
		numbers = r.register(numbers, e.Keys, e.At)
		e.keys = numbers[n:]
		n = len(numbers)
		numbers = r.register(numbers, e.Apart, e.At)
		e.apart = numbers[n:]
		r.edges[i] = e
	}
	r.sets = make([]KeySet, len(r.keys))
	r.apart = make([][]keyPair, len(r.keys))
	room := make([]spaceCount, len(r.keys))
	for i, k := range r.keys {
		// The full slice expression makes a growing set move out of the room
		// instead of into its neighbour's place.
		r.sets[i] = g.single(k, room[i:i+1:i+1])
	}
	if len(g.Windows) > 0 {
		r.crowd.start()
	}
	if decided {
		r.forbid()
	}
	return r
}

// register appends the keys' numbers and gives one to each that is new. Edges
// come in order, so the first instant at which several keys are named is the
// earliest for each of them; an edge with one key says nothing about others,
// not even when it was new.
func (r *resolver) register(numbers []int32, keys []Key, at Instant) []int32 {
	for _, k := range keys {
		n, ok := r.number[k]
		if !ok {
			n = int32(len(r.keys))
			r.number[k] = n
			r.keys = append(r.keys, k)
			r.parent = append(r.parent, nobody)
			r.crowd.first = append(r.crowd.first, never)
		}
		if len(keys) > 1 && r.crowd.first[n] == never {
			r.crowd.first[n] = at
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// forbid reads the decisions in order; the last one that names a pair of keys
// decides about it. The lists of a decision come from one or two people, so
// pairs stay few.
func (r *resolver) forbid() {
	forbidden := make(map[keyPair]bool)
	pairs := func(a, b []int32, f func(keyPair)) {
		for _, i := range a {
			for _, j := range b {
				if i != j {
					f(keyPair{min(i, j), max(i, j)})
				}
			}
		}
	}
	lift := func(p keyPair) { delete(forbidden, p) }
	for _, e := range r.edges {
		switch e.Decision {
		case DecidedMerge:
			if len(forbidden) > 0 {
				pairs(e.keys, e.keys, lift)
			}
		case DecidedSplit:
			pairs(e.keys, e.apart, func(p keyPair) { forbidden[p] = true })
			pairs(e.keys, e.keys, lift)
			pairs(e.apart, e.apart, lift)
		}
	}
	for p := range forbidden {
		r.apart[p.in] = append(r.apart[p.in], p)
		r.apart[p.out] = append(r.apart[p.out], keyPair{p.out, p.in})
	}
}

// apply joins what the edge says is one person's.
func (r *resolver) apply(e *numberedEdge) {
	if len(e.Keys) > 0 {
		if _, again := r.anchor[e.ID]; !again {
			r.anchor[e.ID] = e.Keys[0]
		}
	}
	r.gather(&e.Edge, e.keys)
	r.gather(&e.Edge, e.apart)
}

// gather brings the keys to the person of the first.
func (r *resolver) gather(e *Edge, keys []int32) {
	if len(keys) == 0 {
		return
	}
	anchor := keys[0]
	if r.parent[anchor] == nobody {
		r.parent[anchor] = anchor
	}
	for _, key := range keys[1:] {
		a, b := r.root(anchor), key
		if r.parent[key] != nobody {
			b = r.root(key)
		}
		if a == b {
			continue
		}
		if reason := r.objection(e, a, b, anchor, key); reason != "" {
			r.refused = append(r.refused, refusal{
				Refusal: Refusal{Edge: e.ID, At: e.At, Key: r.keys[key], With: r.keys[anchor], Reason: reason},
				pair:    keyPair{anchor, key},
			})
			continue
		}
		r.join(a, b)
		r.joined = append(r.joined, Joined{e.ID, e.At, e.Decision, r.keys[key], r.keys[anchor]})
	}
}

// objection is why the people with roots a and b must not be joined, or "".
func (r *resolver) objection(e *Edge, a, b, anchor, key int32) string {
	if r.split(a, b) {
		return RefusedSplit
	}
	if e.Decision != Observed {
		return ""
	}
	free := ""
	if e.Merger {
		free = r.guards.vendorSpace(r.keys[key])
	}
	if reason := r.guards.joins(r.sets[a], r.sets[b], r.keys[anchor], r.keys[key], free); reason != "" {
		return reason
	}
	return r.crowded(a, b)
}

func (r *resolver) split(a, b int32) bool {
	if len(r.apart[a]) > len(r.apart[b]) {
		a, b = b, a
	}
	return slices.ContainsFunc(r.apart[a], func(p keyPair) bool {
		return p.out == b || r.parent[p.out] != nobody && r.root(p.out) == b
	})
}

// join makes one person of two roots; b may be a key of nobody.
func (r *resolver) join(a, b int32) {
	if r.sets[a].total < r.sets[b].total {
		a, b = b, a
	}
	r.parent[a], r.parent[b] = a, a
	r.sets[a].add(r.sets[b])
	r.apart[a] = append(r.apart[a], r.apart[b]...)
	r.crowd.join(a, b)
	r.sets[b], r.apart[b] = KeySet{}, nil
}

// root finds the person of a key that somebody owns.
func (r *resolver) root(i int32) int32 {
	for r.parent[i] != i {
		r.parent[i] = r.parent[r.parent[i]]
		i = r.parent[i]
	}
	return i
}

// groups lists the people.
func (r *resolver) groups() [][]Key {
	owned := make([]int32, 0, len(r.keys))
	for i := range r.keys {
		if r.parent[i] != nobody {
			owned = append(owned, int32(i))
		}
	}
	slices.SortFunc(owned, func(i, j int32) int { return compareKeys(r.keys[i], r.keys[j]) })
	var groups [][]Key
	at := make([]int32, len(r.keys)) // by root: index in groups, plus one
	all := make([]Key, len(owned))   // one piece of memory for every group
	for _, i := range owned {
		root := r.root(i)
		if at[root] == 0 {
			n := r.sets[root].total
			groups = append(groups, all[:0:n])
			all = all[n:]
			at[root] = int32(len(groups))
		}
		g := &groups[at[root]-1]
		*g = append(*g, r.keys[i])
	}
	return groups
}

// refusals lists what is still apart in the end, each pair once.
func (r *resolver) refusals() []Refusal {
	var out []Refusal
	seen := make(map[keyPair]bool, len(r.refused))
	for _, f := range r.refused {
		i, j := f.pair.in, f.pair.out
		if seen[f.pair] || r.parent[j] != nobody && r.root(i) == r.root(j) {
			continue
		}
		seen[f.pair] = true
		out = append(out, f.Refusal)
	}
	return out
}
