package jobs_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// BenchmarkAccounts processes a backlog of four events of each of b.N/4 people
// who are all of one company, the worst there is, under a plan without accounts
// and under one with; three processors work at it at once.
func BenchmarkAccounts(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		for _, c := range []struct{ name, plan string }{{"none", strings.Split(accountsPlan, "accounts:")[0]}, {"one", accountsPlan}} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				s := open(b)
				l := newLab(b, s)
				l.put(c.plan)
				l.connect("crm", connectors.PushConfig{Enabled: true})
				backlog(l, b.N, max(1, b.N/4))
				b.ResetTimer()
				var wg sync.WaitGroup
				for range 3 {
					p := &jobs.Processor{Store: s, Registry: l.registry, Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}
					wg.Go(func() {
						if err := p.Run(b.Context()); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// TestOneAccountOfMany: processors that work at the people of one account at
// once wait for each other at its row and lose nothing.
func TestOneAccountOfMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.put(accountsPlan)
		l.connect("crm", connectors.PushConfig{})
		const people = 300
		backlog(l, 4*people, people)
		var wg sync.WaitGroup
		for range 3 {
			p := &jobs.Processor{Store: s, Registry: l.registry, Batch: 50, Now: func() time.Time { return l.now }, Log: slog.New(slog.DiscardHandler)}
			wg.Go(func() {
				if err := p.Run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l.process()
		l.checkAccounts()
		a, err := s.Account(t.Context(), "domain:example.com")
		if err != nil || a.People != people {
			t.Fatalf("the account is %+v, %v", a, err)
		}
		failed, err := s.Inbox(t.Context(), store.InboxFilter{Status: "failed", Limit: 10})
		if err != nil || len(failed.Rows) > 0 {
			t.Errorf("%d rows failed, %v", len(failed.Rows), err)
		}
	})
}
