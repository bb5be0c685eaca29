package web_test

import (
	"fmt"
	"testing"
	"time"
)

// TestBothTimes: an order that is told two days late changes the history; the
// page and the API say when that was found, and what was told before.
func TestBothTimes(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	now := l.now
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"5.00"}`)
	l.process()
	l.now = now.Add(-48 * time.Hour)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"7.00"}`)
	l.now = now.Add(time.Hour)
	l.process()
	l.wants("/people/1", "<strong>Retained Customer</strong>", "found <time", "decided then, as of <time", "told then, and not so any more")
	moves := map[string]bool{}
	for _, it := range l.api("GET", "/profiles/1/timeline", "").json(t)["items"].([]any) {
		item := it.(map[string]any)
		m, ok := item["move"].(map[string]any)
		if !ok {
			continue
		}
		told := m["told_only"] == true
		moves[fmt.Sprint(m["from"], ">", m["to"], " ", m["kind"], " told only ", told)] = true
		if told && item["at"] != m["decided_at"] || !told && item["at"] != m["at"] {
			t.Errorf("%v stands at %v", m, item["at"])
		}
	}
	for _, want := range []string{
		">Customer skip told only false", ">Customer skip told only true", "Customer>Retained Customer forward told only false",
		"Customer>Retained Customer correction told only true",
	} {
		if !moves[want] {
			t.Errorf("%s is not among %v", want, moves)
		}
	}
}
