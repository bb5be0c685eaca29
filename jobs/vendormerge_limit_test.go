package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestManyVendorMerges: a contact that its vendor merged again and again, each
// time into a new record, is one person here, in whatever order that is told,
// also beside events that name the same ids otherwise.
func TestManyVendorMerges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 6))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		if _, err := s.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: `
rules:
  - { name: merged, type: merged, emit: { event: "Identity:Merged", identity: { lab: body.records } } }
  - { name: listed, type: listed, emit: { event: "Contact:Updated", identity: { lab: body.records } } }
  - { name: seen, type: seen, emit: { event: "Contact:Updated", identity: { email: body.email, lab: body.records } } }
`}); err != nil {
			t.Fatal(err)
		}
		if err := l.registry.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := l.now.Add(-48 * time.Hour)
		all := []told{{"seen", at.Add(-time.Hour), `{"email":"ann@example.com","records":["100"]}`}}
		for i := range 4 {
			ids := fmt.Sprintf(`["%d","%d","%d"]`, 100+i, 200+i, 101+i) // the survivor so far, another, and the new one
			all = append(all, told{"merged", at.Add(time.Duration(i) * time.Hour), `{"records":` + ids + `}`},
				told{"listed", at.Add(time.Duration(i)*time.Hour - time.Minute), `{"records":` + ids + `}`})
		}
		all = append(all, told{"seen", at.Add(24 * time.Hour), `{"email":"ann@example.com","records":["104"]}`})
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for len(all) > 0 {
			n := 1 + r.IntN(len(all))
			l.tell("crm", all[:n]...)
			l.process()
			all = all[n:]
		}
		p, _ := l.person("email:ann@example.com")
		if len(p.Keys) != 10 {
			t.Errorf("after four merges she is %v", p.Keys)
		}
		if open := l.reviews(""); len(open) != 0 {
			t.Errorf("to be looked at: %v", open)
		}
	})
}
