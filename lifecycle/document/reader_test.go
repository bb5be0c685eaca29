package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

func TestReaderReadsEveryKind(t *testing.T) {
	t.Parallel()
	r := document.Open("f", []byte(`
name: a
version: 1.10
on: true
n: 7
f: 2.5
one: x
many: [x, 'y', 3]
map: { z: 1, a: 2 }
list: [ { k: v } ]
any: { deep: [1, {b: null}] }
`))
	var keys []string
	r.Entries("map", func(key string, v *document.Reader) { keys = append(keys, fmt.Sprint(key, v.Int("", 0), v.Path())) })
	var items []string
	r.List("list", func(item *document.Reader) { items = append(items, item.Path()+item.Text("k")) })
	got := []any{
		r.Text("name"), r.Text("version"), r.OptText("absent"), r.Bool("on"), r.Bool("absent"), r.Int("n", 1), r.Int("absent", 1),
		r.Float("f", 0), r.Float("n", 0), r.Texts("one"), r.Texts("many"), keys, items, r.Any("any"), r.Has("name"), r.Has("absent"), r.Kind("f"),
	}
	want := []any{
		"a", "1.10", "", true, false, int64(7), int64(1), 2.5, 7.0, []string{"x"}, []string{"x", "y", "3"},
		[]string{"z1map.z", "a2map.a"}, []string{"list[0]v"}, map[string]any{"deep": []any{int64(1), map[string]any{"b": nil}}}, true, false, document.Float,
	}
	r.Unknown()
	if d := cmp.Diff(want, got); d != "" || r.Err() != nil {
		t.Error(d, r.Err())
	}
}

func TestReaderReportsEveryMistake(t *testing.T) {
	t.Parallel()
	r := document.Open("f.yaml", []byte(`
text: [1]
yes: true
num: x
flag: 1
list: 5
map: []
nmae: x
empty: ''
when:
`))
	r.Text("name")
	r.Text("text")
	r.Text("yes")
	r.Int("num", 0)
	r.Bool("flag")
	r.List("list", func(*document.Reader) { t.Error("called") })
	r.Map("map", func(*document.Reader) { t.Error("called") })
	r.Text("empty")
	r.Condition("when")
	r.Unknown()
	want := []string{
		`f.yaml:2:1: name: is missing`,
		`f.yaml:2:7: text: is a list, want a text`,
		`f.yaml:3:6: yes: is the yes/no value true; write "true" in quotes if the text is meant`,
		`f.yaml:4:6: num: is a text, want a whole number`,
		`f.yaml:5:7: flag: is a number, want true or false`,
		`f.yaml:6:7: list: is a number, want a list`,
		`f.yaml:7:6: map: is a list, want a map`,
		`f.yaml:8:1: nmae: is not a field here; did you mean name?`,
		`f.yaml:9:8: empty: is empty`,
		`f.yaml:10:1: when: is empty, want an expression`,
	}
	if d := cmp.Diff(strings.Join(want, "\n"), fmt.Sprint(r.Err())); d != "" {
		t.Error(d)
	}
	var one document.Error
	if !errors.As(r.Err(), &one) || one.Field != "name" {
		t.Errorf("errors.As gives %v", one)
	}
}

func TestReaderExpressions(t *testing.T) {
	t.Parallel()
	r := document.Open("f", []byte(`
num: 5
neg: -1.50
yes: true
nil: null
plain: a == "x"
quoted: 'a, b'
block: |
  a ||
  b
list: [a]
empty: ""
spaces: "  "
tilde: ~
`))
	var got []string
	for _, f := range []string{"num", "neg", "yes", "nil", "plain", "quoted", "block"} {
		s, ok := r.Expression(f)
		got = append(got, fmt.Sprint(s.Text, ok))
	}
	if d := cmp.Diff([]string{"5true", "-1.50true", "truetrue", "niltrue", `a == "x"true`, "a, btrue", "a ||\nb\ntrue"}, got); d != "" {
		t.Error(d)
	}
	for _, f := range []string{"list", "empty", "spaces", "tilde", "absent"} {
		if s, ok := r.Expression(f); ok {
			t.Errorf("%s gave %q", f, s.Text)
		}
	}
	for _, f := range []string{"num", "yes", "nil"} {
		if s, ok := r.Condition(f); ok {
			t.Errorf("%s is a condition %q", f, s.Text)
		}
	}
	if _, ok := r.OptCondition("absent"); ok {
		t.Error("absent condition")
	}
	var mistakes document.Errors
	if !errors.As(r.Err(), &mistakes) || len(mistakes) != 8 {
		t.Errorf("%d mistakes:\n%v", len(mistakes), r.Err())
	}
}

func TestReaderPlacesMistakesInsideExpressions(t *testing.T) {
	t.Parallel()
	r := document.Open("f", []byte("a: x y\nb: 'x y'\nc: |\n  x\n   y\n"))
	for _, f := range []string{"a", "b", "c"} {
		s, _ := r.Expression(f)
		if f == "c" {
			r.FailIn(s, 2, 1, "bad")
		} else {
			r.FailIn(s, 1, 2, "bad")
		}
	}
	if d := cmp.Diff("f:1:6: a: bad\nf:2:7: b: bad\nf:5:4: c: bad", fmt.Sprint(r.Err())); d != "" {
		t.Error(d)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"event", "identity", "traits"}
	for wrong, want := range map[string]string{"evnt": "event", "identities": "identity", "trait": "traits", "zzz": "", "": ""} {
		if got := document.Nearest(wrong, known); got != want {
			t.Errorf("%q: %q, want %q", wrong, got, want)
		}
	}
}

// A file is read in one pass; every mistake comes with its place.
func ExampleOpen() {
	src := `stages:
  - name: Visit
  - name: Customer
    when: !seen("Order:Completed")
  - nmae: Churned
`
	r := document.Open("plan.yaml", []byte(src))
	r.List("stages", func(s *document.Reader) {
		s.Text("name")
		s.OptCondition("when")
		s.Unknown()
	})
	r.Unknown()
	fmt.Println(r.Err())
	// Output:
	// plan.yaml:4:11: starts a YAML tag with !, which would silently drop it; put an expression with a comma, a bracket, #, ! or ?, or with a quote at its start, in quotes or on the line below a |
	// plan.yaml:5:5: stages[2].name: is missing
	// plan.yaml:5:5: stages[2].nmae: is not a field here; did you mean name?
}
