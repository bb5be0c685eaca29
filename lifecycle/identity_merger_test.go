package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPartitionMergers: ids that the vendor itself made one do not count towards
// the limit that all vendors share; an event of any other kind, another kind of
// key and a limit that was set for the vendor by name do.
func TestPartitionMergers(t *testing.T) {
	t.Parallel()
	merger := func(at int, keys string) Edge {
		e := keyEdge(at, keys)
		e.Merger = true
		return e
	}
	shared, named := Guards{VendorLimit: 3, Limits: map[string]int{"email": 1}}, Guards{Limits: map[string]int{"hubspot": 3}}
	tests := []struct {
		name   string
		guards Guards
		edges  []Edge
		want   []string
	}{
		{"two merges and a third", shared, []Edge{merger(1, "hubspot:1 hubspot:2 hubspot:3"), merger(2, "hubspot:3 hubspot:4 hubspot:5"), merger(3, "hubspot:5 hubspot:6")},
			[]string{"hubspot:1 hubspot:2 hubspot:3 hubspot:4 hubspot:5 hubspot:6"}},
		{"news of one more", shared, []Edge{merger(1, "hubspot:1 hubspot:2 hubspot:3"), keyEdge(2, "email:ann@example.com hubspot:3"), keyEdge(3, "email:ann@example.com hubspot:4")},
			[]string{"email:ann@example.com hubspot:1 hubspot:2 hubspot:3", "3: hubspot:4 not with email:ann@example.com, limit:hubspot"}},
		{"named a limit", named, []Edge{merger(1, "hubspot:1 hubspot:2 hubspot:3"), merger(2, "hubspot:3 hubspot:4")},
			[]string{"hubspot:1 hubspot:2 hubspot:3", "2: hubspot:4 not with hubspot:3, limit:hubspot"}},
		{"addresses count", shared, []Edge{keyEdge(1, "email:ann@example.com hubspot:1"), keyEdge(2, "email:bo@example.com hubspot:2"), merger(3, "hubspot:1 hubspot:2")},
			[]string{"email:ann@example.com hubspot:1", "email:bo@example.com hubspot:2", "3: hubspot:2 not with hubspot:1, limit:email"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, shownPartition(tt.guards.Partition(tt.edges))); diff != "" {
				t.Errorf("partition (-want +got):\n%s", diff)
			}
		})
	}
}
