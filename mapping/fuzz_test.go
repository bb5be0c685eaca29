package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRules compiles any text of rules and applies what compiles: nothing may
// panic, and the same event must always give the same output.
func FuzzRules(f *testing.F) {
	f.Add([]byte(many), []byte(`{"u":"1","yes":true,"items":[{"id":"a"}]}`))
	f.Add([]byte(manyRules()[:600]), webhook)
	f.Add([]byte("rules:\n  - { name: r, type: '*', each: body.l, emit: { event: A:B, identity: { user: item }, traits: { x: body } } }\n"), []byte(`{"l":[1,"2",null]}`))
	f.Fuzz(func(t *testing.T, rules, body []byte) {
		rs, err := Compile("f", rules, hubspot)
		if err != nil {
			return
		}
		RunTests(rs)
		rs.Lint(nil)
		rs.Reads()
		for _, typ := range []string{"contact.created", "deal.propertyChange", "t"} {
			in := &Input{Type: typ, Raw: body, Received: 1}
			out := rs.Apply(in)
			if out.Err != nil && out.Events != nil {
				t.Fatal("events beside an error")
			}
			x := rs.Explain(in)
			if d := cmp.Diff(out.Events, x.Events); d != "" {
				t.Fatal(d)
			}
		}
	})
}
