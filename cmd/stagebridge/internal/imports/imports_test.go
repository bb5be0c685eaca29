package imports_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/imports"
)

func read(t *testing.T, text string, o imports.Options) []string {
	t.Helper()
	r, err := imports.NewReader(strings.NewReader(text), o)
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	for {
		row, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			return append(all, "end: "+err.Error())
		case row.Err != nil:
			all = append(all, fmt.Sprintf("%d: %v", row.Line, row.Err))
		default:
			all = append(all, fmt.Sprintf("%d %s", row.Line, row.Body))
		}
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		o          imports.Options
		want       []string
	}{
		{"csv", "\ufeffid, email\r\n1,ann@example.com\n2,\n\n3,\"a \"\"b\"\"\nc\"\n4,x\n", imports.Options{},
			[]string{`2 {"email":"ann@example.com","id":"1"}`, `3 {"id":"2"}`, `5 {"email":"a \"b\"\nc","id":"3"}`, `7 {"email":"x","id":"4"}`}},
		{"csv with bad rows", "id,email\n1\n2,a,b\n3,\xff\n4,b\"ad\n5,ok\n", imports.Options{},
			[]string{"2: it has 1 columns, want 2", "3: it has 3 columns, want 2", "4: it is not valid UTF-8", `5: it has a " inside a value that does not begin with one`, `6 {"email":"ok","id":"5"}`}},
		{"semicolons, no header", "1;2\n", imports.Options{Separator: ';', Columns: []string{"a", "b"}}, []string{`1 {"a":"1","b":"2"}`}},
		{"blanks", " 00004 0001 19970101  2   29.33\r\n\n 1 2\n", imports.Options{Separator: ' ', Columns: []string{"m", "id", "day", "n", "usd"}},
			[]string{`1 {"day":"19970101","id":"0001","m":"00004","n":"2","usd":"29.33"}`, "3: it has 2 columns, want 5"}},
		{"blanks with a header", "a b\n1 2\n", imports.Options{Separator: ' '}, []string{`2 {"a":"1","b":"2"}`}},
		{"lines", "{\"a\":1}\n\n[1]\nnope\n{\"b\":\"\xff\"}\n{\"c\":{}}", imports.Options{Format: imports.Lines},
			[]string{`1 {"a":1}`, "3: it is no JSON object", "4: it is not JSON", "5: it is not valid UTF-8", `6 {"c":{}}`}},
		{"empty", "", imports.Options{}, []string{"imports: the file is empty"}},
		{"a column twice", "a,a\n", imports.Options{}, []string{`imports: two columns are called "a"`}},
		{"a column without a name", "a,,b\n", imports.Options{}, []string{"imports: column 2 has no name"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, read(t, tt.text, tt.o)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestALineThatNeverEnds costs that line alone, and no memory beyond the bound.
func TestALineThatNeverEnds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	for name, tt := range map[string]struct {
		text string
		o    imports.Options
		want []string
	}{
		"lines":  {`{"a":"` + long + "\"}\n{}\n", imports.Options{Format: imports.Lines}, []string{"1: it is longer than 4194304 bytes", "2 {}"}},
		"csv":    {"a\n" + long + "\n1\n", imports.Options{}, []string{"2: it is longer than 4194304 bytes", `3 {"a":"1"}`}},
		"blanks": {"a\n1\n" + long, imports.Options{Separator: ' '}, []string{`2 {"a":"1"}`, "3: it is longer than 4194304 bytes"}},
	} {
		if diff := cmp.Diff(tt.want, read(t, tt.text, tt.o)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAnUnclosedQuote costs the line in which it is opened and no other.
func TestAnUnclosedQuote(t *testing.T) {
	t.Parallel()
	const rows = 3000
	for name, tt := range map[string]struct{ bad, last, why string }{
		"nothing closes it":               {`50,"bad`, "", "a quote is opened here that nothing closes"},
		"a later value in quotes ends it": {`50,"bad`, `90,"fine"`, "a quote is opened here that ends in the middle of line 92"},
		"a later quote ends it":           {`50,"bad`, `90,"`, "a quote is opened here and closed in line 92; as one row it has 2 columns, want 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			columns := imports.Options{Columns: []string{"n", "name"}}
			if tt.why[len(tt.why)-1] == '3' {
				columns.Columns = append(columns.Columns, "more")
			}
			rest := strings.Repeat(",x", len(columns.Columns)-1)
			var text strings.Builder
			for n := range rows {
				switch {
				case n == 50:
					text.WriteString(tt.bad + "\n")
				case n == 90 && tt.last != "":
					text.WriteString(tt.last + "\n")
				default:
					fmt.Fprintf(&text, "%d%s\n", n, rest)
				}
			}
			good, said := 0, map[string]string{}
			for _, row := range read(t, text.String(), columns) {
				line, why, bad := strings.Cut(row, ": ")
				if strings.Contains(line, "{") || !bad {
					good++
					continue
				}
				said[line] = why
			}
			if want := strings.Replace(tt.why, "line 92", "line 91", 1); said["51"] != want || good+len(said) != rows || len(said) > 2 {
				t.Errorf("%d good, refused %v, want %s", good, said, want)
			}
		})
	}
}

// TestRowsOfManyLines reads values that hold line ends, commas and quotes.
func TestRowsOfManyLines(t *testing.T) {
	t.Parallel()
	got := read(t, "a,b\r\n\"x\r\n\r\ny, \"\"z\"\"\",1\r\n\"\",\"2\"\r\n\"3\",\"\"\"\"\n", imports.Options{})
	if diff := cmp.Diff([]string{`2 {"a":"x\n\ny, \"z\"","b":"1"}`, `5 {"b":"2"}`, `6 {"a":"3","b":"\""}`}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	for _, tt := range []struct{ text, layout, want string }{
		{"2026-01-10T09:15:00Z", "", "2026-01-10T09:15:00Z"},
		{"2026-01-10T09:15:00.5+01:00", "", "2026-01-10T08:15:00.5Z"},
		{"2026-01-10 09:15", "", "2026-01-10T08:15:00Z"},
		{"2026-07-10", "", "2026-07-09T22:00:00Z"},
		{"19970101", "", "1996-12-31T23:00:00Z"},
		{"1768036500", "", "2026-01-10T09:15:00Z"},
		{"1768036500123", "", "2026-01-10T09:15:00.123Z"},
		{"10.01.2026", "02.01.2006", "2026-01-09T23:00:00Z"},
		{"2026-01-10", "02.01.2006", "when is \"2026-01-10\", want the form 02.01.2006"},
		{"yesterday", "", `when is "yesterday", want a date, a time, or a number since 1970`},
		{"", "", `when is "", want a date, a time, or a number since 1970`},
	} {
		m := imports.Mapper{Type: "x", TimeColumn: "when", Layout: tt.layout, Zone: berlin}
		e, err := m.Event(&imports.Row{Line: 1, Body: fmt.Appendf(nil, `{"when":%q}`, tt.text)})
		got := e.At.Time().Format(time.RFC3339Nano)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q by %q: %s, want %s", tt.text, tt.layout, got, tt.want)
		}
	}
}

func TestRowsAreToldApart(t *testing.T) {
	t.Parallel()
	event := func(m imports.Mapper, line int64, body string) (key [32]byte, kind, failed string) {
		e, err := m.Event(&imports.Row{Line: line, Body: []byte(body)})
		if err != nil {
			failed = err.Error()
		}
		return e.Dedupe, e.Type, failed
	}
	byContent := imports.Mapper{Type: "order"}
	a, _, _ := event(byContent, 1, `{"id":1,"to":{"b": 1}}`)
	b, _, _ := event(byContent, 2, `{"id":2,"to":{"b": 1}}`)
	again, _, _ := event(byContent, 7, ` { "to": {"b":1},  "id":1}`)
	if a == b || a != again {
		t.Error("without a key the whole row tells events apart, wherever and however it is written")
	}
	if other, _, _ := event(imports.Mapper{Type: "refund"}, 1, `{"id":1,"to":{"b": 1}}`); other == a {
		t.Error("rows of another type are other events")
	}
	byKey := imports.Mapper{TypeColumn: "kind", KeyColumn: "id"}
	a, kind, _ := event(byKey, 1, `{"id":12345678901234567890,"kind":"order"}`)
	b, _, _ = event(byKey, 9, `{"id":"12345678901234567890","kind":"order","more":1}`)
	if a != b || kind != "order" {
		t.Errorf("one key in two rows is one event; kind %q", kind)
	}
	for body, want := range map[string]string{
		`{"kind":"order"}`: "it has no id, which tells rows apart", `{"id":1,"kind":null}`: "it has no kind, which names the event's type",
	} {
		if _, _, failed := event(byKey, 1, body); failed != want {
			t.Errorf("%s: %q, want %q", body, failed, want)
		}
	}
}

// TestRepeats: whatever is put between and behind the rows of a file, its rows
// keep their keys, and equal rows of one file have different ones.
func TestRepeats(t *testing.T) {
	t.Parallel()
	keys := func(t *rapid.T, rows []int) map[[32]byte]int {
		var text strings.Builder
		for _, n := range rows {
			fmt.Fprintf(&text, "{\"n\":%d}\n", n)
		}
		open := func() *imports.Reader {
			r, err := imports.NewReader(strings.NewReader(text.String()), imports.Options{Format: imports.Lines})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		m := imports.Mapper{Type: "x"}
		var err error
		if m.Repeats, err = imports.FindRepeats(context.Background(), open(), &m, int64(text.Len()), nil); err != nil || m.Repeats.Rows() != int64(len(rows)) {
			t.Fatalf("%v, %d rows", err, m.Repeats.Rows())
		}
		all, r := map[[32]byte]int{}, open()
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			e, err := m.Event(&row)
			if err != nil {
				t.Fatal(err)
			}
			all[e.Dedupe]++
		}
		return all
	}
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 20).Draw(t, "rows")
		more := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 5).Draw(t, "more")
		before := keys(t, rows)
		after := keys(t, rapid.Permutation(append(slices.Clone(rows), more...)).Draw(t, "after"))
		if len(before) != len(rows) || len(after) != len(rows)+len(more) {
			t.Fatalf("%d and %d keys of %d and %d rows", len(before), len(after), len(rows), len(rows)+len(more))
		}
		for key := range before {
			if after[key] != 1 {
				t.Fatal("a row of the shorter file is none of the longer one")
			}
		}
	})
}

func FuzzRows(f *testing.F) {
	f.Add("a,b\n1,\"2\"\n", ",", false)
	f.Add(" 1 2 \n", " ", false)
	f.Add("{\"a\":1}\n", "", true)
	f.Fuzz(func(t *testing.T, text, separator string, lines bool) {
		o := imports.Options{Columns: []string{"a", "b"}}
		if separator == " " {
			o.Separator = ' '
		}
		if lines {
			o.Format = imports.Lines
		}
		r, err := imports.NewReader(strings.NewReader(text), o)
		if err != nil {
			return
		}
		m := imports.Mapper{Type: "x", TimeColumn: "a", KeyColumn: "b"}
		for range len(text) + 2 {
			row, err := r.Next()
			if err != nil {
				return
			}
			_, _ = m.Event(&row)
		}
		t.Fatal("more rows than bytes")
	})
}
