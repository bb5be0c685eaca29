package jobs_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

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
			draft := strings.Replace(labRules, edit.from, edit.to, 1)
			if draft == labRules {
				t.Fatalf("%q is not in the rules", edit.from)
			}
			storetest.Each(t, func(t *testing.T, s *store.Store) { foretellReplay(t, s, draft, 5) })
		})
	}
}

// TestRulesPreviewOfRandomEdits is TestRulesPreviewIsWhatReplayDoes for edits
// and lives at random.
func TestRulesPreviewOfRandomEdits(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for i := range uint64(4) {
		t.Run(fmt.Sprint("edit ", i), func(t *testing.T) {
			t.Parallel()
			draft := randomEdit(rand.New(rand.NewPCG(seed, i)))
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(draft)
				}
			})
			storetest.Each(t, func(t *testing.T, s *store.Store) { foretellReplay(t, s, draft, seed+i) })
		})
	}
}

// randomEdit changes some of the lab's rules: which raw events they match, what
// they emit, and what goes with it.
func randomEdit(r *rand.Rand) string {
	names := []string{"Newsletter:Subscribed", "Demo:Requested", "Lead:Qualified", "Order:Completed", "Review:Posted", "Referral:Made"}
	lines := strings.Split(labRules, "\n")
	for range 1 + r.IntN(4) {
		line := &lines[r.IntN(len(lines))]
		switch r.IntN(6) {
		case 0:
			for _, name := range names {
				*line = strings.Replace(*line, `"`+name+`"`, `"`+names[r.IntN(len(names))]+`"`, 1)
			}
		case 1:
			*line = strings.Replace(*line, "type: praise,", "type: praise*,", 1)
		case 2:
			if !strings.Contains(*line, "when:") && strings.Contains(*line, "- { name:") {
				*line = strings.Replace(*line, "emit: {", `when: body.email != "p1@example.com", emit: {`, 1)
			}
		case 3:
			*line = strings.Replace(*line, "key: body.order, ", "", 1)
		case 4:
			*line = strings.Replace(*line, "body.score", "body.score * 3", 1)
		case 5:
			*line = strings.Replace(*line, "type: news,", "type: nothing,", 1)
		}
	}
	return strings.Join(lines, "\n")
}

func foretellReplay(t *testing.T, s *store.Store, draft string, seed uint64) {
	l := newLab(t, s)
	l.connect("crm", connectors.PushConfig{Enabled: true})
	l.connect("few", connectors.PushConfig{Enabled: true, Traits: map[string]string{"Firm": "company"}, SegmentNames: []string{"a"}, Stages: map[string]string{"Buyer": "customer"}})
	admin, works := l.planned()
	works.Add(jobs.RulesPreviewKind(admin))
	if seed%2 == 0 {
		l.publish(admin, randomPlan(rand.New(rand.NewPCG(seed, 4)), 0))
		l.finish(works)
	}
	l.tell("crm", randomStory(rand.New(rand.NewPCG(seed, 9)), 120, false)...)
	l.tell("crm", told{"praise_more", l.now, `{"email":"new@example.com"}`}, told{"praise_more", l.now, `{"email":"other@example.com"}`})
	l.process()
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
	l.settlePushes()
	done := l.replay(store.InboxFilter{Connection: "crm"})
	if done.RawEvents != got.RawEvents || done.Changed < got.Differ {
		t.Errorf("foretold %d of %d, done %d of %d", got.Differ, got.RawEvents, done.Changed, done.RawEvents)
	}
	if diff := cmp.Diff(done.Outcomes, got.Outcomes); diff != "" {
		t.Errorf("outcomes (-done +foretold):\n%s", diff)
	}
	foretold := map[string]int64{}
	for i := range got.Events {
		e := &got.Events[i]
		foretold[e.Name] = e.Added - e.Removed
		if len(e.Samples) == 0 {
			t.Errorf("%s has no sample", e.Name)
		}
		e.Samples = nil
	}
	if diff := cmp.Diff(done.Events, got.Events); diff != "" {
		t.Errorf("events by name (-done +foretold):\n%s", diff)
	}
	for name, n := range events {
		foretold[name] += n
	}
	if diff := cmp.Diff(dropZero(l.eventCounts()), dropZero(foretold)); diff != "" {
		t.Errorf("events (-done +foretold):\n%s", diff)
	}
	l.effectIs(&got.Effect, was, true)
	after := l.snapshot()
	if again := l.replay(store.InboxFilter{Connection: "crm"}); again.Changed != 0 || again.RawEvents != done.RawEvents || l.snapshot() != after {
		t.Errorf("the same again: %s", again.Summary)
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
		if done := l.replay(store.InboxFilter{Connection: "crm"}); done.RawEvents == 0 || done.Changed != 0 {
			t.Fatal(done.Summary)
		}
		if diff := cmp.Diff(before, states()); diff != "" {
			t.Errorf("somebody was written:\n%s", diff)
		}
	})
}
