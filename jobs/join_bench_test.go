package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// BenchmarkJoin joins two people with 10,000 events each.
func BenchmarkJoin(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, s *store.Store) {
		l := newLab(b, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		for b.Loop() {
			b.StopTimer()
			n := b.Elapsed().Nanoseconds()
			one, other := fmt.Sprintf("a%d", n), fmt.Sprintf("b%d", n)
			for _, user := range []string{one, other} {
				var chunk []told
				for i := range 10_000 {
					chunk = append(chunk, told{"order", l.now.Add(time.Duration(i-10_000) * time.Minute), fmt.Sprintf(`{"user":%q,"order":"%s-%d","amount":"%d.50"}`, user, user, i, i%500)})
				}
				l.tell("crm", chunk...)
			}
			l.process()
			p, err := s.PersonByKey(b.Context(), "user:"+one)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := (&jobs.Admin{Registry: l.registry}).Join(b.Context(), p.ID, lifecycle.Key{Namespace: lifecycle.NamespaceUser, Value: other}, "", "bench"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
