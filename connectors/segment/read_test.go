package segment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/segment/segmentsim"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// TestRead reads back what was pushed, over several pages of traits.
func TestRead(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := connect(t, sim, sim, nil)
	u := people()[0]
	u.Want.Traits = map[string]any{"plan": "team", "gone": nil}
	guest := connectors.Update{ID: "g", Keys: []lifecycle.Key{{Namespace: "anonymous", Value: "a-1"}}, Want: connectors.State{Stage: "Visit"}}
	push(t, c, []connectors.Update{u, guest})
	u.Want.Segments, u.Want.Absent = []string{"promoters"}, []string{"at_risk", "dormant"}
	states, err := c.Read(t.Context(), []connectors.Update{u, guest, {Keys: user("nobody")}, {Email: "dana@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []*connectors.State{
		{Stage: "Customer", Segments: []string{"at_risk"}, Absent: []string{"dormant", "promoters"}, Traits: map[string]any{"plan": "team", "gone": nil}},
		{Stage: "Visit"}, nil, nil,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	for name, change := range map[string]func(*connectors.Config){
		string(connectors.ReasonSettings): func(cfg *connectors.Config) { delete(cfg.Settings, "space_id") },
		string(connectors.ReasonAuth): func(cfg *connectors.Config) {
			cfg.Secrets["profile_token"] = []secret.Text{secret.New("wrong-token")}
		},
	} {
		if _, err := connect(t, sim, sim, change).Read(t.Context(), []connectors.Update{u}); string(reasonOf(err)) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKnownAfterStorage: what is known was JSON in between; numbers that are
// the same are not sent again.
func TestKnownAfterStorage(t *testing.T) {
	t.Parallel()
	sim := segmentsim.New()
	c := connect(t, sim, sim, nil)
	u := connectors.Update{ID: "v", Keys: user("u-1"), Want: connectors.State{Traits: map[string]any{"seats": int64(3), "gone": nil}}}
	u.Known = &connectors.State{Traits: map[string]any{"seats": float64(3), "gone": nil}}
	if r := push(t, c, []connectors.Update{u})[0]; r.Outcome != connectors.OK || sim.Writes() != 0 {
		t.Errorf("result %+v after %d writes", r, sim.Writes())
	}
}
