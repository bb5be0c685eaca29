package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// TestTryRules: a draft tells what it matches, changes and leaves over, shows
// what changes first, and writes nothing.
func TestTryRules(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newLab(t, s)
		l.connect("crm", connectors.PushConfig{})
		at := l.now.Add(-time.Hour)
		l.tell("crm",
			told{"news", at, `{"user":"a","email":"a@example.com"}`},
			told{"order", at, `{"user":"a","order":"1","amount":"5.00"}`},
			told{"stranger", at, `{"who":"x","deep":{"id":1}}`},
			told{"stranger", at, `{"who":"y","deep":{"id":2}}`},
			told{"stranger", at, `{"other":true}`},
			told{"order", at, `not json`})
		admin := &jobs.Admin{Registry: l.registry}
		draft := "rules:\n  - name: mine\n    type: news\n    emit: { event: 'Demo:Requested', identity: { user: body.user } }\n" +
			"  - name: none\n    type: never\n    when: body.a == 1\n    emit: { event: 'Demo:Requested', identity: { user: body.user } }\n"
		trial, err := admin.TryRules(t.Context(), "crm", []byte(draft), 100, 2)
		if err != nil {
			t.Fatal(err)
		}
		type rule struct {
			Name, When string
			Line, Hits int
		}
		var rules []rule
		for _, r := range trial.Rules {
			rules = append(rules, rule{r.Name, r.When, r.Line, r.Matched})
		}
		if diff := cmp.Diff([]rule{{"mine", "", 2, 1}, {"none", "body.a == 1", 5, 0}}, rules); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
		if trial.Sampled != 6 || trial.Changed != 2 || len(trial.Shown) != 2 || !trial.Shown[0].Changed || !trial.Shown[1].Changed {
			t.Errorf("of %d events %d change, and %d are shown", trial.Sampled, trial.Changed, len(trial.Shown))
		}
		var groups []string
		for _, u := range trial.Unmatched {
			groups = append(groups, strings.Join([]string{u.Type, u.Shape, strings.Repeat("x", u.Count)}, " "))
			if !strings.Contains(u.Proposal, "type: "+u.Type) || u.Example == 0 {
				t.Errorf("a proposal for %s: %s", u.Type, u.Proposal)
			}
		}
		if diff := cmp.Diff([]string{"stranger {deep{id},who} xx", "order {amount,order,user} x", "stranger {other} x"}, groups); diff != "" {
			t.Errorf("unmatched (-want +got):\n%s", diff)
		}
		if trial, err = admin.TryRules(t.Context(), "crm", []byte(labRules), 1, 5); err != nil || trial.Sampled != 1 || trial.Changed != 0 || trial.Shown[0].Draft.Outcome.Reason != "malformed" {
			t.Errorf("the rules in force: %+v, %v", trial, err)
		}
		if v, err := admin.Rules(t.Context(), "crm"); err != nil || v.Version != 0 {
			t.Errorf("version %d is in force, %v", v.Version, err)
		}
	})
}
