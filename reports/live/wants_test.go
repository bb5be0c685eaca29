package live

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/reports/summary"
)

// What a report asks for of people is all that it needs.
func TestWantsSuffice(t *testing.T) {
	t.Parallel()
	people := everything(t)
	for _, info := range Reports() {
		for _, text := range []string{"", "from:2026-01-01 to:2026-04-01 unit:week group:won start:lead score:50", "basis:stage stages:Customer start:first_touch won:Order:Completed touches:Page:Viewed"} {
			o := options(t, text)
			if err := o.fillStages(classic()); err != nil {
				t.Fatal(err)
			}
			o.fill()
			c, ok := info.make(classic(), &o).(wanter)
			if !ok {
				continue
			}
			want := c.want()
			less := make([]summary.Person, len(people))
			for i, p := range people {
				p.Events = slices.Clone(p.Events)
				p.Events = slices.DeleteFunc(p.Events, func(e summary.Event) bool {
					category, _, _ := strings.Cut(string(e.Name), ":")
					return !want.AllEvents && !slices.Contains(want.Events, e.Name) && !slices.Contains(want.Categories, category)
				})
				if !want.Moves {
					p.Moves = nil
				}
				if !want.Traits {
					p.Traits = nil
				}
				less[i] = p
			}
			a, _ := json.Marshal(answer(t, info.Name, text, people))
			b, _ := json.Marshal(answer(t, info.Name, text, less))
			if diff := cmp.Diff(string(a), string(b)); diff != "" {
				t.Errorf("%s %s (-with everything +with what it wants):\n%s", info.Name, text, diff)
			}
		}
	}
}
