package web_test

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/store"
)

// TestSegmentMembers downloads who is in a segment; a key that a spreadsheet
// would take for a formula comes as a text.
func TestSegmentMembers(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	plan := "name: x\nstages:\n  - { name: A }\nsegments:\n  readers: seen(\"Newsletter:Subscribed\")\n"
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: plan}); err != nil {
		t.Fatal(err)
	}
	l.connect("crm", &connectors.PushConfig{Enabled: true})
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "news", `{"email":"=cmd@example.com"}`)
	l.process()
	if a := l.get("/segments"); !strings.Contains(a.Body, "/segments/readers/members.csv") || !strings.Contains(a.Body, ">crm</span>") {
		t.Errorf("segments: %s", a.Body)
	}
	a := l.get("/segments/readers/members.csv")
	if a.Status != 200 || strings.Count(a.Body, "\n") != 3 || !strings.Contains(a.Body, ",email:ann@example.com,A,") || strings.Contains(a.Body, ",=") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := l.get("/segments/none/members.csv"); a.Status != 200 || strings.Count(a.Body, "\n") != 1 {
		t.Errorf("nobody: %d %s", a.Status, a.Body)
	}
	if a := l.post("/work/77/cancel"); a.Status != 404 {
		t.Errorf("no such work: %d %s", a.Status, a.Body)
	}
}
