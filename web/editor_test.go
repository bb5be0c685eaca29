package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/plans"
	"github.com/stagebridge/stagebridge/store"
)

func TestPayload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, format, raw, want string }{
		{"digits stay", "", `{"id":12345678901234567890,"amount":1.50}`, "{\n  \"id\": 12345678901234567890,\n  \"amount\": 1.50\n}\n"},
		{"a form as rules read it", "form", "data[email]=ann%40example.com&type=subscribe", "{\n  \"data\": {\n    \"email\": \"ann@example.com\"\n  },\n  \"type\": \"subscribe\"\n}\n"},
		{"no markup is made", "", `{"a":"<b>"}`, "{\n  \"a\": \"<b>\"\n}\n"},
		{"what cannot be read", "", "half a \xff{", "half a \uFFFD{"},
		{"nothing", "", "", ""},
		{"long, cut between runes", "", strings.Repeat("ä", shownPayload), strings.Repeat("ä", shownPayload/2) + "…"},
	} {
		if diff := cmp.Diff(tt.want, payload(tt.format, []byte(tt.raw))); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestWords offers what payloads and records hold, also behind a form and
// inside a list, and never leaves out the plan's own names.
func TestWords(t *testing.T) {
	t.Parallel()
	plan, err := lifecycle.ParsePlan("plan.yaml", []byte("name: x\nstages:\n  - name: A\n  - { name: B, when: 'seen(\"Demo:Requested\") || traits.lead_score >= 5' }\n"), plans.Vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	trial := &jobs.Trial{Shown: []jobs.TriedEvent{
		{Previewed: jobs.Previewed{Row: store.Row{Body: []byte(`{"person":{"email":"ann@example.com"},"lines":[{"sku":"a"}],"not plain":1}`), Record: []byte(`{"company":"Acme"}`)}}},
		{Previewed: jobs.Previewed{Row: store.Row{Meta: `{"format":"form"}`, Body: []byte("data[merges][ROLE]=chef")}}},
		{Previewed: jobs.Previewed{Row: store.Row{Body: []byte(`{"half":`)}}},
	}}
	got := slices.DeleteFunc(strings.Split(words(trial, plan), "\n"), func(word string) bool { return strings.Contains(word, ":") && word != "Demo:Requested" })
	want := []string{"Demo:Requested", "body.data", "body.data.merges", "body.data.merges.ROLE", "body.lines", "body.person", "body.person.email", "item.sku", "record.company", "traits.lead_score"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var big strings.Builder
	for i := range 3 * mostWords {
		big.WriteString(strings.Repeat("a", i%50+1) + string(rune('A'+i%26)) + "=1&")
	}
	trial.Shown = append(trial.Shown, jobs.TriedEvent{Previewed: jobs.Previewed{Row: store.Row{Meta: `{"format":"form"}`, Body: []byte(strings.TrimSuffix(big.String(), "&"))}}})
	if got := words(trial, plan); !strings.Contains(got, "Demo:Requested") || !strings.Contains(got, "traits.lead_score") || strings.Count(got, "\n") >= mostWords {
		t.Errorf("of very many members: %d words, %.200s", strings.Count(got, "\n")+1, got)
	}
}
