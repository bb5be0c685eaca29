package jobs_test

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// BenchmarkPreview looks at b.N/4 people with four events each under drafts:
// one that the facts decide, and one that needs everybody's events.
func BenchmarkPreview(b *testing.B) {
	b.Run("facts", func(b *testing.B) {
		benchmarkPreview(b, `traits.lead_score >= 50`, `traits.lead_score >= 20`)
	})
	b.Run("events", func(b *testing.B) {
		benchmarkPreview(b, `stage == "Customer" && inactive("30d")`, `stage == "Customer" && inactive("31d")`)
	})
}

func benchmarkPreview(b *testing.B, is, becomes string) {
	storetest.EachB(b, func(b *testing.B, s *store.Store) {
		l := newLab(b, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		backlog(l, b.N, max(1, b.N/4))
		l.process()
		admin := &jobs.Admin{Registry: l.registry}
		v, err := admin.Plan(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		draft := strings.Replace(v.Source, is, becomes, 1)
		b.ResetTimer()
		p, err := admin.PreviewPlan(b.Context(), []byte(draft), jobs.PreviewOptions{})
		b.StopTimer()
		if err != nil || p.People == 0 {
			b.Fatal(p, err)
		}
		b.ReportMetric(float64(p.People)/b.Elapsed().Seconds(), "people/s")
		b.ReportMetric(float64(p.Events)/b.Elapsed().Seconds(), "events/s")
		b.ReportMetric(float64(p.Decided)/float64(p.People), "decided")
	})
}
