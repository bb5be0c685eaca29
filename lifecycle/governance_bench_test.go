package lifecycle

import "testing"

// BenchmarkJudge is what judging costs an ordinary event that fits.
func BenchmarkJudge(b *testing.B) {
	p, err := ParsePlan("plan.yaml", []byte(governedPlan+governedEvents), nil)
	if err != nil {
		b.Fatal(err)
	}
	e := Event{Name: "C:D", Connection: "crm",
		Properties: map[string]any{"amount": "12.50", "count": int64(7), "when": "2026-03-01T12:00:00Z", "tier": "pro", "contact": "ann@example.com"},
		Traits:     []Trait{{Name: "email", Value: "ann@example.com"}, {Name: "company", Value: "Acme Corporation"}, {Name: "score", Value: int64(70)}}}
	b.ReportAllocs()
	for b.Loop() {
		if found := p.Judge(&e); found != nil {
			b.Fatal(found)
		}
	}
}
