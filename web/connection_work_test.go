package web_test

import (
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
)

// TestConnectionShowsItsWork brings everybody to a connection by its button: the
// page tells how far that is, cancels it, and tells what came of it.
func TestConnectionShowsItsWork(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", &connectors.PushConfig{Enabled: true})
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.process()
	if a := l.post("/connections/crm/resync"); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.wants("/connections/crm", "Everybody is brought here", "It is under way", `action="/work/1/cancel"`, `data-live="/live/work/1"`, "0 of 1 people")
	if a := l.post("/work/1/cancel"); a.Status != 303 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.wants("/connections/crm", "Everybody is brought here", "It was canceled")
	all, err := l.store.Works(t.Context(), store.WorkFilter{Kind: jobs.WorkResync})
	if err != nil || len(all) != 1 || all[0].Author == "" {
		t.Errorf("%+v, %v", all, err)
	}
}
