package web_test

import (
	"strings"
	"testing"
	"time"

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

// TestSegmentSizes shows how large a segment was, and who of it is not in step
// at the connections that are told of it.
func TestSegmentSizes(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	plan := "name: x\nstages:\n  - { name: A }\nsegments:\n  readers: seen(\"Newsletter:Subscribed\")\n"
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: plan}); err != nil {
		t.Fatal(err)
	}
	l.connect("crm", &connectors.PushConfig{Enabled: true})
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "news", `{"email":"bo@example.com"}`)
	l.process()
	l.wants("/segments", "kept from today on", "2 members not in step")
	day := l.now.UTC().AddDate(0, 0, -10).Format(time.DateOnly)
	for name, sizes := range map[string]string{day: `{"segments":{"readers":5}}`, "2020-01-01": `{"segments":{"readers":900}}`} {
		if err := l.store.SetNote(t.Context(), "sizes "+name, sizes); err != nil {
			t.Fatal(err)
		}
	}
	leased, err := l.store.Lease(t.Context(), "crm", 10, 1<<60, false)
	if err != nil || len(leased) != 2 {
		t.Fatal(leased, err)
	}
	var back []store.WriteBack
	for i := range leased {
		leased[i].State, leased[i].Due = store.SyncSynced, 0
		back = append(back, store.WriteBack{Sync: leased[i].Sync})
	}
	if err := l.store.WriteBackAll(t.Context(), back, nil); err != nil {
		t.Fatal(err)
	}
	l.wants("/segments", `<polyline points="0.0,1.0 100.0,11.8"/>`, "-3 since "+day, "from 5 on "+day+", at most 5", "all in step")
}
