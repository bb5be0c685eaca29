package jobs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestResyncSurvives: the process that changed a connection died before it had
// made everybody due there; the next one does.
func TestResyncSurvives(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := newFaults(t, s)
		f.connect("lab", connectors.PushConfig{Enabled: true})
		f.move(ann)
		if err := f.push("lab"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"resync lab", "resync gone"} {
			if err := s.SetNote(t.Context(), name, "changed"); err != nil {
				t.Fatal(err)
			}
		}
		pushed := make(chan *connectors.State, 1)
		f.vendor.mu.Lock()
		f.vendor.fail = func(u []connectors.Update) ([]connectors.Result, error) {
			select {
			case pushed <- u[0].Known:
			default:
			}
			return nil, nil
		}
		f.vendor.mu.Unlock()
		p, err := jobs.NewPipeline(jobs.PipelineOptions{Store: s, Registry: f.registry, Work: true})
		if err != nil {
			t.Fatal(err)
		}
		p.Start()
		select {
		case known := <-pushed:
			if known != nil {
				t.Errorf("%+v is taken as known", known)
			}
		case <-time.After(20 * time.Second):
			t.Error("nobody is pushed anew")
		}
		defer p.Stop()
		deadline := time.Now().Add(20 * time.Second)
		for _, name := range []string{"resync lab", "resync gone"} {
			for {
				_, err := s.Note(t.Context(), name)
				if errors.Is(err, store.ErrNotFound) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the note %q stands: %v", name, err)
				}
			}
		}
	})
}

// TestResyncTakesItsNoteAway: a change of the push block leaves none behind.
func TestResyncTakesItsNoteAway(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	f := newFaults(t, s)
	f.move(ann)
	f.destination("warehouse", "generic-webhook", map[string]string{"url": "http://127.0.0.1:1"}, map[string]string{"signing_secret": outSecret})
	if x := f.state("warehouse", ann); x.State != store.SyncPending {
		t.Errorf("after the change: %+v", x)
	}
	if notes, err := s.Notes(t.Context(), "resync "); err != nil || len(notes) > 0 {
		t.Errorf("notes left: %v, %v", notes, err)
	}
}
