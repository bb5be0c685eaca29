package lifecycle

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// island is what a store keeps of one connected set of keys: who owns what,
// which pairs were refused, and the edges for the day it must be rebuilt.
type island struct {
	owner   map[Key]int // key to person; a refused key may be nobody's
	refused []Refusal
	edges   []Edge
	newest  Edge
	split   bool
}

// keyStore takes edges one by one by the three short ways that Partition's
// comment allows, and rebuilds only when none of them is open.
type keyStore struct {
	guards  Guards
	islands map[Key]*island
	people  int // numbers given so far

	known, inOrder, united, rebuilt int
}

func (s *keyStore) add(e Edge) {
	e.Keys, e.Apart = s.guards.Usable(e.Keys), s.guards.Usable(e.Apart)
	if e.Decision != DecidedSplit {
		e.Apart = nil
	}
	if len(e.Keys)+len(e.Apart) == 0 {
		return
	}
	all := slices.Concat(e.Keys, e.Apart)
	var touched []*island
	for _, k := range all {
		if i := s.islands[k]; i != nil && !slices.Contains(touched, i) {
			touched = append(touched, i)
		}
	}
	if len(touched) == 1 && e.Decision == Observed && !e.Merger && slices.ContainsFunc(touched[0].edges, func(o Edge) bool {
		return o.Decision == Observed && compareEdges(&o, &e) <= 0 && slices.Equal(o.Keys, e.Keys)
	}) {
		s.known++
		return
	}
	one := s.mergeIslands(touched, all)
	later := compareEdges(&one.newest, &e) < 0
	one.edges = append(one.edges, e)
	if later {
		one.newest = e
	}
	one.split = one.split || e.Decision == DecidedSplit
	switch {
	case e.Decision == Observed && !e.Merger && !one.split && later:
		s.inOrder++
		s.step(one, e)
	case e.Decision == Observed && !one.split && s.harmless(one):
		s.united++
		s.people++
		for k := range one.owner {
			one.owner[k] = s.people
		}
	default:
		s.rebuilt++
		s.rebuild(one)
	}
}

// mergeIslands makes one island of all that an edge touches.
func (s *keyStore) mergeIslands(touched []*island, keys []Key) *island {
	one := &island{owner: make(map[Key]int)}
	for _, i := range touched {
		for k, p := range i.owner {
			one.owner[k] = p
		}
		one.refused = append(one.refused, i.refused...)
		one.edges = append(one.edges, i.edges...)
		one.split = one.split || i.split
		if compareEdges(&one.newest, &i.newest) < 0 {
			one.newest = i.newest
		}
	}
	for _, k := range keys {
		one.owner[k] += 0
	}
	for k := range one.owner {
		s.islands[k] = one
	}
	return one
}

// step applies an edge that is later than all others.
func (s *keyStore) step(one *island, e Edge) {
	anchor := e.Keys[0]
	if one.owner[anchor] == 0 {
		s.people++
		one.owner[anchor] = s.people
	}
	for _, k := range e.Keys[1:] {
		a, b := one.owner[anchor], one.owner[k]
		if a == b {
			continue
		}
		other := s.guards.KeySet(k)
		if b != 0 {
			other = s.keySet(one, b)
		}
		if reason := s.guards.Joins(s.keySet(one, a), other, anchor, k); reason != "" {
			one.refused = append(one.refused, Refusal{e.ID, e.At, k, anchor, reason})
			continue
		}
		one.owner[k] = a
		for o, p := range one.owner {
			if b != 0 && p == b {
				one.owner[o] = a
			}
		}
	}
}

func (s *keyStore) keySet(one *island, person int) KeySet {
	var set KeySet
	for k, p := range one.owner {
		if p == person {
			set = set.Union(s.guards.KeySet(k))
		}
	}
	return set
}

func (s *keyStore) harmless(one *island) bool {
	var set KeySet
	for k := range one.owner {
		if s.guards.Allows(set, s.guards.KeySet(k)) != "" {
			return false
		}
		set = set.Union(s.guards.KeySet(k))
	}
	return true
}

func (s *keyStore) rebuild(one *island) {
	p := s.guards.Partition(one.edges)
	clear(one.owner)
	for _, e := range one.edges {
		for _, k := range slices.Concat(e.Keys, e.Apart) {
			one.owner[k] = 0
		}
	}
	for _, g := range p.Groups {
		s.people++
		for _, k := range g {
			one.owner[k] = s.people
		}
	}
	one.refused = p.Refused
}

// partition shows what the store holds as Partition would.
func (s *keyStore) partition() (groups [][]Key, refused []Refusal) {
	byPerson := make(map[int][]Key)
	var seen []*island
	for k, i := range s.islands {
		if p := i.owner[k]; p != 0 {
			byPerson[p] = append(byPerson[p], k)
		}
		if slices.Contains(seen, i) {
			continue
		}
		seen = append(seen, i)
		pairs := make(map[[2]Key]bool)
		for _, r := range i.refused {
			together := i.owner[r.Key] != 0 && i.owner[r.Key] == i.owner[r.With]
			if pair := [2]Key{r.Key, r.With}; !together && !pairs[pair] {
				pairs[pair] = true
				refused = append(refused, r)
			}
		}
	}
	for _, keys := range byPerson {
		groups = append(groups, SortKeys(keys))
	}
	slices.SortFunc(groups, func(a, b []Key) int { return compareKeys(a[0], b[0]) })
	slices.SortFunc(refused, compareRefusals)
	return groups, refused
}

func compareRefusals(a, b Refusal) int {
	return compareEdges(&Edge{At: a.At, ID: a.Edge, Keys: []Key{a.With, a.Key}}, &Edge{At: b.At, ID: b.Edge, Keys: []Key{b.With, b.Key}})
}

func TestOneByOneEqualsPartition(t *testing.T) {
	t.Parallel()
	var total keyStore
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom([]Guards{tightGuards(), DefaultGuards(), {}}).Draw(t, "guards")
		edges := drawEdges(t, fewKeys, 16, rapid.Bool().Draw(t, "decisions"))
		if len(edges) > 0 { // most events name what an earlier one has named
			again := rapid.SampledFrom(edges).Draw(t, "again")
			again.At, again.ID[15] = again.At+12, 1
			edges = append(edges, again)
		}
		s := keyStore{guards: g, islands: make(map[Key]*island)}
		for i, e := range edges {
			s.add(e)
			groups, refused := s.partition()
			want := g.Partition(edges[:i+1])
			slices.SortFunc(want.Refused, compareRefusals)
			if diff := cmp.Diff(want.Groups, groups, emptyIsNil); diff != "" {
				t.Fatalf("groups after edge %d (-all at once +one by one):\n%s", i, diff)
			}
			if diff := cmp.Diff(want.Refused, refused, emptyIsNil); diff != "" {
				t.Fatalf("refusals after edge %d (-all at once +one by one):\n%s", i, diff)
			}
		}
		total.known += s.known
		total.inOrder += s.inOrder
		total.united += s.united
		total.rebuilt += s.rebuilt
	})
	t.Logf("known %d, in order %d, united %d, rebuilt %d", total.known, total.inOrder, total.united, total.rebuilt)
	if total.known == 0 || total.inOrder == 0 || total.united == 0 || total.rebuilt == 0 {
		t.Error("one of the ways was never taken")
	}
}

// manyEdges is a believable day: one edge per event, people with a cookie, an
// address, and now and then a vendor's id, and a few shared devices.
func manyEdges(n int) []Edge {
	rnd := rand.New(rand.NewPCG(1, 2))
	edges := make([]Edge, n)
	for i := range edges {
		person := rnd.IntN(n/5 + 1)
		keys := []Key{{"anonymous", fmt.Sprintf("c-%d-%d", person, rnd.IntN(3))}}
		if rnd.IntN(3) > 0 {
			keys = append(keys, Key{"email", fmt.Sprintf("person%d@example.com", person)})
		}
		if rnd.IntN(3) == 0 {
			keys = append(keys, Key{"hubspot-eu", fmt.Sprint(person)})
		}
		if rnd.IntN(4) == 0 {
			keys = append(keys, Key{"user", fmt.Sprint(person)})
		}
		if rnd.IntN(200) == 0 {
			keys[0].Value = fmt.Sprintf("c-%d-0", rnd.IntN(n/5+1))
		}
		edges[i] = Edge{At: Instant(rnd.Int64N(1e15)), Keys: SortKeys(keys)}
		binary.BigEndian.PutUint64(edges[i].ID[:], rnd.Uint64())
	}
	return edges
}

func BenchmarkPartition100k(b *testing.B) {
	g, edges := DefaultGuards(), manyEdges(100_000)
	var p Partition
	for b.Loop() {
		p = g.Partition(edges)
	}
	b.ReportMetric(float64(len(p.Groups)), "people")
	b.ReportMetric(float64(len(p.Refused)), "refused")
}

// BenchmarkPartitionOneSet is the worst shape: every edge in one connected set
// with nothing to stop it growing.
func BenchmarkPartitionOneSet(b *testing.B) {
	edges := make([]Edge, 100_000)
	for i := range edges {
		edges[i] = Edge{At: Instant(i), Keys: []Key{{"hubspot", fmt.Sprintf("%06d", i)}, {"hubspot", fmt.Sprintf("%06d", i+1)}}}
		binary.BigEndian.PutUint64(edges[i].ID[:], uint64(i))
	}
	for _, g := range []Guards{{}, DefaultGuards()} {
		b.Run(fmt.Sprintf("limit=%d", g.VendorLimit), func(b *testing.B) {
			for b.Loop() {
				g.Partition(edges)
			}
		})
	}
}

func BenchmarkUsable(b *testing.B) {
	g, keys := DefaultGuards(), keyList("user:4711 email:ann@example.com hubspot-eu:51 anonymous:c-1-2")
	for b.Loop() {
		g.Usable(keys)
	}
}
