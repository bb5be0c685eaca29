package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want any
	}{
		{`null`, nil}, {` true `, true}, {`"x"`, "x"}, {`{}`, map[string]any{}}, {`[]`, []any{}},
		{`[0, -1, 9007199254740993, 9223372036854775807, -9223372036854775808]`, []any{int64(0), int64(-1), int64(9007199254740993), int64(9223372036854775807), int64(-9223372036854775808)}},
		{`[9223372036854775808, 123456789012345678901234567890]`, []any{"9223372036854775808", "123456789012345678901234567890"}},
		{`[1200.50, 0.1, 1e3, -2.5E-3]`, []any{1200.5, 0.1, 1000.0, -0.0025}},
		{`[0.12345678901234567890, 1e999, 12345678901234567.25]`, []any{"0.12345678901234567890", "1e999", "12345678901234567.25"}},
		{`[12345678901234.56, 0.30000000000000004]`, []any{12345678901234.56, 0.30000000000000004}},
		{`{"a": {"b": [1, "\u00e9\n\"", {"c": false}]}}`, map[string]any{"a": map[string]any{"b": []any{int64(1), "é\n\"", map[string]any{"c": false}}}}},
		{`{"\u0061b": "😀 \ud83d\ude00"}`, map[string]any{"ab": "😀 😀"}},
		{"\r\n\t{\"a\":1}\n", map[string]any{"a": int64(1)}},
		{strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), nested(MaxDepth)},
	}
	for _, tt := range tests {
		got, err := Decode("", []byte(tt.src))
		// cmp.Diff takes exponential time on deep nesting.
		if !reflect.DeepEqual(tt.want, got) || err != nil {
			t.Errorf("%.60s: %v, got %.200v", tt.src, err, got)
		}
	}
}

func nested(depth int) any {
	v := any([]any{})
	for range depth - 1 {
		v = []any{v}
	}
	return v
}

func TestDecodeForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want map[string]any
	}{
		{"", map[string]any{}},
		{"type=subscribe&data[email]=ann%40example.com&data[merges][FNAME]=Ann+Lee", map[string]any{"type": "subscribe", "data": map[string]any{"email": "ann@example.com", "merges": map[string]any{"FNAME": "Ann Lee"}}}},
		{"a=1&a=2", map[string]any{"a": []any{"1", "2"}}},
		{"a[]=1&a[]=2", map[string]any{"a": []any{"1", "2"}}},
		{"a[0][n]=x&a[1][n]=y", map[string]any{"a": []any{map[string]any{"n": "x"}, map[string]any{"n": "y"}}}},
		{"a[]=1", map[string]any{"a": []any{"1"}}},
		{"a[1]=x", map[string]any{"a": map[string]any{"1": "x"}}},
		{"a=1&a[b]=2", map[string]any{"a": map[string]any{"": "1", "b": "2"}}},
		{"a[b=1&[c]=2&d]=3&e[f]g=4&h[[i]]=5", map[string]any{"a[b": "1", "[c]": "2", "d]": "3", "e[f]g": "4", "h[[i]]": "5"}},
		{"a&b=&=c&&", map[string]any{"a": "", "b": "", "": "c"}},
		{"0=a&1=b", map[string]any{"0": "a", "1": "b"}},
		{"a=b=c", map[string]any{"a": "b=c"}},
	}
	for _, tt := range tests {
		got, err := Decode(FormatForm, []byte(tt.src))
		if d := cmp.Diff(any(tt.want), got); d != "" || err != nil {
			t.Errorf("%s: %v %s", tt.src, err, d)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, format, src, reason string }{
		{"empty", "json", "", ReasonMalformed}, {"spaces", "json", "  ", ReasonMalformed}, {"cut off", "json", `{"a":`, ReasonMalformed}, {"cut off in a text", "json", `{"a":"b`, ReasonMalformed},
		{"trailing value", "json", `{} {}`, ReasonMalformed}, {"trailing noise", "json", `{}x`, ReasonMalformed}, {"trailing comma", "json", `[1,]`, ReasonMalformed}, {"comment", "json", `{} // x`, ReasonMalformed},
		{"NaN", "json", `NaN`, ReasonMalformed}, {"leading zero", "json", `01`, ReasonMalformed}, {"plus", "json", `+1`, ReasonMalformed}, {"single quotes", "json", `{'a':1}`, ReasonMalformed},
		{"form instead of JSON", "json", `a=1&b=2`, ReasonMalformed}, {"raw control character", "json", "\"\x01\"", ReasonMalformed}, {"raw NUL", "json", "\"\x00\"", ReasonMalformed},
		{"doubled name", "json", `{"a":1,"b":2,"a":3}`, ReasonDuplicateName}, {"doubled name by escape", "json", `{"a":1,"\u0061":3}`, ReasonDuplicateName}, {"doubled name deep down", "json", `[{"x":{"a":1,"a":1}}]`, ReasonDuplicateName},
		{"NUL", "json", `{"a":"\u0000"}`, ReasonNUL}, {"NUL in a name", "json", `{"\u0000":1}`, ReasonNUL},
		{"invalid UTF-8", "json", "\"\xff\"", ReasonInvalidUTF8}, {"Latin-1", "json", "{\"name\":\"Zo\xeb\"}", ReasonInvalidUTF8}, {"lone surrogate", "json", `"\ud800"`, ReasonInvalidUTF8}, {"UTF-16", "json", "\xff\xfe{\x00}\x00", ReasonMalformed},
		{"too deep", "json", strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), ReasonTooDeep}, {"10,000 deep", "json", strings.Repeat(`{"a":`, 10_000), ReasonTooDeep}, {"a megabyte of brackets", "json", strings.Repeat("[", 1<<20), ReasonTooDeep},
		{"form: bad escape", "form", "a=%zz", ReasonMalformed}, {"form: cut escape", "form", "b=1&a=%4", ReasonMalformed}, {"form: invalid UTF-8", "form", "a=%ff", ReasonInvalidUTF8}, {"form: NUL", "form", "a=%00", ReasonNUL},
		{"form: deep", "form", "a" + strings.Repeat("[b]", 30) + "=1", ReasonTooDeep}, {"form: many", "form", strings.Repeat("a=1&", maxFormFields), ReasonTooMany}, {"form: nothing", "form", "&&", ReasonMalformed},
		{"unknown format", "toml", "<a/>", ReasonFormat},
	}
	for _, tt := range tests {
		got, err := Decode(tt.format, []byte(tt.src))
		var e *DecodeError
		if got != nil || !errors.As(err, &e) || e.Reason != tt.reason {
			t.Errorf("%s: %v, %v, want %s", tt.name, got, err, tt.reason)
		}
		if err != nil && strings.Contains(err.Error(), "Zo") {
			t.Errorf("%s: the error repeats the bytes: %v", tt.name, err)
		}
	}
}

// What was decoded must not change when the caller uses its buffer again.
func TestDecodeSharesNothing(t *testing.T) {
	t.Parallel()
	for format, src := range map[string]string{"json": `{"name":["value"]}`, "form": "name[]=value"} {
		raw := []byte(src)
		got, err := Decode(format, raw)
		if err != nil {
			t.Fatal(err)
		}
		clear(raw)
		if _, err := Decode("", []byte(`{"other":["things"]}`)); err != nil {
			t.Fatal(err)
		}
		if s := fmt.Sprint(got); s != "map[name:[value]]" {
			t.Errorf("%s: %s", format, s)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x",null,true,{"b":"\u00e9"}]}`, `[9223372036854775808]`, `a[b][0]=c&a[b][]=d&e=%20`, `{"a":"\u0000"}`, "\"\xff\""} {
		f.Add("", []byte(s))
		f.Add("form", []byte(s))
	}
	f.Fuzz(func(t *testing.T, format string, raw []byte) {
		before, start := string(raw), time.Now()
		defer func() {
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		}()
		v, err := Decode(format, raw)
		if string(raw) != before {
			t.Fatal("the bytes were changed")
		}
		if err != nil {
			var e *DecodeError
			if v != nil || !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("%v, %v", v, err)
			}
			return
		}
		if len(Shape(v)) > maxShapeBytes {
			t.Fatalf("shape %q", Shape(v))
		}
		if rules := Propose(format+"."+string(raw[:min(len(raw), 10)]), v); rules != "" {
			if _, err := Compile("proposed.yaml", []byte(rules), Options{Connection: "c", Connector: "v"}); err != nil {
				t.Fatalf("%s\n%v", rules, err)
			}
		}
	})
}

var webhook = []byte(`{"eventId":3816279340,"subscriptionId":25,"portalId":33,"appId":1160452,"occurredAt":1700000000000,"subscriptionType":"deal.propertyChange","attemptNumber":0,"objectId":1246965,"changeSource":"CRM_UI","propertyName":"dealstage","propertyValue":"closedwon","sourceId":"userId:123","email":"Ann@Example.com"}`)

func BenchmarkDecode(b *testing.B) {
	b.SetBytes(int64(len(webhook)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode("", webhook); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeForm(b *testing.B) {
	body := []byte("type=subscribe&fired_at=2009-03-26+21%3A35%3A57&data%5Bid%5D=8a25ff1d98&data%5Blist_id%5D=a6b5da1054&data%5Bemail%5D=api%40example.com&data%5Bemail_type%5D=html&data%5Bmerges%5D%5BEMAIL%5D=api%40example.com&data%5Bmerges%5D%5BFNAME%5D=Ann&data%5Bip_opt%5D=10.20.10.30")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(FormatForm, body); err != nil {
			b.Fatal(err)
		}
	}
}
