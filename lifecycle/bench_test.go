package lifecycle_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
)

var benchStart = lifecycle.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))

const benchDay = lifecycle.Instant(24 * 3600 * 1_000_000)

// benchHistory is a person as a shop with a CRM knows them: a dozen event
// names, fifteen traits, a few orders.
func benchHistory() []lifecycle.Event {
	names := []lifecycle.EventName{
		"Page:Viewed", "Session:Started", "Campaign:Touched", "Newsletter:Subscribed", "Email:Sent", "Email:Opened",
		"Email:Clicked", "Contact:Created", "Contact:Updated", "Account:Created", "Product:Used", "Order:Completed",
	}
	var events []lifecycle.Event
	for i := range 40 {
		e := lifecycle.Event{
			Name: names[i%len(names)], At: benchStart + lifecycle.Instant(i)*benchDay/2,
			Connection: "hubspot-eu", Inbox: int64(i + 1),
			Identity: []lifecycle.Key{{Namespace: "email", Value: "ann@example.com"}, {Namespace: "hubspot-eu", Value: "51"}},
		}
		binary.BigEndian.PutUint64(e.ID[:], uint64(i+1))
		if e.Name == "Contact:Updated" {
			for j := range 14 {
				e.Traits = append(e.Traits, lifecycle.Trait{Name: fmt.Sprintf("field_%02d", j), Value: fmt.Sprintf("value %d", j)})
			}
			e.Traits = append(e.Traits, lifecycle.Trait{Name: "lead_score", Value: int64(40 + i)})
		}
		if e.Name == "Order:Completed" {
			e.Value = &lifecycle.Money{Micros: 49_900_000, Currency: "EUR"}
		}
		events = append(events, e)
	}
	return events
}

// BenchmarkApply measures what one event costs in the engine: decode, apply
// and encode are apart, since a batch decodes and encodes a person once.
func BenchmarkApply(b *testing.B) {
	plan := plans.MustParse("classic")
	history := benchHistory()
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("events=%d", n), func(b *testing.B) {
			events := history[len(history)-n:]
			ready, _ := plan.Derive(1, history[:len(history)-n], events[0].At-1)
			stored, err := ready.AppendBinary(nil)
			if err != nil {
				b.Fatal(err)
			}
			people := make([]*lifecycle.Profile, 1024)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(people) == 0 {
					b.StopTimer()
					for j := range people {
						people[j], _ = lifecycle.DecodeProfile(stored)
					}
					b.StartTimer()
				}
				if _, err := plan.Apply(people[i%len(people)], events, events[n-1].At); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}

func BenchmarkDerive(b *testing.B) {
	plan := plans.MustParse("classic")
	history := benchHistory()
	b.ReportAllocs()
	for b.Loop() {
		plan.Derive(1, history, benchStart+60*benchDay)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(history)), "ns/event")
}

func BenchmarkCodec(b *testing.B) {
	plan := plans.MustParse("classic")
	prof, _ := plan.Derive(1, benchHistory(), benchStart+60*benchDay)
	stored, err := prof.AppendBinary(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 2*len(stored))
		for b.Loop() {
			buf, _ = prof.AppendBinary(buf[:0])
		}
		b.ReportMetric(float64(len(stored)), "bytes")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := lifecycle.DecodeProfile(stored); err != nil {
				b.Fatal(err)
			}
		}
	})
}
