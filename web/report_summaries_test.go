package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// TestReportsWaitForSummaries: a report over more people than can be summed up
// while somebody waits is answered with the job that does so, once only, and
// afterwards at once.
func TestReportsWaitForSummaries(t *testing.T) {
	t.Parallel()
	const people = 4_200
	l := newLab(t, nil)
	plan := l.registry.Config().Plan
	rows := make([]*store.Person, people)
	for i := range rows {
		id := lifecycle.ProfileID(i + 1)
		prof, _ := plan.Derive(id, []lifecycle.Event{{Name: "Newsletter:Subscribed", At: 5, Inbox: 1}}, 10)
		state, err := prof.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		rows[i] = &store.Person{ID: id, State: state, Stage: prof.Stage}
	}
	if err := l.store.Derived(t.Context(), func(tx *store.Tx) error { return tx.SavePeopleTx(t.Context(), rows) }); err != nil {
		t.Fatal(err)
	}
	var job struct{ ID, Kind, State string }
	for range 2 {
		a := l.api("GET", "/reports/funnel", "")
		if err := json.Unmarshal([]byte(a.Body), &job); a.Status != 202 || err != nil || job.ID != "1" || a.Header.Get("Location") != "/api/v1/jobs/1" {
			t.Fatalf("%d %s %v", a.Status, a.Body, err)
		}
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := l.api("GET", "/jobs/1", ""); !strings.Contains(a.Body, `"state":"done"`) || !strings.Contains(a.Body, `"total":4200`) {
		t.Errorf("the job: %s", a.Body)
	}
	if a := l.api("GET", "/reports/funnel", ""); a.Status != 200 || !strings.Contains(a.Body, `"people":4200`) || strings.Contains(a.Body, "changed since") {
		t.Errorf("the report: %d %s", a.Status, a.Body)
	}
	// Too many changes to look at while somebody waits: the answer says of when it is.
	if err := l.store.Derived(t.Context(), func(tx *store.Tx) error { return tx.SavePeopleTx(t.Context(), rows) }); err != nil {
		t.Fatal(err)
	}
	if a := l.api("GET", "/reports/funnel", ""); a.Status != 200 || !strings.Contains(a.Body, "up to 4200 people changed since") {
		t.Errorf("the report after many changes: %d %s", a.Status, a.Body)
	}
}
