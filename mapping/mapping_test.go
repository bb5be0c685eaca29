package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

var hubspot = Options{Connection: "hubspot-eu", Connector: "hubspot", Stages: map[string]string{"Customer": "customer", "Qualified Lead": "salesqualifiedlead"}}

// compiled compiles rules or ends the test.
func compiled(t testing.TB, src string, o Options) *Ruleset {
	t.Helper()
	rs, err := Compile("rules.yaml", []byte(src), o)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// emitting makes a rule for every event that emits one event with the given
// lines under emit.
func emitting(lines string) string {
	return "rules:\n  - name: r\n    type: t*\n    emit:\n      event: A:B\n" + indent(lines)
}

func indent(lines string) string {
	var b strings.Builder
	for l := range strings.SplitSeq(lines, "\n") {
		b.WriteString("      " + l + "\n")
	}
	return b.String()
}

const byUser = "identity: { user: body.user }\n"

// input makes an event of a JSON body.
func input(typ, body string) *Input {
	return &Input{Type: typ, Raw: []byte(body), Received: 1000, RecordAt: 700, Dedupe: []byte("d")}
}

func TestApplySetsEveryPartOfAnEvent(t *testing.T) {
	t.Parallel()
	rs := compiled(t, emitting(`key: body.id
at: fromUnixMilli(body.ms)
identity: { email: body.mail, hubspot: body.vid, user: body.user, anonymous: body.anon, phone: body.tel, stripe: body.cus }
traits: { score: body.score, company: record.company, both: "body.mail + record.company", gone: body.gone, null: body.null, list: body.list, quoted: "'EUR'" }
properties: { id: body.id, missing: body.gone, when: fromUnix(5) }
value: { amount: body.amount, currency: "'eur'" }
stage: body.stage`), hubspot)
	in := input("t1", `{"id":7,"ms":1700000000123,"mail":" Ann@Example.COM ","vid":51,"user":"u1","anon":"a","tel":"+49 (0)30 1234567","cus":["cus_1","cus_2",null],
		"score":50,"null":null,"list":[1,{"a":"b"}],"amount":1200.50,"stage":"customer"}`)
	in.RecordJSON = []byte(`{"company":"Acme"}`)
	out := rs.Apply(in)
	want := lifecycle.Event{
		ID: lifecycle.NewEventID("hubspot-eu", []byte("d"), 0), Name: "A:B", At: 1700000000123000, Connection: "hubspot-eu", BusinessKey: "7",
		Identity: []lifecycle.Key{{Namespace: "user", Value: "u1"}, {Namespace: "email", Value: "ann@example.com"}, {Namespace: "phone", Value: "+49301234567"},
			{Namespace: "hubspot-eu", Value: "51"}, {Namespace: "stripe", Value: "cus_1"}, {Namespace: "stripe", Value: "cus_2"}, {Namespace: "anonymous", Value: "a"}},
		Traits: []lifecycle.Trait{{Name: "score", Value: int64(50), At: 1700000000123000}, {Name: "company", Value: "Acme", At: 700}, {Name: "both", Value: " Ann@Example.COM Acme", At: 700},
			{Name: "null", At: 1700000000123000}, {Name: "list", Value: []any{int64(1), map[string]any{"a": "b"}}, At: 1700000000123000}, {Name: "quoted", Value: "EUR", At: 1700000000123000}},
		Properties: map[string]any{"id": int64(7), "when": "1970-01-01T00:00:05Z"},
		Value:      &lifecycle.Money{Micros: 1_200_500_000, Currency: "EUR"},
		Claim:      "Customer",
	}
	if d := cmp.Diff(Output{Events: []lifecycle.Event{want}, Matched: []string{"r"}}, out); d != "" {
		t.Error(d)
	}
}

func TestApplyTimes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		at   string // the expression; empty for none
		in   lifecycle.Instant
		want lifecycle.Instant
		err  string
	}{
		{"", 500, 500, ""}, {"", 0, 1000, ""}, {"body.gone", 500, 500, ""}, {"body.gone", 0, 1000, ""}, {"body.empty", 500, 500, ""},
		{"body.iso", 0, 1714979289000000, ""}, {"parseTime(body.day)", 0, 1714953600000000, ""}, {"fromUnix(body.s)", 0, 1700000000000000, ""},
		{"body.s", 0, 0, "whose unit is not known; use fromUnix"}, {"body.day", 0, 0, "not RFC 3339; use parseTime"}, {"body.list", 0, 0, "want a time"}, {"parseTime(body.user)", 0, 0, "not a time"},
	}
	for _, tt := range tests {
		src := emitting(byUser)
		if tt.at != "" {
			src = emitting(byUser + "at: " + tt.at)
		}
		in := input("t", `{"user":"u","empty":"","iso":"2024-05-06T07:08:09Z","day":"2024-05-06","s":1700000000,"list":[]}`)
		in.At = tt.in
		out := compiled(t, src, hubspot).Apply(in)
		switch {
		case tt.err != "":
			var e *RuleError
			if !errors.As(out.Err, &e) || e.Field != "rules[0].emit.at" || e.Line != 7 || !strings.Contains(e.Message, tt.err) || out.Events != nil {
				t.Errorf("%s: %v", tt.at, out.Err)
			}
		case out.Err != nil || out.Events[0].At != tt.want:
			t.Errorf("%s: %v", tt.at, out)
		}
	}
}

func TestApplyIdentity(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, identity, body string
		o                    Options
		want                 string // keys, or the error
	}{
		{"connection's own namespace", "hubspot: body.id", `{"id":51}`, hubspot, "[hubspot-eu:51]"},
		{"shared scope", "hubspot: body.id", `{"id":51}`, Options{Connection: "a", Connector: "hubspot", IdentityScope: "portal-1"}, "[portal-1:51]"},
		{"big id keeps its digits", "user: body.id", `{"id":12345678901234567890}`, hubspot, "[user:12345678901234567890]"},
		{"id above 2^53", "user: body.id", `{"id":9007199254740993}`, hubspot, "[user:9007199254740993]"},
		{"id as a fraction", "user: body.id", `{"id":5.0}`, hubspot, "[user:5]"},
		{"empty ones are left out", "user: body.a\nemail: body.b\nphone: body.c", `{"a":"","b":null,"c":"+14155550100"}`, hubspot, "[phone:+14155550100]"},
		{"unusable ones are left out", "email: body.b\nuser: body.a", `{"a":"u","b":"n/a"}`, hubspot, "[user:u]"},
		{"doubled ones are one", "email: \"[body.a, body.b]\"", `{"a":"x@example.com","b":"X@example.com"}`, hubspot, "[email:x@example.com]"},
		{"nobody", "email: body.a\nuser: body.b", `{"b":"  "}`, hubspot, "names nobody"},
		{"too long to be a key", "user: body.a", `{"a":"` + strings.Repeat("x", 201) + `"}`, hubspot, "names nobody"},
		{"a real fraction", "user: body.id", `{"id":5.5}`, hubspot, "as an identifier"},
		{"yes or no", "user: body.id", `{"id":true}`, hubspot, "as an identifier"},
		{"a map", "user: body", `{}`, hubspot, "as an identifier"},
		{"too many", "user: body.ids", `{"ids":[` + strings.Repeat("1,", 60) + `1]}`, hubspot, "more than 50 identifiers"},
	}
	for _, tt := range tests {
		out := compiled(t, emitting("identity:\n  "+strings.ReplaceAll(tt.identity, "\n", "\n  ")), tt.o).Apply(input("t", tt.body))
		got := ""
		if out.Err != nil {
			got = out.Err.Error()
		} else {
			got = fmt.Sprint(out.Events[0].Identity)
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if errors.Is(out.Err, ErrNoIdentity) != (tt.want == "names nobody") {
			t.Errorf("%s: errors.Is(ErrNoIdentity) is wrong for %v", tt.name, out.Err)
		}
	}
}

func TestApplyValueStageAndKey(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, lines, body, want string }{
		{"amount as text", `value: { amount: body.a, currency: body.c }`, `{"a":"0.10","c":"usd"}`, "&{100000 USD}"},
		{"no amount, no value", `value: { amount: body.a, currency: body.c }`, `{"c":"usd"}`, "<nil>"},
		{"empty amount, no value", `value: { amount: body.a, currency: body.c }`, `{"a":"","c":"usd"}`, "<nil>"},
		{"minor units", `value: { amount: "fromMinor(body.a, body.c)", currency: body.c }`, `{"a":1999,"c":"jpy"}`, "&{1999000000 JPY}"},
		{"not an amount", `value: { amount: body.a, currency: body.c }`, `{"a":"lots","c":"usd"}`, `gives "lots", which is not an amount`},
		{"too large", `value: { amount: body.a, currency: body.c }`, `{"a":1e300,"c":"usd"}`, "too large an amount"},
		{"no currency", `value: { amount: body.a, currency: body.c }`, `{"a":5}`, "is nothing, want a currency code"},
		{"literal stage", `stage: "'salesqualifiedlead'"`, `{}`, "Qualified Lead"},
		{"unmapped stage stays", `stage: body.s`, `{"s":"opportunity"}`, "opportunity"},
		{"no stage", `stage: body.s`, `{}`, "no claim"},
		{"a number as a stage", `stage: body.s`, `{"s":3}`, "3"},
		{"a list as a stage", `stage: body.s`, `{"s":[]}`, "as a stage, want a text"},
		{"numeric key", `key: body.k`, `{"k":9007199254740993}`, "key 9007199254740993"},
		{"trimmed key", `key: body.k`, `{"k":" x "}`, "key x"},
		{"no key", `key: body.k`, `{}`, "key "},
		{"long key", `key: body.k`, `{"k":"` + strings.Repeat("k", 300) + `"}`, "key sha256:17b16d8ef494"},
		{"map as a key", `key: body`, `{}`, "as the business key"},
		{"huge trait", `traits: { x: body.x }`, `{"x":[` + strings.Repeat("1,", 5000) + `1]}`, "list or map over 4096 bytes"},
		{"deep trait", `traits: { x: body.x }`, `{"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "or 8 levels"},
		{"JSON in a text", `stage: fromJSON(body.j).s`, `{"j":"{\"s\":\"customer\"}"}`, "Customer"},
		{"no JSON in a text", `stage: fromJSON(body.j).s`, `{"j":"{"}`, "fromJSON: the text is not JSON"},
	}
	for _, tt := range tests {
		out := compiled(t, emitting("identity: { user: \"'u'\" }\n"+tt.lines), hubspot).Apply(input("t", tt.body))
		got := ""
		switch {
		case out.Err != nil:
			got = out.Err.Error()
		case strings.HasPrefix(tt.lines, "key"):
			got = "key " + out.Events[0].BusinessKey
		case strings.HasPrefix(tt.lines, "stage"):
			if got = string(out.Events[0].Claim); got == "" {
				got = "no claim"
			}
		default:
			got = "<nil>"
			if v := out.Events[0].Value; v != nil {
				got = fmt.Sprintf("&{%d %s}", v.Micros, v.Currency)
			}
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

const many = `
rules:
  - name: exact
    type: contact.created
    emit: { event: A:Exact, identity: { user: body.u } }
  - name: prefix
    type: contact.*
    when: body.yes
    emit:
      - { event: A:First, identity: { user: body.u } }
      - { event: A:Second, identity: { user: body.u } }
  - name: all
    type: "*"
    when: type endsWith "created" && headers["x-topic"] == "t"
    each: body.items
    emit: { event: A:Item, identity: { user: item.id }, traits: { from: item.v } }
`

func TestApplyRulesEachAndPositions(t *testing.T) {
	t.Parallel()
	rs := compiled(t, many, hubspot)
	apply := func(typ, body string, headers map[string]string) Output {
		in := input(typ, body)
		in.Headers = headers
		return rs.Apply(in)
	}
	topic := map[string]string{"x-topic": "t"}
	out := apply("contact.created", `{"u":"1","yes":true,"items":[{"id":"a"},{"id":"b"}]}`, topic)
	var got []string
	for i, e := range out.Events {
		got = append(got, fmt.Sprint(e.Name, e.Identity))
		if e.ID != lifecycle.NewEventID("hubspot-eu", []byte("d"), i) {
			t.Errorf("event %d has the id of another position", i)
		}
	}
	if d := cmp.Diff([]string{"A:Exact[user:1]", "A:First[user:1]", "A:Second[user:1]", "A:Item[user:a]", "A:Item[user:b]"}, got); d != "" || out.Err != nil {
		t.Error(d, out.Err)
	}
	if d := cmp.Diff([]string{"exact", "prefix", "all"}, out.Matched); d != "" {
		t.Error(d)
	}
	tests := []struct {
		name, typ, body string
		headers         map[string]string
		matched, events int
		err             string
	}{
		{"no rule for the condition", "contact.updated", `{"u":"1"}`, nil, 0, 0, ""},
		{"prefix only", "contact.updated", `{"u":"1","yes":true}`, nil, 1, 2, ""},
		{"an empty list", "x.created", `{"items":[]}`, topic, 1, 0, ""},
		{"a missing list", "x.created", `{}`, topic, 1, 0, ""},
		{"not a list", "x.created", `{"items":{}}`, topic, 1, 0, "gives a map, want a list"},
		{"one item without identity fails the row", "contact.created", `{"u":"1","items":[{"id":"a"},{}]}`, topic, 2, 0, "names nobody"},
		{"a condition that is no condition", "contact.x", `{"yes":"maybe"}`, nil, 1, 0, `gives "maybe", want yes or no`},
		{"bytes that are no JSON", "contact.x", `{`, nil, 0, 0, "cut off"},
		{"too many events", "x.created", `{"items":[` + strings.Repeat(`{"id":1},`, 1001) + `{"id":1}]}`, topic, 1, 0, "more than 1000 events"},
	}
	for _, tt := range tests {
		out := apply(tt.typ, tt.body, tt.headers)
		ok := out.Err == nil && tt.err == "" || out.Err != nil && tt.err != "" && strings.Contains(out.Err.Error(), tt.err)
		if !ok || len(out.Matched) != tt.matched || len(out.Events) != tt.events {
			t.Errorf("%s: matched %v, %d events, %v", tt.name, out.Matched, len(out.Events), out.Err)
		}
	}
}

// A type that no rule names costs nothing: its bytes are not even read.
func TestApplyIgnoresOtherTypesUnread(t *testing.T) {
	t.Parallel()
	out := compiled(t, emitting(byUser), hubspot).Apply(input("other", `{`))
	if out.Err != nil || out.Matched != nil || out.Events != nil {
		t.Error(out)
	}
}

func TestTraitsOfTheRecordAreAsOldAsTheRecord(t *testing.T) {
	t.Parallel()
	rs := compiled(t, `
rules:
  - name: r
    type: t
    each: record.contacts
    emit:
      event: A:B
      identity: { user: item.id }
      traits: { item: item.name, record: record.name, let: "let r = record; r.name", body: body.name, literal: "'x'" }
  - name: s
    type: s
    each: body.contacts
    emit: { event: A:B, identity: { user: item.id }, traits: { item: item.name } }
`, hubspot)
	ages := func(recordAt lifecycle.Instant, typ string) map[string]lifecycle.Instant {
		in := input(typ, `{"name":"b","contacts":[{"id":1,"name":"i"}]}`)
		in.At, in.RecordAt, in.Record = 500, recordAt, map[string]any{"name": "n", "contacts": []any{map[string]any{"id": int64(1), "name": "i"}}}
		out := rs.Apply(in)
		if out.Err != nil {
			t.Fatal(out.Err)
		}
		at := map[string]lifecycle.Instant{}
		for _, tr := range out.Events[0].Traits {
			at[tr.Name] = tr.At
		}
		return at
	}
	if d := cmp.Diff(map[string]lifecycle.Instant{"item": 700, "record": 700, "let": 700, "body": 500, "literal": 500}, ages(700, "t")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]lifecycle.Instant{"item": 1000, "record": 1000, "let": 1000, "body": 500, "literal": 500}, ages(0, "t")); d != "" {
		t.Error("without a time of its own it is as old as its receipt:", d)
	}
	if d := cmp.Diff(map[string]lifecycle.Instant{"item": 500}, ages(700, "s")); d != "" {
		t.Error(d)
	}
}

func TestRuleErrorsNameTheirPlace(t *testing.T) {
	t.Parallel()
	rs := compiled(t, "rules:\n  - name: r\n    type: t\n    when: |\n      body.x == 1 &&\n        int(body.y) > 1\n    emit: { event: A:B, identity: { user: body.u } }\n", hubspot)
	out := rs.Apply(input("t", `{"x":1,"y":"z"}`))
	var e *RuleError
	if !errors.As(out.Err, &e) || e.Rule != "r" || e.Field != "rules[0].when" || e.Line != 6 || e.Column != 9 {
		t.Fatalf("%+v", e)
	}
	if want := `rule "r", rules[0].when (line 6, column 9): int("z"): not a number`; e.Error() != want {
		t.Error(e)
	}
}

func TestHostileBodiesFailTheirRowOnly(t *testing.T) {
	t.Parallel()
	rs := compiled(t, "rules:\n  - name: r\n    type: t\n    when: 'any(body.l, any(body.l, # == 1))'\n    emit: { event: A:B, identity: { user: body.u } }\n", hubspot)
	out := rs.Apply(input("t", `{"u":1,"l":[`+strings.Repeat("0,", 100_000)+`0]}`))
	if !errors.Is(out.Err, expression.ErrBudget) {
		t.Error(out.Err)
	}
	if out := rs.Apply(input("t", `{"u":1,"l":[1]}`)); out.Err != nil || len(out.Events) != 1 {
		t.Error("the next row:", out.Err)
	}
}

func TestCompileTellsEveryMistake(t *testing.T) {
	t.Parallel()
	src := `rules:
  - name: a
    type: x
    when:
    emit: { event: A:B, identity: { user: body.u } }
  - name: a
    type: x*y
    when: !seen("A:B")
    emit: { evnt: A:B, identity: { user: bdoy.u } }
  - type: y
    when: true
    each: item.list
    emit:
      event: body.event
      identity: {}
      traits: { currency: EUR, x: "now()" }
      value: { amount: 5 }
      at: 2024-01-01 # today
  - name: no emit
    type: z
  - name: empty emit
    type: z
    emit: []
  - name: no identity
    type: z
    emit: { event: A:B, identity: { User Id: body.x } }
  - name: none
    type: z
    emit: { event: A:B }
tests:
  - name: t
    type: x
    body: { a: 1 }
  - name: t
    type: x
    want: [ { event: ab, at: soon, value: { amount: x, currency: y } } ]
other: 1
`
	_, err := Compile("rules.yaml", []byte(src), hubspot)
	var all document.Errors
	if !errors.As(err, &all) {
		t.Fatal(err)
	}
	want := []string{
		"rules.yaml:4:5: rules[0].when: is empty, want an expression",
		`rules.yaml:6:11: rules[1].name: there is a rule "a" already`,
		"rules.yaml:7:11: rules[1].type: has a * that is not at its end",
		"rules.yaml:8:11: starts a YAML tag with !",
		"rules.yaml:9:13: rules[1].emit.event: is missing",
		"rules.yaml:9:13: rules[1].emit.evnt: is not a field here; did you mean event?",
		"rules.yaml:9:42: rules[1].emit.identity.user: there is no bdoy here; did you mean body?",
		"rules.yaml:10:5: rules[2].name: is missing",
		"rules.yaml:11:11: rules[2].when: is a yes/no value, want an expression as a text",
		"rules.yaml:12:11: rules[2].each: there is no item here",
		`rules.yaml:14:14: rules[2].emit.event: is "body.event", want a name in the form Category:Name`,
		"rules.yaml:15:17: rules[2].emit.identity: is empty",
		`rules.yaml:16:27: rules[2].emit.traits.currency: there is no EUR here; a text is quoted twice: "'EUR'"`,
		"rules.yaml:16:36: rules[2].emit.traits.x: there is no function now here",
		"rules.yaml:17:16: rules[2].emit.value.currency: is missing",
		"rules.yaml:18:22: cuts the text before it short",
		"rules.yaml:19:5: rules[3].emit: is missing",
		"rules.yaml:23:11: rules[4].emit: is empty",
		`rules.yaml:26:37: rules[5].emit.identity: has "User Id" as a namespace`,
		"rules.yaml:29:13: rules[6].emit.identity: is missing",
		"rules.yaml:31:5: tests[0].want: is missing",
		`rules.yaml:34:11: tests[1].name: there is a test "t" already`,
		`rules.yaml:36:22: tests[1].want[0].event: is "ab"`,
		"rules.yaml:36:30: tests[1].want[0].at: is not a time",
		"rules.yaml:36:53: tests[1].want[0].value.amount: is not an amount",
		"rules.yaml:36:66: tests[1].want[0].value.currency: is \"y\"",
		"rules.yaml:37:1: other: is not a field here",
	}
	for i, e := range all {
		if i >= len(want) || !strings.HasPrefix(e.Error(), want[i]) {
			t.Fatalf("mistake %d is\n%v\nof\n%v", i, e, err)
		}
	}
	if len(all) != len(want) {
		t.Errorf("%d mistakes, want %d:\n%v", len(all), len(want), err)
	}
}

func TestCompileEmptyFile(t *testing.T) {
	t.Parallel()
	rs := compiled(t, "", hubspot)
	if out := rs.Apply(input("t", `{}`)); out.Matched != nil || out.Err != nil || len(RunTests(rs)) != 0 || len(rs.Reads()) != 0 {
		t.Error(out)
	}
}

func TestReadsAndTypesAndEvents(t *testing.T) {
	t.Parallel()
	rs := compiled(t, many, hubspot)
	want := []Read{
		{"exact", "contact.created", []string{"body.u"}},
		{"prefix", "contact.*", []string{"body.u", "body.yes"}},
		{"all", "*", []string{"body.items", "body.items[].id", "body.items[].v", `headers["x-topic"]`, "type"}},
	}
	if d := cmp.Diff(want, rs.Reads()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"contact.created", "contact.*", "*"}, rs.Types()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]lifecycle.EventName{"A:Exact", "A:First", "A:Second", "A:Item"}, rs.Events()); d != "" {
		t.Error(d)
	}
}

func TestPresent(t *testing.T) {
	t.Parallel()
	in := &Input{Type: "t", Headers: map[string]string{"x-topic": "t", "plain": ""}, Body: map[string]any{"a": map[string]any{"b": nil}, "a b": int64(1), "l": []any{map[string]any{}, map[string]any{"id": int64(1)}}, "e": []any{}}}
	for path, want := range map[string]bool{
		"body": true, "body.a": true, "body.a.b": true, "body.a.c": false, `body["a b"]`: true, `body["x y"]`: false, "body.l[].id": true, "body.l[].x": false, "body.e[]": false, "body.a[]": false,
		"body.a.b.c": false, "record": true, "record.x": false, `headers["x-topic"]`: true, "headers.plain": true, "headers.no": false, "type": true, "bodyx": false,
	} {
		if got := Present(in, path); got != want {
			t.Errorf("%s is %v", path, got)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	rs := compiled(t, `
rules:
  - name: won
    type: deal.*
    when: body.name == "dealstage" && body.value == "closedwon"
    emit: { event: Deal:Won, identity: { user: body.u } }
  - name: lost
    type: deal.change
    when: body.value == "closedlost"
    emit: { event: Deal:Lost, identity: { user: body.u } }
  - name: fails
    type: deal.change
    each: body.list
    emit: { event: Deal:Lost, identity: { user: item }, at: body.value }
  - name: other
    type: contact.change
    emit: { event: Contact:Changed, identity: { user: body.u } }
`, hubspot)
	x := rs.Explain(input("deal.change", `{"name":"dealstage","value":"closedwon","u":"1","list":["2"]}`))
	var got []string
	for _, r := range x.Rules {
		got = append(got, fmt.Sprintf("%s line %d: %q is %v, matched %v, read %v, %d items, %d events, %v", r.Rule, r.Line, r.When, r.Result, r.Matched, r.Read, r.Items, len(r.Events), r.Err))
	}
	want := []string{
		`won line 3: "body.name == \"dealstage\" && body.value == \"closedwon\"" is true, matched true, read [{body.name dealstage} {body.value closedwon} {body.u 1}], -1 items, 1 events, <nil>`,
		`lost line 7: "body.value == \"closedlost\"" is false, matched false, read [{body.value closedwon}], -1 items, 0 events, <nil>`,
		`fails line 11: "" is <nil>, matched true, read [{body.list a list} {body.value closedwon}], 1 items, 0 events, rule "fails", rules[2].emit.at (line 14, column 61): gives "closedwon", which is not RFC 3339; use parseTime(…)`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if x.Err == nil || x.Events != nil || !slices.Equal(x.Matched, []string{"won", "fails"}) {
		t.Error(x.Matched, x.Events, x.Err)
	}
	if x := rs.Explain(input("none", `{}`)); x.Rules != nil || x.Err != nil {
		t.Error(x)
	}
	if x := rs.Explain(input("deal.change", `{`)); x.Err == nil {
		t.Error("no error for broken bytes")
	}
}

// What Explain says is what Apply does.
func TestExplainAgreesWithApply(t *testing.T) {
	t.Parallel()
	rs := compiled(t, many, hubspot)
	for _, typ := range []string{"contact.created", "contact.x", "y.created", "z"} {
		for _, body := range []string{`{"u":"1","yes":true,"items":[{"id":"a"}]}`, `{"u":"1"}`, `{}`, `{"yes":5}`} {
			in, again := input(typ, body), input(typ, body)
			in.Headers = map[string]string{"x-topic": "t"}
			again.Headers = in.Headers
			out, x := rs.Apply(in), rs.Explain(again)
			if d := cmp.Diff(out.Events, x.Events); d != "" || (out.Err == nil) != (x.Err == nil) || out.Err == nil && !slices.Equal(out.Matched, x.Matched) {
				t.Errorf("%s %s: %s\n%v\n%v", typ, body, d, out.Err, x.Err)
			}
		}
	}
}
