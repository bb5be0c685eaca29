package jobs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// reviews lists what is to be looked at as "key with other: reason".
func (l *lab) reviews(verdict string) []string {
	l.t.Helper()
	texts := []string{}
	for after := ""; ; {
		page, err := l.store.Reviews(l.t.Context(), store.ReviewFilter{Verdict: verdict, After: after, Limit: 1})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, r := range page.Items {
			texts = append(texts, fmt.Sprintf("%s with %s: %s by %s", r.Key, r.With, r.Reason, r.Name))
		}
		if after = page.Next; after == "" {
			return texts
		}
	}
}

// TestReviews: what the guards keep apart is listed with its evidence; what was
// rejected is not asked again, whatever comes; what was approved is joined, also
// a key that nobody has; another order of events changes none of it.
func TestReviews(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		admin := &jobs.Admin{Registry: l.registry}
		at := l.now.Add(-48 * time.Hour)
		l.tell("crm",
			told{"signup", at, `{"user":"u1","email":"ann@example.com","device":"d"}`}, told{"news", at.Add(time.Minute), `{"user":"u2","email":"ann@example.com"}`},
			told{"signup", at, `{"user":"u3","email":"bo@example.com"}`}, told{"praise", at.Add(2 * time.Minute), `{"user":"u3","device":"d"}`})
		for i := range 5 {
			l.tell("crm", told{"news", at.Add(time.Hour + time.Duration(i)*time.Minute), fmt.Sprintf(`{"user":"u3","email":"b%d@example.com"}`, i)})
		}
		l.process()
		want := []string{
			"email:ann@example.com with user:u2: limit:user by Newsletter:Subscribed", "anonymous:d with user:u3: limit:user by Review:Posted",
			"email:b4@example.com with user:u3: limit:email by Newsletter:Subscribed",
		}
		if diff := cmp.Diff(want, l.reviews(store.ReviewOpen)); diff != "" {
			t.Fatalf("reviews (-want +got):\n%s", diff)
		}
		find := func(key string) store.Review {
			t.Helper()
			page, err := s.Reviews(t.Context(), store.ReviewFilter{})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(page.Items, func(r store.Review) bool { return r.Key == key })
			if i < 0 {
				t.Fatalf("%s is not listed", key)
			}
			return page.Items[i]
		}
		device := find("anonymous:d")
		if err := admin.Reject(t.Context(), device.Event, lifecycle.Key{Namespace: "anonymous", Value: "d"}, "the kiosk", "kim"); err != nil {
			t.Fatal(err)
		}
		l.tell("crm", told{"order", at.Add(time.Minute), `{"user":"u3","device":"d","order":"o1","amount":"5.00"}`})
		l.process()
		if diff := cmp.Diff(slices.Delete(slices.Clone(want), 1, 2), l.reviews(store.ReviewOpen)); diff != "" {
			t.Errorf("after one was rejected (-want +got):\n%s", diff)
		}
		if rejected := find("anonymous:d"); rejected.Verdict != store.ReviewRejected || rejected.Author != "kim" || rejected.Note != "the kiosk" {
			t.Errorf("rejected: %+v", rejected)
		}
		address := find("email:b4@example.com")
		if address.Other != 0 {
			t.Errorf("somebody has the address: %+v", address)
		}
		for _, key := range []string{"email:b4@example.com", "email:ann@example.com"} {
			r := find(key)
			id, err := admin.Approve(t.Context(), r.Event, parse([]string{key})[0], "known at the desk", "kim")
			if err != nil {
				t.Fatal(err)
			}
			if p, _ := l.person(key); p.ID != id || !slices.Contains(p.Keys, r.With) {
				t.Errorf("%s belongs to %v, answered %d", key, p.Keys, id)
			}
		}
		if open := l.reviews(store.ReviewOpen); len(open) > 0 {
			t.Errorf("still asked: %v", open)
		}
		if _, err := admin.Approve(t.Context(), address.Event, lifecycle.Key{Namespace: "email", Value: "b4@example.com"}, "", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("approved twice: %v", err)
		}
		decided := l.snapshot()
		l.replayAll()
		l.process()
		if diff := cmp.Diff(decided, l.snapshot()); diff != "" {
			t.Errorf("told again they are others (-before +after):\n%s", diff)
		}
		if open := l.reviews(store.ReviewOpen); len(open) > 0 {
			t.Errorf("told again it is asked: %v", open)
		}
	})
}

// TestPreviewJoinIsWhatJoiningDoes: for random people, the preview changes
// nothing and is exactly what joining then does.
func TestPreviewJoinIsWhatJoiningDoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 21))
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.connect("quiet", connectors.PushConfig{})
		admin := &jobs.Admin{Registry: l.registry}
		l.tell("crm", randomStory(r, 80, true)...)
		l.process()
		for range 4 {
			l.settlePushes()
			var all []*store.Person
			if err := s.EachPerson(t.Context(), func(p *store.Person) error { all = append(all, p); return nil }); err != nil {
				t.Fatal(err)
			}
			if len(all) < 2 {
				return
			}
			one, two := all[r.IntN(len(all))], all[r.IntN(len(all))]
			if one.ID == two.ID || len(two.Keys) == 0 {
				continue
			}
			key := parse(two.Keys)[0]
			before, due := l.snapshot(), l.duePushes()
			x, err := admin.PreviewJoin(t.Context(), one.ID, key)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, l.snapshot()); diff != "" || !cmp.Equal(due, l.duePushes()) {
				t.Fatalf("the preview changed something:\n%s", diff)
			}
			events := map[lifecycle.ProfileID]int{one.ID: l.eventsOf(one.ID), two.ID: l.eventsOf(two.ID)}
			survivor, err := admin.Join(t.Context(), one.ID, key, "", "")
			if err != nil {
				t.Fatal(err)
			}
			p, prof := l.person(key.String())
			if survivor != x.Survivor || p.ID != survivor || min(one.ID, two.ID) != survivor || x.Absorbed != max(one.ID, two.ID) {
				t.Errorf("%d survived, foretold %d", survivor, x.Survivor)
			}
			if diff := cmp.Diff(parse(p.Keys), x.Keys); diff != "" {
				t.Errorf("keys (-joined +foretold):\n%s", diff)
			}
			if prof.Stage != x.Profile.Stage || prof.Since != x.Profile.Since || !cmp.Equal(prof.SegmentNames(), x.Profile.SegmentNames()) || !cmp.Equal(prof.Values(), x.Profile.Values()) {
				t.Errorf("joined: %s %v, foretold %s %v", prof.Stage, prof.SegmentNames(), x.Profile.Stage, x.Profile.SegmentNames())
			}
			// The decision is one more event.
			if moved := l.eventsOf(survivor) - events[survivor] - 1; int64(moved) != x.Moved || moved != events[x.Absorbed] {
				t.Errorf("%d events moved, foretold %d", moved, x.Moved)
			}
			reach := []jobs.JoinReach{{Connection: "crm", Written: true}}
			if diff := cmp.Diff(reach, x.Reach); diff != "" || l.duePushes()["crm"] == 0 {
				t.Errorf("reach (-joined +foretold), due %v:\n%s", l.duePushes(), diff)
			}
		}
	})
}

func (l *lab) eventsOf(id lifecycle.ProfileID) int {
	l.t.Helper()
	all, err := l.store.Scan(l.t.Context(), id-1, id, 1)
	if err != nil {
		l.t.Fatal(err)
	}
	n := 0
	for _, w := range all {
		n += len(w.Events)
	}
	return n
}
