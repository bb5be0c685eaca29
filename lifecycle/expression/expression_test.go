package expression

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var shape = Shape{Vars: []string{"body", "record"}}

// value compiles and runs an expression over a fixed body.
func value(t *testing.T, src string) (any, error) {
	t.Helper()
	p, err := Compile(src, shape)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return p.Run(NewMachine(), []any{testBody(), nil})
}

func testBody() map[string]any {
	return map[string]any{
		"name": "Ann", "umlaut": "Zoë Ü", "n": int64(7), "f": 1.5, "num": "1200.50", "yes": true, "null": nil, "empty": "",
		"big": "12345678901234567890", "id": int64(9007199254740993), "order": map[string]any{"total": int64(10)},
		"tags": []any{"a", "b", "c"}, "items": []any{
			map[string]any{"sku": "x", "price": int64(5), "tags": []any{"q"}},
			map[string]any{"sku": "y", "price": "7.5", "tags": []any{"r", "s"}},
		},
		"nested": []any{[]any{int64(1), []any{int64(2)}}, int64(3)}, "at": "2024-05-06T07:08:09Z", "ms": int64(1700000000123),
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want any
	}{
		// Members are total.
		{`body.name`, "Ann"}, {`body["name"]`, "Ann"}, {`body?.name`, "Ann"}, {`body.nope`, nil}, {`body.nope.deeper.still`, nil},
		{`body.n.x`, nil}, {`body.name.x`, nil}, {`record.contacts[0].email`, nil}, {`body.tags[1]`, "b"}, {`body.tags[-1]`, "c"},
		{`body.tags[3]`, nil}, {`body.tags[-4]`, nil}, {`body.tags.x`, nil}, {`body.items[1].tags[0]`, "r"}, {`body[body.nope]`, nil},
		{`body.tags[body.n]`, nil}, {`body[("na" + "me")]`, "Ann"}, {`body.tags[1.0]`, "b"}, {`body.name[0:2]`, "An"}, {`body.umlaut[-1:]`, "Ü"},
		{`body.tags[1:]`, []any{"b", "c"}}, {`body.tags[:99]`, []any{"a", "b", "c"}}, {`body.tags[2:1]`, []any{}}, {`body.nope[1:]`, nil},
		// Comparisons are total.
		{`body.nope >= 50`, false}, {`body.nope < 50`, false}, {`body.name > 5`, false}, {`body.num > 1000`, true}, {`body.num == 1200.5`, true},
		{`body.n == "7"`, true}, {`body.n != "7"`, false}, {`body.nope == nil`, true}, {`body.null == nil`, true}, {`body.nope != "x"`, true},
		{`body.id == 9007199254740993`, true}, {`body.id == 9007199254740992`, false}, {`body.id > 9007199254740992.0`, true},
		{`1 < 2 < 3`, true}, {`body.big > 5`, true}, {`body.big == "12345678901234567890"`, true}, {`body.order == {total: 10}`, true},
		{`body.tags == ["a", "b", "c"]`, true},
		// Yes and no.
		{`!body.nope`, true}, {`not body.yes`, false}, {`body.nope && body.name`, false}, {`body.yes || body.name`, true}, {`body.yes and true`, true},
		{`body.nope ? 1 : 2`, int64(2)}, {`if body.yes { 1 } else { 2 }`, int64(1)}, {`body.nope ?? "x"`, "x"}, {`body.null ?: 3`, int64(3)},
		{`"a" in body.tags`, true}, {`"z" not in body.tags`, true}, {`7 in ["7"]`, true}, {`"name" in body`, true}, {`"a" in body.nope`, false},
		{`"a" in "abc"`, false}, {`5 in 5`, false}, {`body.name contains "nn"`, true}, {`body.tags contains "a"`, true}, {`body.n contains "7"`, false},
		{`body.name startsWith "A"`, true}, {`body.name endsWith "x"`, false}, {`body.nope startsWith "A"`, false}, {`body.name matches "^A.n$"`, true},
		{`body.nope matches "x"`, false}, {`body.name not matches "x"`, true},
		// Arithmetic.
		{`1 + 2 * 3`, int64(7)}, {`7 / 2`, 3.5}, {`7 % 4`, int64(3)}, {`2 ** 3`, 8.0}, {`-body.n`, int64(-7)}, {`+body.num`, 1200.5}, {`body.num * 2`, 2401.0},
		{`body.f + 1`, 2.5}, {`"a" + "b"`, "ab"}, {`[1] + [2]`, []any{int64(1), int64(2)}}, {`-9223372036854775807 - 1`, int64(-9223372036854775808)},
		{`7.5 % 2`, 1.5}, {`-7 % -1`, int64(0)},
		// Variables and literals.
		{`let x = body.n; x + x`, int64(14)}, {`let x = body.order; x.total`, int64(10)}, {`{a: 1, "b": [2]}`, map[string]any{"a": int64(1), "b": []any{int64(2)}}},
		{`nil`, nil}, {`0.1`, 0.1}, {`'q'`, "q"}, {`0x10`, int64(16)},
		// Loops.
		{`any(body.tags, # == "b")`, true}, {`all(body.tags, len(#) == 1)`, true}, {`none(body.tags, # == "b")`, false}, {`one(body.items, .price > 6)`, true},
		{`all(body.nope, false)`, true}, {`any(body.nope, true)`, false}, {`none(body.tags, # == "z")`, true}, {`all(body.tags, # == "a")`, false},
		{`filter(body.items, .price > 6)[0].sku`, "y"}, {`map(body.items, .sku)`, []any{"x", "y"}}, {`body.items | map(#.price * 2)`, []any{int64(10), 15.0}},
		{`find(body.items, .sku == "y").price`, "7.5"}, {`find(body.items, false)`, nil}, {`findIndex(body.tags, # == "c")`, int64(2)}, {`findIndex(body.tags, # == "z")`, int64(-1)},
		{`findLast(body.tags, # != "c")`, "b"}, {`findLastIndex(body.tags, true)`, int64(2)}, {`count(body.tags, # > "a")`, int64(2)}, {`count([true, false])`, int64(1)},
		{`sum(body.items, .price)`, 12.5}, {`sum([1, 2])`, int64(3)}, {`sum(["1", 2])`, int64(3)}, {`sum(body.nope)`, nil}, {`map(body.nope, #)`, nil}, {`filter(body.nope, true)`, nil}, {`sortBy(body.nope, #)`, nil}, {`count(body.nope, true)`, int64(0)}, {`sum([])`, int64(0)}, {`len(filter(body.nope, true))`, int64(0)},
		{`sortBy(body.items, .price, "desc")[0].sku`, "y"}, {`sortBy(body.tags, -#index)`, []any{"c", "b", "a"}}, {`reduce([1, 2, 3], #acc + #)`, int64(6)}, {`reduce([1, 2], #acc + #, 10)`, int64(13)}, {`reduce([], #acc, 5)`, int64(5)},
		{`map(body.items, let t = .tags; map(t, #))`, []any{[]any{"q"}, []any{"r", "s"}}}, {`map(body.items, any(.tags, # == "r"))`, []any{false, true}},
		{`map(body.tags, #index)`, []any{int64(0), int64(1), int64(2)}},
		// Functions.
		{`len(body.umlaut)`, int64(5)}, {`len(body.tags)`, int64(3)}, {`len(nil)`, int64(0)}, {`type(body.n)`, "int"}, {`type(body.nope)`, "nil"}, {`type({})`, "map"},
		{`int("12")`, int64(12)}, {`int(" 12 ")`, int64(12)}, {`int(12.9)`, int64(12)}, {`int(nil)`, nil}, {`int("")`, nil}, {`float("1.5")`, 1.5}, {`float(2)`, 2.0}, {`float("")`, nil},
		{`string(7)`, "7"}, {`string(0.1)`, "0.1"}, {`string(1e21)`, "1e+21"}, {`string(true)`, "true"}, {`string(nil)`, nil}, {`string(parseTime("2024-05-06"))`, "2024-05-06T00:00:00Z"},
		{`abs(-3)`, int64(3)}, {`abs(-1.5)`, 1.5}, {`ceil(1.2)`, 2.0}, {`floor("1.7")`, 1.0}, {`round(2)`, int64(2)}, {`round(nil)`, nil},
		{`min(3, 1, 2)`, int64(1)}, {`max([3, "10", nil])`, "10"}, {`max([])`, nil},
		{`lower("ÀB")`, "àb"}, {`upper(body.nope)`, nil}, {`trim(" a ")`, "a"}, {`trim("xax", "x")`, "a"}, {`trimPrefix("abc", "a")`, "bc"}, {`trimSuffix("abc", "c")`, "ab"},
		{`hasPrefix(body.nope, "a")`, false}, {`hasSuffix("abc", "bc")`, true}, {`indexOf("abc", "c")`, int64(2)}, {`lastIndexOf("aba", "a")`, int64(2)},
		{`split("a,b,c", ",")`, []any{"a", "b", "c"}}, {`split("a,b,c", ",", 2)[1]`, "b,c"}, {`join(["a", nil, 1], "-")`, "a-1"}, {`join(nil)`, nil}, {`replace("aaa", "a", "b", 2)`, "bba"}, {`replace("aaa", "a", "")`, ""},
		{`body.name | lower() | trimPrefix("a")`, "nn"}, {`toBase64("hi")`, "aGk="}, {`fromBase64("aGk=")`, "hi"},
		{`first(body.tags)`, "a"}, {`last(body.tags)`, "c"}, {`first(nil)`, nil}, {`first([])`, nil}, {`get(body, "name")`, "Ann"}, {`get(body.tags, 1)`, "b"}, {`take(body.tags, 2)`, []any{"a", "b"}}, {`take(body.tags, 9)[2]`, "c"},
		{`reverse([1, 2])`, []any{int64(2), int64(1)}}, {`concat([1], nil, [2])`, []any{int64(1), int64(2)}}, {`flatten(body.nested)`, []any{int64(1), int64(2), int64(3)}}, {`uniq([1, "1", 1, [2], [2]])`, []any{int64(1), "1", []any{int64(2)}}},
		{`sort([3, 1, 2])`, []any{int64(1), int64(2), int64(3)}}, {`sort(["b", "a"], "desc")`, []any{"b", "a"}},
		{`fromUnix(1700000000)`, Time(1700000000000000)}, {`fromUnix("1700000000.5")`, Time(1700000000500000)}, {`fromUnixMilli(body.ms)`, Time(1700000000123000)}, {`fromUnixMicro(5)`, Time(5)}, {`fromUnix(nil)`, nil},
		{`parseTime(body.at)`, Time(1714979289000000)}, {`parseTime("2024-05-06 07:08:09")`, Time(1714979289000000)}, {`parseTime("2024-05-06T09:08:09+02:00")`, Time(1714979289000000)}, {`parseTime("")`, nil},
		{`parseTime("2024-05-06T07:08:09.000+0000")`, Time(1714979289000000)}, {`parseTime("Mon, 06 May 2024 07:08:09 GMT")`, Time(1714979289000000)}, {`parseTime("2024-05-06") < parseTime("2024-05-07")`, true},
		{`fromMinor(1250, "eur")`, "12.50"}, {`fromMinor("1250", 2)`, "12.50"}, {`fromMinor(-5, "EUR")`, "-0.05"}, {`fromMinor(7, "JPY")`, "7"}, {`fromMinor(1, "KWD")`, "0.001"}, {`fromMinor(nil, "EUR")`, nil},
	}
	for _, tt := range tests {
		got, err := value(t, tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
		} else if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.src, d)
		}
	}
}

func TestErrorsAtRunTime(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, want string }{
		{`body.nope + 1`, "the left side of + is missing, want a number (line 1, column 11)"},
		{`1 + body.nope`, "the right side of + is missing, want a number (line 1, column 3)"},
		{`body.name + 1`, `+ cannot join "Ann" and 1; use string(…) or float(…) (line 1, column 11)`},
		{`1 + "a"`, "+ cannot join"}, {`body.big * 2`, `the left side of * is "12345678901234567890"`},
		{`9223372036854775807 + 1`, "beyond 64 bits"}, {`4611686018427387904 * 2`, "beyond 64 bits"}, {`-9223372036854775807 - 2`, "beyond 64 bits"},
		{`1 / 0`, "division by zero"}, {`1 % 0`, "division by zero"}, {`1.5 % 0`, "division by zero"}, {`10.0 ** 400`, "not a number"},
		{`-body.name`, "- wants a number"}, {`!body.name`, `is "Ann" where yes or no is wanted`}, {`body.name ? 1 : 2`, "where yes or no is wanted (line 1, column 6)"},
		{`true && body.n`, "is 7 where yes or no is wanted"}, {`int("x")`, `int("x"): not a number (line 1, column 1)`}, {`float("x")`, "not a number"}, {`int(1e300)`, "beyond 64 bits"},
		{"true &&\n  int(\"x\") > 1", "line 2, column 3"}, {`len(5)`, "len wants a text, list or map, not 5"}, {`lower(5)`, "lower wants a text, not 5"},
		{`any(body.name, true)`, `any wants a list, not "Ann"`}, {`sum(["x"])`, "sum wants numbers"}, {`filter(body.tags, #)`, "where yes or no is wanted"},
		{`parseTime(5)`, "a number needs fromUnix"}, {`parseTime("soon")`, "not a time"}, {`fromUnix(1700000000000)`, "is the unit right?"}, {`fromUnix(true)`, "want a number"},
		{`sortBy([1], #, "up")`, `"asc" or "desc"`}, {`max(1, "a")`, "cannot compare"}, {`join(5)`, "join wants a list"}, {`join([[1]])`, "string wants a single value"}, {`fromBase64("%")`, "base64"},
		{`split("a", "")`, "split wants a text to split at"}, {`fromMinor(1.5, 2)`, "a whole number"}, {`take([1], "x")`, "take wants a number"},
	}
	for _, tt := range tests {
		got, err := value(t, tt.src)
		var e *Error
		if !errors.As(err, &e) || strings.HasPrefix(err.Error(), "compile") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v; want %s", tt.src, got, err, tt.want)
		}
	}
}

func TestErrorsAtCompileTime(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, want string }{
		{``, "unexpected token EOF"}, {`body.`, "unexpected"}, {`a == `, "unexpected"}, {`bdoy.name`, "there is no bdoy here; did you mean body? (line 1, column 1)"},
		{`1 +`, "unexpected token"}, {"true &&\n  nope", "there is no nope here (line 2, column 3)"}, {`lowr(body.name)`, "there is no function lowr here; did you mean lower?"},
		{`lower()`, "lower takes 1 argument, not 0"}, {`split("a")`, "split takes 2 to 3 arguments, not 1"}, {`body.name.lower()`, "values have no methods"}, {`body.f(1)`, "values have no methods"},
		{`#`, "unexpected token"}, {`map(body.tags, #foo)`, "there is no #foo"}, {`body; body`, "several expressions"}, {`let body = 1; body`, "there is a body already"}, {`{(body.name): 1}`, "computed key"},
		{`b"bytes"`, "is not supported"}, {`body.name matches body.name`, "pattern as a text in quotes"}, {`body.name matches "("`, "the pattern is wrong"}, {`12345678901234567890`, "invalid integer literal"}, {`$env`, "there is no $env"},
		// What expr has and we do not.
		{`now()`, "there is no function now"}, {`date("2024-01-01")`, "no function date"}, {`duration("1h")`, "no function duration"}, {`timezone("UTC")`, "no function timezone"},
		{`repeat("a", 5)`, "no function repeat"}, {`1..5`, "operator .. is not available"}, {`keys(body)`, "no function keys"}, {`values(body)`, "no function values"}, {`toPairs(body)`, "no function toPairs"},
		{`fromPairs([])`, "no function fromPairs"}, {`groupBy(body.tags, #)`, "no function groupBy"}, {`toJSON(body)`, "no function toJSON"}, {`fromJSON("{}")`, "no function fromJSON"}, {`bitand(1, 2)`, "no function bitand"},
		{`mean([1])`, "no function mean"}, {`median([1])`, "no function median"}, {`splitAfter("a", "b")`, "no function splitAfter"},
	}
	for _, tt := range tests {
		_, err := Compile(tt.src, shape)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %s", tt.src, err, tt.want)
		}
	}
}

func TestShapeAddsAndReplacesFunctions(t *testing.T) {
	t.Parallel()
	s := Shape{Vars: []string{"x"}, Funcs: map[string]Func{
		"count": {1, 2, func(_ *Machine, args []any) (any, error) { return int64(len(args)), nil }},
		"fail":  {0, 0, func(*Machine, []any) (any, error) { return nil, errors.New("no") }},
	}}
	p, err := Compile(`count("A:B", x) + count(1)`, s)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := p.Run(NewMachine(), []any{nil}); v != int64(3) || err != nil {
		t.Error(v, err)
	}
	if p, err = Compile("1 +\n fail()", s); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(NewMachine(), []any{nil}); err == nil || err.Error() != "no (line 2, column 2)" {
		t.Error(err)
	}
}

func TestReadsAndTrace(t *testing.T) {
	t.Parallel()
	p, err := Compile(`let o = body.order; any(body.items, any(.tags, # == record.x)) || o.total > body.tags[0] || body[body.name] == 1 || body["a b"][0]["0"]`, shape)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"body", "body.items", "body.items[].tags", "body.items[].tags[]", "body.name", "body.order", "body.order.total", "body.tags[]", `body["a b"][]["0"]`, "record.x"}
	if d := cmp.Diff(want, p.Reads()); d != "" {
		t.Error(d)
	}
	m := NewMachine()
	var told []string
	m.Trace(func(path string, v any) { told = append(told, fmt.Sprint(path, "=", describe(v))) })
	if p, err = Compile(`body.n == 7 && body.nope == 1 && body.name == "x"`, shape); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(m, []any{testBody(), nil}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"body.n=7", "body.nope=missing"}, told); d != "" {
		t.Error(d)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{`body.name`: false, `body.null`: false, `body.nope`: true, `body.null.x`: true, `body.tags[0]`: false, `body.tags[7]`: true, `body.items[0].sku`: false, `lower(body.nope)`: false, `record.x`: true, `body`: false} {
		p, err := Compile(src, shape)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Missing([]any{testBody(), nil}); got != want {
			t.Errorf("%s: missing is %v", src, got)
		}
	}
}

// An expression reads what is not there as nothing, and says no to it.
func ExampleCompile() {
	p, err := Compile(`traits.lead_score >= 50 || "vip" in traits.tags`, Shape{Vars: []string{"traits"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := NewMachine()
	for _, traits := range []any{nil, map[string]any{"lead_score": "72"}, map[string]any{"tags": []any{"vip"}}} {
		m.Reset()
		fmt.Println(p.Run(m, []any{traits}))
	}
	// Output:
	// false <nil>
	// true <nil>
	// true <nil>
}
