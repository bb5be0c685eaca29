package live

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// crowd is n people over a year with about ten events each, of the kinds that
// reports look at.
func crowd(n int) []summary.Person {
	chance := rand.New(rand.NewPCG(1, 2))
	start, day := lifecycle.Instant(1_767_225_600_000_000), lifecycle.Instant(86_400_000_000)
	names := []lifecycle.EventName{"Page:Viewed", defaultTouch, "Content:Viewed", leadCreated, leadContacted, "Order:Completed", "Subscription:Started",
		"Subscription:Renewed", "Ticket:Opened", "Ticket:Solved", "Survey:Answered", dealCreated, dealWon, dealLost}
	people := make([]summary.Person, n)
	for i := range people {
		p := &people[i]
		p.ID, p.Source = lifecycle.ProfileID(i+1), "crm"
		at := start + lifecycle.Instant(chance.IntN(300))*day
		stage := 0
		for k := range 10 {
			at += lifecycle.Instant(chance.Int64N(int64(10 * day)))
			name := names[chance.IntN(len(names))]
			e := summary.Event{Name: name, At: at, Connection: "crm", Key: uint64(i*10 + k/3 + 1), Properties: []summary.Property{
				{Name: "content", Value: fmt.Sprint("guide ", chance.IntN(50))}, {Name: "kind", Value: "nps"}, {Name: "score", Value: "9"}, {Name: "source", Value: fmt.Sprint("source ", chance.IntN(20))},
			}}
			if chance.IntN(2) == 0 {
				e.Amount = lifecycle.Money{Micros: 1e6 * (1 + chance.Int64N(200)), Currency: "EUR"}
			}
			p.Events = append(p.Events, e)
			if k%4 == 0 {
				p.Moves = append(p.Moves, summary.Move{Stage: classic().StageNames()[stage], At: at})
				stage++
			}
		}
		p.Traits = []summary.Trait{{Name: "plan", Value: fmt.Sprint("plan ", i%5)}, {Name: "country", Value: fmt.Sprint("country ", i%30)}}
	}
	return people
}

// BenchmarkReports counts and computes; reading the summaries is apart.
func BenchmarkReports(b *testing.B) {
	people := crowd(100_000)
	o, err := ParseOptions(func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	o.Now = people[0].Events[0].At + 500*86_400_000_000
	for _, info := range Reports() {
		b.Run(info.Name, func(b *testing.B) {
			for range b.N {
				if _, err := count(classic(), info.Name, o, people); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(people)), "ns/person")
		})
	}
}
