package lifecycle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keyEdge reads "user:1 email:ann@example.com" as an observed edge at a time,
// whose id is made from that time.
func keyEdge(at int, keys string) Edge {
	return Edge{At: Instant(at), ID: EventID{byte(at >> 8), byte(at)}, Keys: SortKeys(keyList(keys))}
}

func decidedEdge(at int, d Decision, keys, apart string) Edge {
	e := keyEdge(at, keys)
	e.Decision = d
	if apart != "" {
		e.Apart = SortKeys(keyList(apart))
	}
	return e
}

func keyList(s string) []Key {
	var keys []Key
	for _, f := range strings.Fields(s) {
		ns, value, _ := strings.Cut(f, ":")
		keys = append(keys, Key{ns, value})
	}
	return keys
}

// shownPartition writes a partition as one line per person and one per refusal.
func shownPartition(p Partition) []string {
	lines := []string{}
	for _, g := range p.Groups {
		var words []string
		for _, k := range g {
			words = append(words, k.String())
		}
		lines = append(lines, strings.Join(words, " "))
	}
	for _, r := range p.Refused {
		lines = append(lines, fmt.Sprintf("%d: %s not with %s, %s", r.At, r.Key, r.With, r.Reason))
	}
	return lines
}

func TestPartition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		edges []Edge
		want  []string
	}{
		{"nothing", nil, []string{}},
		{"one key", []Edge{keyEdge(1, "anonymous:x")}, []string{"anonymous:x"}},
		{"no usable key", []Edge{keyEdge(1, "user:null email:noreply@example.com")}, []string{}},
		{"a chain", []Edge{
			keyEdge(1, "email:ann@example.com hubspot:51"), keyEdge(2, "hubspot:51 user:1"), keyEdge(3, "user:1 anonymous:x"), keyEdge(4, "user:2"),
		}, []string{"user:1 email:ann@example.com hubspot:51 anonymous:x", "user:2"}},
		{"two known people merge", []Edge{
			keyEdge(1, "email:ann@example.com"), keyEdge(2, "hubspot:51"), keyEdge(3, "hubspot:51 email:ann@example.com"),
		}, []string{"email:ann@example.com hubspot:51"}},
		{"a second user keeps to itself, the address stays", []Edge{
			keyEdge(1, "user:abc123 email:j@example.com"), keyEdge(2, "user:abc456 email:j@example.com"),
		}, []string{
			"user:abc123 email:j@example.com", "user:abc456",
			"2: email:j@example.com not with user:abc456, limit:user",
		}},
		{"the older claim wins, whatever arrives first", []Edge{
			keyEdge(9, "user:2 email:j@example.com"), keyEdge(3, "user:1 email:j@example.com"),
		}, []string{
			"user:1 email:j@example.com", "user:2",
			"9: email:j@example.com not with user:2, limit:user",
		}},
		{"an e-mail change follows the vendor's id", []Edge{
			keyEdge(1, "hubspot:51 email:old@example.com"), keyEdge(2, "hubspot:51 email:new@example.com"), keyEdge(3, "email:new@example.com user:1"),
		}, []string{"user:1 email:new@example.com email:old@example.com hubspot:51"}},
		{"the sixth address is refused and belongs to nobody", []Edge{
			keyEdge(1, "user:1 email:a@example.com email:b@example.com email:c@example.com email:d@example.com email:e@example.com"),
			keyEdge(2, "user:1 email:f@example.com"),
		}, []string{
			"user:1 email:a@example.com email:b@example.com email:c@example.com email:d@example.com email:e@example.com",
			"2: email:f@example.com not with user:1, limit:email",
		}},
		{"a refused key becomes its own person when it comes alone", []Edge{
			keyEdge(1, "stripe:1 stripe:2 stripe:3 stripe:4 stripe:5"), keyEdge(2, "stripe:1 stripe:6"), keyEdge(3, "stripe:6"),
		}, []string{
			"stripe:1 stripe:2 stripe:3 stripe:4 stripe:5", "stripe:6",
			"2: stripe:6 not with stripe:1, limit:stripe",
		}},
		{"a shared inbox names the first and joins nobody", []Edge{
			keyEdge(1, "hubspot:51 email:info@example.com"), keyEdge(2, "hubspot:52 email:info@example.com"), keyEdge(3, "email:info@example.com"),
		}, []string{
			"email:info@example.com hubspot:51", "hubspot:52",
			"2: email:info@example.com not with hubspot:52, shared_address",
		}},
		{"a shared inbox becomes known", []Edge{
			keyEdge(1, "email:sales+web@example.com anonymous:x"), keyEdge(2, "hubspot:52 email:sales+web@example.com"),
		}, []string{"email:sales+web@example.com hubspot:52 anonymous:x"}},
		{"a shared inbox joins no two people through a device either", []Edge{
			keyEdge(1, "hubspot:51 email:info@example.com"), keyEdge(2, "stripe:7 anonymous:x"), keyEdge(3, "email:info@example.com anonymous:x"),
		}, []string{
			"email:info@example.com hubspot:51", "stripe:7 anonymous:x",
			"3: anonymous:x not with email:info@example.com, shared_address",
		}},
		{"a device that two people use", []Edge{
			keyEdge(1, "email:ann@example.com anonymous:x"), keyEdge(2, "email:bob@example.com anonymous:x"),
		}, []string{
			"email:ann@example.com anonymous:x", "email:bob@example.com",
			"2: anonymous:x not with email:bob@example.com, shared_device",
		}},
		{"a device joins what differs in kind", []Edge{
			keyEdge(1, "email:ann@example.com anonymous:x"), keyEdge(2, "user:1 anonymous:x"),
		}, []string{"user:1 email:ann@example.com anonymous:x"}},
		{"two addresses and a device are no quarrel", []Edge{
			keyEdge(1, "user:1 email:ann@example.com anonymous:x"), keyEdge(2, "user:1 email:lee@example.com anonymous:x"),
		}, []string{"user:1 email:ann@example.com email:lee@example.com anonymous:x"}},
		{"a refusal that later evidence settles is not listed", []Edge{
			keyEdge(1, "email:ann@example.com anonymous:x"), keyEdge(2, "email:lee@example.com anonymous:x"),
			keyEdge(3, "email:ann@example.com email:lee@example.com"),
		}, []string{"email:ann@example.com email:lee@example.com anonymous:x"}},
		{"blocked values join nobody", []Edge{
			keyEdge(1, "user:undefined email:ann@example.com"), keyEdge(2, "user:undefined email:bob@example.com"), keyEdge(3, "anonymous:00000000-0000-0000-0000-000000000000 user:1"),
		}, []string{"user:1", "email:ann@example.com", "email:bob@example.com"}},
		{"a decision joins over a guard, and news still comes in", []Edge{
			keyEdge(1, "user:1 email:ann@example.com"), keyEdge(2, "user:2 email:lee@example.com"),
			decidedEdge(3, DecidedMerge, "user:1 user:2", ""), keyEdge(4, "user:2 phone:+493012345678"), keyEdge(5, "user:3 email:lee@example.com"),
		}, []string{
			"user:1 user:2 email:ann@example.com email:lee@example.com phone:+493012345678", "user:3",
			"5: email:lee@example.com not with user:3, limit:user",
		}},
		{"a split holds before and after itself", []Edge{
			keyEdge(1, "email:ann@example.com hubspot:51"), keyEdge(2, "hubspot:51 user:1"),
			decidedEdge(3, DecidedSplit, "email:ann@example.com", "hubspot:51 user:1"), keyEdge(4, "user:1 email:ann@example.com"),
		}, []string{
			"user:1 hubspot:51", "email:ann@example.com",
			"1: hubspot:51 not with email:ann@example.com, split",
			"4: email:ann@example.com not with user:1, split",
		}},
		{"a side that only the other held together stays one person", []Edge{
			keyEdge(1, "email:a@example.com stripe:1"), keyEdge(2, "email:b@example.com stripe:1"),
			decidedEdge(3, DecidedSplit, "email:a@example.com email:b@example.com", "stripe:1"),
		}, []string{
			"email:a@example.com email:b@example.com", "stripe:1",
			"1: stripe:1 not with email:a@example.com, split",
			"2: stripe:1 not with email:b@example.com, split",
		}},
		{"a later merge lifts a split", []Edge{
			keyEdge(1, "email:ann@example.com hubspot:51"), decidedEdge(3, DecidedSplit, "email:ann@example.com", "hubspot:51"),
			decidedEdge(5, DecidedMerge, "email:ann@example.com hubspot:51", ""),
		}, []string{"email:ann@example.com hubspot:51"}},
		{"a later split undoes a merge", []Edge{
			decidedEdge(3, DecidedMerge, "user:1 user:2", ""), decidedEdge(5, DecidedSplit, "user:1", "user:2"),
		}, []string{"user:1", "user:2", "3: user:2 not with user:1, split"}},
		{"a merge of others does not go round a split", []Edge{
			decidedEdge(1, DecidedSplit, "user:1", "user:2"), decidedEdge(2, DecidedMerge, "user:1 email:c@example.com", ""), decidedEdge(3, DecidedMerge, "user:2 email:c@example.com", ""),
		}, []string{
			"user:1 email:c@example.com", "user:2",
			"3: email:c@example.com not with user:2, split",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, shownPartition(DefaultGuards().Partition(tt.edges))); diff != "" {
				t.Errorf("partition (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPartitionAnchors(t *testing.T) {
	t.Parallel()
	got := DefaultGuards().Partition([]Edge{
		keyEdge(1, "user:null email:info@example.com hubspot:51 anonymous:x"),
		keyEdge(2, "user:0"),
		keyEdge(3, "email:info@example.com anonymous:x"),
		decidedEdge(4, DecidedSplit, "user:2", "user:1"),
	}).Anchor
	want := map[EventID]Key{{0, 1}: {"hubspot", "51"}, {0, 3}: {"email", "info@example.com"}, {0, 4}: {"user", "2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("anchors (-want +got):\n%s", diff)
	}
}

func TestPartitionTooManyKeys(t *testing.T) {
	t.Parallel()
	g := Guards{MaxKeys: 3}
	got := shownPartition(g.Partition([]Edge{keyEdge(1, "a:1 b:1 c:1 d:1"), keyEdge(2, "x:1 y:1"), keyEdge(3, "a:1 x:1")}))
	want := []string{
		"a:1 b:1 c:1", "x:1 y:1",
		"1: d:1 not with a:1, too_many_keys", "3: x:1 not with a:1, too_many_keys",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("partition (-want +got):\n%s", diff)
	}
}

func TestPartitionLeavesItsArgumentAlone(t *testing.T) {
	t.Parallel()
	edges := []Edge{keyEdge(2, "email:info@example.com hubspot:51 user:null"), keyEdge(1, "user:1 hubspot:51")}
	before := []Edge{keyEdge(2, "email:info@example.com hubspot:51 user:null"), keyEdge(1, "user:1 hubspot:51")}
	DefaultGuards().Partition(edges)
	if diff := cmp.Diff(before, edges); diff != "" {
		t.Errorf("the edges were changed:\n%s", diff)
	}
}
