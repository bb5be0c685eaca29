package jobs_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestRulesPreviewIsWhatReplayDoes: for edits of the rules, what is foretold
// of canonical events, stages and segments is what publishing the rules and
// replaying everything then does.
func TestRulesPreviewIsWhatReplayDoes(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]struct{ from, to string }{
		"nothing":        {"name: bad", "name: worse"},
		"another event":  {`event: "Demo:Requested"`, `event: "Lead:Qualified"`},
		"a rule is gone": {"type: news,", "type: nothing,"},
		"another trait":  {"lead_score: body.score", "lead_score: body.score * 2"},
		"another key":    {"key: body.order, ", ""},
		"more people":    {"type: praise, emit:", "type: praise*, emit:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) { foretellReplay(t, s, edit.from, edit.to) })
		})
	}
}

func foretellReplay(t *testing.T, s *store.Store, from, to string) {
	l := newLab(t, s)
	l.connect("crm", connectors.PushConfig{})
	admin, works := l.planned()
	works.Add(jobs.RulesPreviewKind(admin))
	l.tell("crm", randomStory(rand.New(rand.NewPCG(5, 9)), 120, false)...)
	l.tell("crm", told{"praise_more", l.now, `{"email":"new@example.com"}`}, told{"praise_more", l.now, `{"email":"other@example.com"}`})
	l.process()
	draft := strings.Replace(labRules, from, to, 1)
	if draft == labRules {
		t.Fatalf("%q is not in the rules", from)
	}
	before, was, events := l.snapshot(), l.places(), l.eventCounts()
	one, err := admin.StartRulesPreview(t.Context(), jobs.RulesPreviewArgs{Connection: "crm", Rules: draft}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	l.finish(works)
	if one, err = s.WorkByID(t.Context(), one.ID); err != nil || one.State != store.WorkDone {
		t.Fatalf("%+v, %v", one, err)
	}
	var got jobs.RulesPreview
	if err := json.Unmarshal([]byte(one.Result), &got); err != nil {
		t.Fatal(err)
	}
	if l.snapshot() != before {
		t.Error("a preview has changed something")
	}
	if _, err := admin.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: draft}); err != nil {
		t.Fatal(err)
	}
	if _, err := jobs.Replay(t.Context(), s, store.InboxFilter{Connection: "crm"}, false); err != nil {
		t.Fatal(err)
	}
	l.process()
	foretold := map[string]int64{}
	for _, e := range got.Events {
		foretold[e.Name] = e.Added - e.Removed
		if len(e.Samples) == 0 {
			t.Errorf("%s has no sample", e.Name)
		}
	}
	for name, n := range events {
		foretold[name] += n
	}
	if diff := cmp.Diff(dropZero(l.eventCounts()), dropZero(foretold)); diff != "" {
		t.Errorf("events (-done +foretold):\n%s", diff)
	}
	moves := map[string]int64{}
	for _, f := range got.Effect.Stages {
		moves[f.From+" -> "+f.To] += f.People
	}
	for _, x := range got.Effect.Parts {
		moves["into "+x.Segment] += x.Gained
		moves["out of "+x.Segment] += x.Lost
	}
	is := l.places()
	for id := range is {
		if _, there := was[id]; !there {
			was[id] = standing{}
		}
	}
	done := matrixOf(was, is)
	for name := range done {
		if a, b, ok := strings.Cut(name, " -> "); ok && a == b {
			delete(done, name)
		}
	}
	if got.Effect.Joined > 0 {
		t.Logf("%d events join people, so the moves are not compared", got.Effect.Joined)
	} else {
		if diff := cmp.Diff(dropZero(done), dropZero(moves)); diff != "" {
			t.Errorf("people (-done +foretold):\n%s", diff)
		}
	}
}

func dropZero(m map[string]int64) map[string]int64 {
	kept := map[string]int64{}
	for name, n := range m {
		if n != 0 {
			kept[name] = n
		}
	}
	return kept
}

// eventCounts counts everybody's canonical events by name.
func (l *lab) eventCounts() map[string]int64 {
	l.t.Helper()
	people, err := l.store.Scan(l.t.Context(), 0, 0, 10_000)
	if err != nil {
		l.t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, p := range people {
		for i := range p.Events {
			counts[string(p.Events[i].Name)]++
		}
	}
	return counts
}

// TestReplayOfTheSameWritesNothing: a raw event that gives what it gave before
// touches nobody.
func TestReplayOfTheSameWritesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{Enabled: true})
		l.tell("crm", randomStory(rand.New(rand.NewPCG(6, 6)), 60, false)...)
		l.process()
		states := func() map[lifecycle.ProfileID]string {
			all := map[lifecycle.ProfileID]string{}
			if err := s.EachPerson(t.Context(), func(p *store.Person) error { all[p.ID] = string(p.State); return nil }); err != nil {
				t.Fatal(err)
			}
			return all
		}
		before := states()
		l.now = l.now.AddDate(1, 0, 0) // whoever is touched is brought to this time
		n, err := jobs.Replay(t.Context(), s, store.InboxFilter{Connection: "crm"}, false)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		l.process()
		if diff := cmp.Diff(before, states()); diff != "" {
			t.Errorf("somebody was written:\n%s", diff)
		}
	})
}
