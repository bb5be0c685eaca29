package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// BenchmarkFlips lets time change 20,000 people who ordered once, all at one
// moment; what it reports besides is the time for each of them.
func BenchmarkFlips(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, s *store.Store) {
		const people = 20_000
		l := newLab(b, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.connect("shop", connectors.PushConfig{Enabled: true})
		start, round := l.now, 0
		for b.Loop() {
			b.StopTimer()
			l.now = start // so that those of earlier rounds stay as they are
			round++
			var chunk []told
			for i := range people {
				chunk = append(chunk, told{"order", l.now.Add(-time.Hour), fmt.Sprintf(`{"user":"u%d-%d","order":"%d","amount":"5"}`, round, i, i)})
			}
			l.tell("crm", chunk...)
			l.process()
			b.StartTimer()
			l.now = l.now.AddDate(0, 0, 31)
			l.tick()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*people), "ns/flip")
	})
}
