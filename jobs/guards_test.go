package jobs_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestPlanGuardsIdentity: what the plan says about identity holds for the next
// event, and a value that it blocks identifies nobody.
func TestPlanGuardsIdentity(t *testing.T) {
	t.Parallel()
	l := newLab(t, storetest.SQLite(t))
	l.connect("crm", connectors.PushConfig{})
	l.publish(&jobs.Admin{Registry: l.registry}, guardedPlan("limits: { email: 1 }", "blocked: [ demo ]"))
	at := l.now.Add(-time.Hour)
	l.tell("crm",
		told{"signup", at, `{"user":"u1","email":"ann@example.com"}`}, told{"news", at.Add(time.Minute), `{"user":"u1","email":"lee@example.com"}`},
		told{"news", at, `{"user":"demo","email":"bo@example.com"}`}, told{"news", at, `{"user":"Demo","email":"kim@example.com"}`})
	l.process()
	var got [][]string
	for _, key := range []string{"user:u1", "email:bo@example.com", "email:kim@example.com"} {
		p, _ := l.person(key)
		if p == nil {
			t.Fatalf("nobody has %s", key)
		}
		got = append(got, p.Keys)
	}
	want := [][]string{{"user:u1", "email:ann@example.com"}, {"email:bo@example.com"}, {"email:kim@example.com"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if p, _ := l.person("email:lee@example.com"); p != nil {
		t.Errorf("a second address belongs to %v", p.Keys)
	}
}

// guardedPlan is a small plan with lines of its part about identity.
func guardedPlan(identity ...string) string {
	text := "name: guarded\nstages:\n  - { name: Visit }\n  - name: Customer\n    when: |\n      seen(\"Order:Completed\")\nidentity:\n"
	for _, line := range identity {
		text += "  " + line + "\n"
	}
	return text
}
