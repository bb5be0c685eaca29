package main

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/store"
)

// TestReportSumsPeopleUp: where a report needs summaries that are not there, the
// command makes them and shows how far it is; the next one finds them.
func TestReportSumsPeopleUp(t *testing.T) {
	t.Parallel()
	const people = 5_000
	env := settings(t, nil)
	s, err := store.Open(t.Context(), store.Options{Dir: env["STAGEBRIDGE_DATA_DIR"]})
	if err != nil {
		t.Fatal(err)
	}
	plan := plans.MustParse("classic")
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
	if err := s.Derived(t.Context(), func(tx *store.Tx) error { return tx.SavePeopleTx(t.Context(), rows) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	first := stagebridge(t, env, "report", "-format", "csv", "funnel")
	if first.code != exitOK || !strings.HasSuffix(first.stderr, "] 5000 of 5000\n") {
		t.Errorf("the first: %+v", first)
	}
	second := stagebridge(t, env, "report", "-format", "csv", "funnel")
	if second.code != exitOK || second.stderr != "" || second.stdout != first.stdout {
		t.Errorf("the second: %+v, after %+v", second, first)
	}
	if r := ask(t, env, nil, "funnel"); r.People != people {
		t.Errorf("%d people", r.People)
	}
	if ask(t, env, nil, "-person", "7", "funnel").People != 1 {
		t.Error("the filter by person")
	}
}
