package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestLateNewsMendsThePast: an event that arrives late and leaves stage, visits
// and segments as they are by now, but not as they were, changes the history.
func TestLateNewsMendsThePast(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		if _, err := s.PublishPlan(t.Context(), 0, store.Versioned{Source: `
name: late
stages: [ { name: Visit }, { name: Reader, when: 'seen("Newsletter:Subscribed")' } ]
segments: { fresh: 'within("Newsletter:Subscribed", "30d")' }
`}); err != nil {
			t.Fatal(err)
		}
		l.connect("crm", connectors.PushConfig{})
		first := l.now.Add(-80 * 24 * time.Hour)
		for _, who := range []string{"ann", "bo"} {
			news := []told{{"news", first, `{"email":"` + who + `@example.com"}`}, {"news", first.Add(20 * 24 * time.Hour), `{"email":"` + who + `@example.com"}`}}
			if who == "ann" {
				l.tell("crm", news...)
				l.process()
				continue
			}
			l.tell("crm", news[0], told{"praise", l.now.Add(-time.Hour), `{"email":"bo@example.com"}`})
			l.process()
			l.tell("crm", news[1])
			l.process()
		}
		lines := func(key string) string {
			p, _ := l.person(key)
			var b strings.Builder
			l.timeline(&b, p.ID)
			kept := strings.Split(b.String(), "\n")
			var moves []string
			for _, line := range kept {
				if strings.Contains(line, " move ") {
					moves = append(moves, line)
				}
			}
			return strings.Join(moves, "\n")
		}
		ann := lines("email:ann@example.com")
		if !strings.Contains(ann, "[fresh]") {
			t.Fatalf("nobody enters or leaves the segment:\n%s", ann)
		}
		if diff := cmp.Diff(ann, lines("email:bo@example.com")); diff != "" {
			t.Errorf("told late the history is another (-in order +late):\n%s", diff)
		}
	})
}
