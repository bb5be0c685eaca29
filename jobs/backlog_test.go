package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// BenchmarkBacklog processes four events of each of b.N/4 people, with one
// connection to push to.
func BenchmarkBacklog(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, s *store.Store) {
		l := newLab(b, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		backlog(l, b.N, max(1, b.N/4))
		b.ResetTimer()
		l.process()
		b.StopTimer()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}

func backlog(l *lab, events, people int) {
	types := []string{"signup", "news", "demo", "order"}
	start := l.now.Add(-30 * 24 * time.Hour)
	var chunk []told
	for i := range events {
		at := start.Add(time.Duration(i) * time.Second)
		who := i % people
		chunk = append(chunk, told{types[i/people%4], at, fmt.Sprintf(`{"user":"u%d","email":"person%d@example.com","order":"o%d","amount":"%d.50","score":%d,"company":"Company %d"}`, who, who, i, i%500, i%60, who%1000)})
		if len(chunk) == 2000 || i == events-1 {
			l.tell("crm", chunk...)
			chunk = chunk[:0]
		}
	}
}
