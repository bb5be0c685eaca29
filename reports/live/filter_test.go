package live

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/reports/summary"
)

// Every report can be narrowed to people of whom one connection told first, and
// then says what it would say if there were nobody else.
func TestSourceFilter(t *testing.T) {
	t.Parallel()
	people := everything(t)
	var first []summary.Person
	for i := range people {
		if people[i].Source == "shop" {
			first = append(first, people[i])
		}
	}
	if len(first) == 0 || len(first) == len(people) {
		t.Fatalf("%d of %d people came from the shop", len(first), len(people))
	}
	for _, info := range Reports() {
		got, want := answer(t, info.Name, "to:2026-06-01 source:shop", people), answer(t, info.Name, "to:2026-06-01", first)
		if got.People != int64(len(first)) {
			t.Errorf("%s: %d people, want %d", info.Name, got.People, len(first))
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if diff := cmp.Diff(string(b), string(a)); diff != "" {
			t.Errorf("%s (-without the others +filtered):\n%s", info.Name, diff)
		}
	}
}

// People whom one version of the plan placed last.
func TestPlanFilter(t *testing.T) {
	t.Parallel()
	people := told(t, churnStory)
	for i := range people {
		people[i].PlanVersion = int64(1 + i%2)
	}
	var second []summary.Person
	for i := range people {
		if people[i].PlanVersion == 2 {
			second = append(second, people[i])
		}
	}
	got, want := answer(t, "churn", "plan:2 basis:purchase", people), answer(t, "churn", "basis:purchase", second)
	if diff := cmp.Diff(want, got); diff != "" || got.People == 0 || got.People == int64(len(people)) {
		t.Errorf("%d of %d people (-without the others +filtered):\n%s", got.People, len(people), diff)
	}
}

// A filter that could not change anything is refused.
func TestFiltersWithoutMeaning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		report, options string
		refused         bool
	}{
		{"funnel", "connection:shop", true},
		{"stay", "connection:shop", true},
		{"churn", "connection:shop basis:stage stages:Customer", true},
		{"churn", "connection:shop basis:purchase", false},
		{"churn", "connection:shop", false},
		{"churn", "source:shop basis:stage stages:Customer", false},
		{"funnel", "source:shop", false},
	} {
		o := options(t, tt.options)
		err := o.Check(tt.report)
		var wrong *FieldError
		if refused := errors.As(err, &wrong) && wrong.Field == "connection"; refused != tt.refused || err != nil && !refused {
			t.Errorf("%s %s: %v", tt.report, tt.options, err)
		}
	}
}
