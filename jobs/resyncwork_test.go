package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestResyncIsWork brings everybody to a connection again: the work tells how
// far it is, somebody who moves meanwhile is sent next, and it ends with the
// last one.
func TestResyncIsWork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f, works := newResyncLab(t, s)
		const people = 120 // more than the vendor takes at once
		emails := f.people(people)
		if err := f.push("lab"); err != nil {
			t.Fatal(err)
		}
		if n, err := f.admin.Resync(t.Context(), "lab"); err != nil || n != people {
			t.Fatalf("%d people are due, %v; want %d", n, err, people)
		}
		one := f.resyncs(1)[0]
		if one.Subject != "lab" {
			t.Fatalf("%+v", one)
		}
		if err := works.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if one = f.resyncs(1)[0]; one.State != store.WorkQueued || one.Done != 0 || one.Total != people || one.Attempts != 0 {
			t.Errorf("before anybody was sent: %+v", one)
		}
		last := emails[0] // of those behind
		mover, _ := f.person("email:" + last)
		for _, email := range emails {
			if p, _ := f.person("email:" + email); p.ID > mover.ID {
				last, mover = email, p
			}
		}
		f.due("lab", last)
		first := make(chan []connectors.Update, 1)
		f.vendor.mu.Lock()
		f.vendor.fail = func(u []connectors.Update) ([]connectors.Result, error) {
			select {
			case first <- slices.Clone(u):
			default:
			}
			return nil, nil
		}
		f.vendor.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := f.push("lab"); err != nil {
			t.Fatal(err)
		}
		if batch := <-first; len(batch) >= people || !slices.ContainsFunc(batch, func(u connectors.Update) bool { return u.Person == mover.ID }) {
			t.Errorf("of the first %d who are sent, none is %d, who moved", len(batch), mover.ID)
		}
		over, err := works.Follow(ctx, one.ID, nil)
		var r jobs.Resynced
		if err != nil || over.State != store.WorkDone || json.Unmarshal([]byte(over.Result), &r) != nil || r.People != people || over.Done != people {
			t.Errorf("%+v, %v", over, err)
		}
	})
}

// TestResyncIsCanceled passes over whoever was not sent yet; who moves later is
// sent all the same.
func TestResyncIsCanceled(t *testing.T) {
	t.Parallel()
	f, works := newResyncLab(t, storetest.SQLite(t))
	emails := f.people(3)
	if err := f.push("lab"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.admin.Resync(t.Context(), "lab"); err != nil {
		t.Fatal(err)
	}
	one := f.resyncs(1)[0]
	if _, err := works.Cancel(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	if err := works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if one = f.resyncs(1)[0]; one.State != store.WorkCanceled {
		t.Errorf("%+v", one)
	}
	for _, email := range emails {
		if x := f.state("lab", email); x.State != store.SyncSkipped || x.Reason != store.ReasonCanceled || x.Due != 0 {
			t.Errorf("%+v", x)
		}
	}
	f.due("lab", emails[0])
	if err := f.push("lab"); err != nil {
		t.Fatal(err)
	}
	if x := f.state("lab", emails[0]); x.State != store.SyncSynced {
		t.Errorf("who moved: %+v", x)
	}
}

type resyncLab struct {
	*faults
}

func newResyncLab(t *testing.T, s *store.Store) (*resyncLab, *jobs.Works) {
	t.Helper()
	f := &resyncLab{newFaults(t, s)}
	works := jobs.NewWorks(s, time.Now, nil)
	works.Add(jobs.ResyncKind(s, f.registry))
	f.admin.Works = works
	f.connect("lab", connectors.PushConfig{Enabled: true})
	return f, works
}

// people makes some who moved.
func (f *resyncLab) people(n int) []string {
	emails := make([]string, n)
	for i := range emails {
		emails[i] = fmt.Sprintf("p%d@example.com", i)
	}
	f.move(emails...)
	return emails
}

// resyncs gives the records of resyncs and wants so many.
func (f *resyncLab) resyncs(n int) []store.Work {
	f.t.Helper()
	all, err := f.store.Works(f.t.Context(), store.WorkFilter{Kind: jobs.WorkResync})
	if err != nil || len(all) != n {
		f.t.Fatalf("%+v, %v; want %d", all, err, n)
	}
	return all
}
