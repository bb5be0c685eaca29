package lifecycle

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// fewKeys are so few that random edges meet, and of every kind.
var fewKeys = keyList("user:1 user:2 email:a@example.com email:b@example.com email:c@example.com email:info@example.com " +
	"email:test@example.com phone:+4930123451 hubspot:1 hubspot:2 hubspot:3 stripe:1 stripe:2 anonymous:x anonymous:y anonymous:z user:null")

// tightGuards make refusals frequent.
func tightGuards() Guards {
	g := DefaultGuards()
	g.Limits = map[string]int{"user": 1, "email": 2, "anonymous": 2}
	g.VendorLimit, g.MaxKeys = 2, 7
	return g
}

// windowGuards are these with spans in which few keys may be new.
func windowGuards() Guards {
	g := tightGuards()
	g.Windows = map[string]KeyWindow{"stripe": {Most: 1, Within: 4}, "hubspot": {Most: 2, Within: 3}, "anonymous": {Most: 1, Within: 2}}
	g.Limits["stripe"], g.Limits["hubspot"], g.Limits["anonymous"] = 0, 0, 0
	return g
}

func drawEdges(t *rapid.T, keys []Key, most int, decisions bool) []Edge {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Edge {
		e := Edge{
			At:   Instant(rapid.IntRange(1, 12).Draw(t, "at")),
			Keys: SortKeys(rapid.SliceOfN(rapid.SampledFrom(keys), 0, 4).Draw(t, "keys")),
		}
		binary.BigEndian.PutUint16(e.ID[:], rapid.Uint16().Draw(t, "id"))
		if decisions {
			e.Decision = rapid.SampledFrom([]Decision{Observed, Observed, Observed, DecidedMerge, DecidedSplit}).Draw(t, "decision")
		}
		e.Merger = e.Decision == Observed && rapid.IntRange(0, 4).Draw(t, "merger") == 0
		if e.Decision == DecidedSplit {
			e.Apart = SortKeys(rapid.SliceOfN(rapid.SampledFrom(keys), 0, 3).Draw(t, "apart"))
		}
		return e
	}), 0, most).Draw(t, "edges")
}

var emptyIsNil = cmp.Options{cmpopts.EquateEmpty()}

func TestPartitionInAnyOrder(t *testing.T) {
	t.Parallel()
	g := windowGuards()
	rapid.Check(t, func(t *rapid.T) {
		edges := drawEdges(t, fewKeys, 14, true)
		again := slices.Concat(edges, edges[:rapid.IntRange(0, len(edges)).Draw(t, "twice")])
		again = rapid.Permutation(again).Draw(t, "again")
		if diff := cmp.Diff(g.Partition(edges), g.Partition(again), emptyIsNil); diff != "" {
			t.Fatalf("order or duplicates changed the answer:\n%s", diff)
		}
	})
}

// TestPartitionHolds checks what must be true of any answer.
func TestPartitionHolds(t *testing.T) {
	t.Parallel()
	g := windowGuards()
	rapid.Check(t, func(t *rapid.T) {
		edges := drawEdges(t, fewKeys, 14, true)
		p := g.Partition(edges)
		group := make(map[Key]int)
		for i, keys := range p.Groups {
			if len(keys) == 0 || !slices.Equal(keys, SortKeys(slices.Clone(keys))) {
				t.Fatalf("group %v", keys)
			}
			for _, k := range keys {
				if _, twice := group[k]; twice || g.blocked(k) {
					t.Fatalf("%s is in two groups or blocked: %v", k, p.Groups)
				}
				group[k] = i
			}
		}
		merged := false
		for _, e := range edges {
			anchor, ok := p.Anchor[e.ID]
			if _, owned := group[anchor]; ok != owned {
				t.Fatalf("anchor %q, owned %v", anchor, owned)
			}
			merged = merged || e.Decision != Observed || e.Merger
		}
		for _, r := range p.Refused {
			if g, owned := group[r.Key]; owned && g == group[r.With] {
				t.Fatalf("refused and yet together: %+v", r)
			}
			if _, owned := group[r.With]; !owned {
				t.Fatalf("the anchor of a refusal belongs to nobody: %+v", r)
			}
		}
		if last := lastSplit(edges); last != nil {
			for _, a := range g.Usable(last.Keys) {
				for _, b := range g.Usable(last.Apart) {
					if slices.Contains(last.Apart, a) || slices.Contains(last.Keys, b) {
						continue
					}
					ga, owned := group[a]
					if gb, both := group[b]; owned && both && ga == gb {
						t.Fatalf("%s and %s were split last and are together", a, b)
					}
				}
			}
		}
		if merged {
			return
		}
		for _, keys := range p.Groups {
			s := g.KeySet(keys...)
			if s.Count("user") > 1 || s.Count("email") > 2 || s.Count("hubspot") > 2 || s.Count("anonymous") > 2 || s.Len() > 7 {
				t.Fatalf("a limit is broken: %v", keys)
			}
		}
	})
}

// lastSplit is the split after which nothing is decided, or nil.
func lastSplit(edges []Edge) *Edge {
	var last *Edge
	for i := range edges {
		if e := &edges[i]; e.Decision != Observed && (last == nil || compareEdges(last, e) < 0) {
			last = e
		}
	}
	if last == nil || last.Decision != DecidedSplit {
		return nil
	}
	return last
}

func TestPartitionIsConnectedComponentsWhereNothingBreaks(t *testing.T) {
	t.Parallel()
	g := windowGuards()
	contested := 0
	rapid.Check(t, func(t *rapid.T) {
		edges := drawEdges(t, fewKeys, 8, false)
		components := connectedKeys(g, edges)
		for _, keys := range components {
			if g.Allows(g.KeySet(keys...), KeySet{}) != "" {
				contested++
				return
			}
		}
		p := g.Partition(edges)
		if diff := cmp.Diff(components, p.Groups, emptyIsNil); diff != "" || len(p.Refused) > 0 {
			t.Fatalf("not the connected components; refused %v\n%s", p.Refused, diff)
		}
	})
	t.Logf("%d draws were contested and not compared", contested)
}

// connectedKeys is a slow and plain flood fill, in the order of Partition.Groups.
func connectedKeys(g Guards, edges []Edge) [][]Key {
	label := make(map[Key]int)
	for i, e := range edges {
		for _, k := range slices.Concat(g.Usable(e.Keys), g.Usable(e.Apart)) {
			if label[k] == 0 {
				label[k] = len(fewKeys) + i + 1
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, e := range edges {
			keys := slices.Concat(g.Usable(e.Keys), g.Usable(e.Apart))
			for _, k := range keys {
				for _, other := range keys {
					if label[other] < label[k] {
						label[k], changed = label[other], true
					}
				}
			}
		}
	}
	byLabel := make(map[int][]Key)
	for k, l := range label {
		byLabel[l] = append(byLabel[l], k)
	}
	var out [][]Key
	for _, keys := range byLabel {
		out = append(out, SortKeys(keys))
	}
	slices.SortFunc(out, func(a, b []Key) int { return compareKeys(a[0], b[0]) })
	return out
}

// TestPartitionRepeatsTellNothing: the earliest edge of each list of keys is
// all that a store has to keep.
func TestPartitionRepeatsTellNothing(t *testing.T) {
	t.Parallel()
	g := windowGuards()
	rapid.Check(t, func(t *rapid.T) {
		edges := drawEdges(t, fewKeys, 14, true)
		slices.SortFunc(edges, func(a, b Edge) int { return compareEdges(&a, &b) })
		seen := make(map[string]bool)
		kept := slices.DeleteFunc(slices.Clone(edges), func(e Edge) bool {
			list := fmt.Sprint(g.Usable(e.Keys))
			again := e.Decision == Observed && !e.Merger && seen[list]
			seen[list] = seen[list] || e.Decision == Observed
			return again
		})
		ignoreAnchor := cmpopts.IgnoreFields(Partition{}, "Anchor")
		if diff := cmp.Diff(g.Partition(edges), g.Partition(kept), emptyIsNil, ignoreAnchor); diff != "" {
			t.Fatalf("without repeats (-all +kept):\n%s", diff)
		}
	})
}

// TestPartitionOneConnectedSetAtATime: sets that no edge connects may be asked
// about apart.
func TestPartitionOneConnectedSetAtATime(t *testing.T) {
	t.Parallel()
	g := windowGuards()
	rapid.Check(t, func(t *rapid.T) {
		edges := drawEdges(t, fewKeys, 6, true)
		var groups [][]Key
		var refused []Refusal
		for _, keys := range connectedKeys(g, edges) {
			p := g.Partition(slices.DeleteFunc(slices.Clone(edges), func(e Edge) bool {
				return !slices.ContainsFunc(slices.Concat(e.Keys, e.Apart), func(k Key) bool { return slices.Contains(keys, k) })
			}))
			groups = append(groups, p.Groups...)
			refused = append(refused, p.Refused...)
		}
		all := g.Partition(edges)
		byKey := cmpopts.SortSlices(func(a, b []Key) bool { return compareKeys(a[0], b[0]) < 0 })
		byPair := cmpopts.SortSlices(func(a, b Refusal) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
		if diff := cmp.Diff(all.Groups, groups, emptyIsNil, byKey); diff != "" {
			t.Fatalf("groups (-whole +parts):\n%s", diff)
		}
		if diff := cmp.Diff(all.Refused, refused, emptyIsNil, byPair); diff != "" {
			t.Fatalf("refusals (-whole +parts):\n%s", diff)
		}
	})
}
