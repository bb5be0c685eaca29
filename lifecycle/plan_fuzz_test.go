package lifecycle

import (
	"errors"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// FuzzParsePlan: any text gives a plan or a list of mistakes with places,
// within bounds, and a plan that is accepted can be applied.
func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(classicPlan))
	f.Add([]byte(claimsPlan + "back: [ { from: Fan, policy: after 3d } ]\nunplanned: tag\nrevenue: [A:B]\n"))
	f.Add([]byte("name: x\nstages: [ { name: Visit } ]\nsegments: { a: 'traits.x in [1, -2, nil] && !(sum(\"A:B\", \"EUR\") > 1.5) or was(\"Visit\")' }\n"))
	f.Add([]byte("name: x\nstages:\n  - { name: V }\n  - { name: G, side: true, when: 'stage != \"G\" || in_stage_for(\"1s\")' }\n"))
	f.Add([]byte("name: x\nstages: [ { name: V } ]\nevents:\n  Order:Completed:\n    owner: shop\n    successor: Page:Viewed\n    properties: { a: { type: text, required: true, values: [x, y], pii: none }, b: text }\n" +
		"governance:\n  unplanned_property: strip\n  wrong_type: strip\n  value_not_allowed: strip\n  unmarked_pii: strip\n  connections: { crm*: { unplanned_event: quarantine } }\n  traits: { iban: sensitive }\n  categories: [Course]\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		began := time.Now()
		p, err := ParsePlan("plan.yaml", src, testVocabulary)
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(src), took)
		}
		if err != nil {
			var list document.Errors
			if !errors.As(err, &list) || len(list) == 0 {
				t.Fatalf("foreign error %v", err)
			}
			return
		}
		e := event(2, start+day, "Order:Completed")
		e.Value, e.Traits, e.Claim = &Money{5, "EUR"}, []Trait{{"x", "1", 0}}, p.StageNames()[0]
		prof, _ := p.Derive(1, []Event{event(1, start, "Page:Viewed"), e}, start+90*day)
		recoded(t, prof)
		p.Explain(prof, start+100*day)
		e.Properties = map[string]any{"a": "ann@example.com", "b": int64(5), "c": []any{"x"}}
		found := p.Judge(&e)
		e.Strip(found)
		for _, v := range p.Judge(&e) {
			if v.Action == Strip {
				t.Fatalf("%v is still there when it was stripped", v)
			}
		}
		if p.NeedsDerive(p) {
			t.Fatal("a plan differs from itself")
		}
	})
}
