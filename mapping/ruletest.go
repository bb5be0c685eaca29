package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

// ruleTest is a test that stands beside the rules.
type ruleTest struct {
	name         string
	line         int
	typ          string
	body, record any
	headers      map[string]string
	want         []wanted
}

// wanted is a part of an event: what it does not name is not compared.
type wanted struct {
	event      string
	key        *string
	at         *lifecycle.Instant
	identity   map[string][]string // namespace as the rules name it
	traits     map[string]any
	properties map[string]any
	amount     *int64
	currency   *string
	stage      *string
}

// testTime stands for the time a test's event was received, 2024-01-01, and
// for the modification time of its record.
const testTime = lifecycle.Instant(1_704_067_200_000_000)

// TestResult is the outcome of one test.
type TestResult struct {
	Name string
	// Line of the test in the file.
	Line int
	// Problems are empty when the test passes; else a sentence for each
	// difference.
	Problems []string
}

// Passed tells whether there is no difference.
func (t TestResult) Passed() bool { return len(t.Problems) == 0 }

// RunTests runs the tests that stand beside the rules, in the order of the file.
func RunTests(rs *Ruleset) []TestResult {
	results := make([]TestResult, len(rs.tests))
	for i, t := range rs.tests {
		results[i] = TestResult{Name: t.name, Line: t.line, Problems: rs.runTest(t)}
	}
	return results
}

func (rs *Ruleset) runTest(t *ruleTest) []string {
	out := rs.Apply(&Input{
		Type: t.typ, Body: t.body, Record: t.record, Headers: t.headers,
		Received: testTime, RecordAt: testTime, Dedupe: []byte(t.name),
	})
	if out.Err != nil {
		return []string{"failed: " + out.Err.Error()}
	}
	if len(out.Events) != len(t.want) {
		return []string{fmt.Sprintf("gives %s, want %s", count(len(out.Events)), count(len(t.want))) + names(out.Events)}
	}
	var problems []string
	for i, w := range t.want {
		for _, p := range w.compare(rs, &out.Events[i]) {
			problems = append(problems, fmt.Sprintf("event %d: %s", i+1, p))
		}
	}
	return problems
}

func count(n int) string {
	switch n {
	case 0:
		return "no event"
	case 1:
		return "1 event"
	}
	return strconv.Itoa(n) + " events"
}

func names(events []lifecycle.Event) string {
	if len(events) == 0 {
		return ""
	}
	var all []string
	for _, e := range events {
		all = append(all, string(e.Name))
	}
	return ": " + strings.Join(all, ", ")
}

// compare lists what an event lacks of what is wanted.
func (w *wanted) compare(rs *Ruleset, e *lifecycle.Event) []string {
	var problems []string
	differ := func(what string, got, want any) {
		problems = append(problems, fmt.Sprintf("%s is %s, want %s", what, describe(got), describe(want)))
	}
	if w.event != "" && w.event != string(e.Name) {
		differ("event", string(e.Name), w.event)
	}
	if w.key != nil && *w.key != e.BusinessKey {
		differ("key", e.BusinessKey, *w.key)
	}
	if w.at != nil && *w.at != e.At {
		differ("at", expression.Time(e.At), expression.Time(*w.at))
	}
	if w.stage != nil && *w.stage != string(e.Claim) {
		differ("stage", string(e.Claim), *w.stage)
	}
	for _, ns := range slices.Sorted(maps.Keys(w.identity)) {
		for _, v := range w.identity[ns] {
			if key, ok := lifecycle.NormaliseKey(rs.namespace(ns), v); !ok || !slices.Contains(e.Identity, key) {
				problems = append(problems, fmt.Sprintf("identity lacks %s:%s, has %v", ns, v, e.Identity))
			}
		}
	}
	traits := make(map[string]any, len(e.Traits))
	for _, t := range e.Traits {
		traits[t.Name] = t.Value
	}
	values := func(what string, want, got map[string]any) {
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if !expression.Equal(got[name], want[name]) {
				differ(what+"."+name, got[name], want[name])
			}
		}
	}
	values("traits", w.traits, traits)
	values("properties", w.properties, e.Properties)
	return append(problems, w.compareValue(e)...)
}

func (w *wanted) compareValue(e *lifecycle.Event) []string {
	if w.amount == nil && w.currency == nil {
		return nil
	}
	if e.Value == nil {
		return []string{"value is missing"}
	}
	var problems []string
	if w.amount != nil && *w.amount != e.Value.Micros {
		problems = append(problems, fmt.Sprintf("value.amount is %s, want %s", formatMicros(*e.Value), formatMicros(lifecycle.Money{Micros: *w.amount})))
	}
	if w.currency != nil && *w.currency != e.Value.Currency {
		problems = append(problems, fmt.Sprintf("value.currency is %s, want %s", e.Value.Currency, *w.currency))
	}
	return problems
}

// test reads a test.
func (c *compiler) test(r *document.Reader) *ruleTest {
	t := &ruleTest{name: r.Text("name"), line: r.Node().Line, typ: r.Text("type"), body: r.Any("body"), record: r.Any("record")}
	if c.tests[t.name] && t.name != "" {
		r.Fail("name", "there is a test %q already", t.name)
	}
	c.tests[t.name] = true
	r.Entries("headers", func(name string, v *document.Reader) {
		if t.headers == nil {
			t.headers = map[string]string{}
		}
		t.headers[strings.ToLower(name)] = v.Text("")
	})
	if !r.Has("want") {
		r.Fail("want", "is missing; a list of events, or [] where the event is ignored")
	}
	r.List("want", func(w *document.Reader) { t.want = append(t.want, readWanted(w)) })
	r.Unknown()
	return t
}

func readWanted(r *document.Reader) wanted {
	w := wanted{event: r.OptText("event")}
	if w.event != "" && !validEvent(w.event) {
		r.Fail("event", "is %q, want a name in the form Category:Name", w.event)
	}
	text := func(field string) *string {
		if !r.Has(field) {
			return nil
		}
		s := r.Text(field)
		return &s
	}
	w.key, w.stage = text("key"), text("stage")
	if s := text("at"); s != nil {
		at, ok := expression.ParseTime(*s)
		if !ok {
			r.Fail("at", "is not a time such as 2024-01-31T12:00:00Z")
		}
		instant := lifecycle.Instant(at)
		w.at = &instant
	}
	r.Entries("identity", func(ns string, v *document.Reader) {
		if w.identity == nil {
			w.identity = map[string][]string{}
		}
		w.identity[ns] = v.Texts("")
	})
	w.traits, _ = r.Any("traits").(map[string]any)
	w.properties, _ = r.Any("properties").(map[string]any)
	r.Map("value", func(v *document.Reader) {
		if v.Has("amount") {
			micros, err := amount(v.Text("amount"))
			if err != nil {
				v.Fail("amount", "%v", err)
			}
			w.amount = &micros
		}
		if v.Has("currency") {
			code, err := currency(v.Text("currency"))
			if err != nil {
				v.Fail("currency", "%v", err)
			}
			w.currency = &code
		}
		v.Unknown()
	})
	r.Unknown()
	return w
}
