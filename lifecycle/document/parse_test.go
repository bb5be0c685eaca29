package document

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseGivesValuesWithPlaces(t *testing.T) {
	t.Parallel()
	src := "# a comment of its own\nname: deal won            # and one behind a value\nwhen: |\n  a == 1 &&\n  b == 2\nn: [1, -2.50, true, null, ~, 'x', 0x10, 12345678901234567890]\nm: { a: b, \"c\": d }\nempty:\nt: \"q\"\r\n"
	n, err := Parse("r.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "deal won", "when": "a == 1 &&\nb == 2\n", "empty": nil, "t": "q",
		"n": []any{int64(1), -2.5, true, nil, nil, "x", "0x10", "12345678901234567890"},
		"m": map[string]any{"a": "b", "c": "d"},
	}
	if d := cmp.Diff(want, n.Value()); d != "" {
		t.Error(d)
	}
	when := n.Get("when")
	if l, c := when.At(2, 3); l != 5 || c != 6 || when.Style != Block {
		t.Errorf("second line of the block text is at %d:%d, style %d", l, c, when.Style)
	}
	if m := n.Get("name"); m.Line != 2 || m.Column != 7 || m.Style != Plain {
		t.Errorf("name is at %d:%d", m.Line, m.Column)
	}
	if got := n.Get("t").Style; got != Quoted {
		t.Errorf("style of t is %d", got)
	}
}

func TestParseEmptyFilesAreEmptyMaps(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"", "\n", "# nothing\n", "---\n", "---\n# x\n...\n"} {
		n, err := Parse("f", []byte(src))
		if err != nil || n.Kind != Map || len(n.Entries) != 0 {
			t.Errorf("%q: %v %v", src, n, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, at, says string }{
		{"tag", "when: !seen(\"A:B\")\n", "f:1:7", "tag with !"},
		{"tag in a list", "- a\n- !!str 5\n", "f:2:3", "tag with !"},
		{"anchor", "a: &x 1\n", "f:1:4", "anchor with &"},
		{"alias", "a: 1\nb: *x\n", "f:2:4", "alias with *"},
		{"merge key", "b:\n  <<: {a: 1}\n", "f:2:3", "merge key"},
		{"complex key", "? a\n: b\n", "f:1:1", "complex key"},
		{"directive", "%YAML 1.2\n---\na: 1\n", "f:1:1", "directive"},
		{"doubled key", "a: 1\nb: 2\na: 3\n", "f:3:1", "given twice; first on line 1"},
		{"two documents", "a: 1\n---\nb: 2\n", "f:3:1", "second document"},
		{"text cut short", "name: Deal #7 won\n", "f:1:12", "cuts the text before it short"},
		{"text cut short by one space", "when: a == 1 # b\n", "f:1:14", "two spaces before the #"},
		{"text cut short in flow", "a: {b: c #d\n}\n", "f:1:10", "cuts the text"},
		{"number cut short", "a: 5 #6\n", "f:1:6", "cuts the text"},
		{"quote at the start", "when: \"a\" == b\n", "f:1:11", "in quotes or on the line below a |"},
		{"bracket at the start", "when: [1, 2] contains x\n", "f:1:14", "in quotes or on the line below a |"},
		{"comma in flow", "m: { when: seen(\"A\", \"b\"), x: y }\n", "f:1:22", "in quotes or on the line below a |"},
		{"bare comma in flow", "m: { when: f(a, b), x: y }\n", "f:1:17", "has no value"},
		{"ternary", "when: a ? b : c\n", "f:1:7", "in quotes or on the line below a |"},
		{"reserved character", "when: @a\n", "f:1:7", "YAML reserves"},
		{"open bracket", "a: [1, 2\nb: 3\n", "f:2:1", "never closed"},
		{"open quote", "a: 'x\nb: 3\n", "f:1:4", "quote that is never closed"},
		{"tab", "a:\n\tb: c\n", "f:2:1", "tab in the indentation"},
		{"not UTF-8", "a: b\nb: \xff\n", "f:2:4", "not valid UTF-8"},
		{"NUL", "a: \x00\n", "f:1:4", "U+0000"},
		{"long key", strings.Repeat("k", 300) + ": 1\n", "f:1:1", "key of 300 bytes"},
		{"deep flow", "a: " + strings.Repeat("[", 60) + "\n", "f:1:4", "nested too deeply"},
		{"deep block", strings.Repeat("- ", 60) + "a\n", "f:1:81", "nested too deeply"},
		{"too long", strings.Repeat("#", MaxBytes+1), "f: ", "the limit is 1048576"},
		{"list as a key", "[a]: b\n", "f:1:", "key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := Parse("f", []byte(tt.src))
			var all Errors
			if n != nil || !errors.As(err, &all) {
				t.Fatalf("got %v, %v", n, err)
			}
			got := all[0].Error()
			if len(all) != 1 || !strings.HasPrefix(got, tt.at) || !strings.Contains(got, tt.says) {
				t.Errorf("got\n%v\nwant %s … %s", err, tt.at, tt.says)
			}
		})
	}
}

func TestOpenTellsSyntaxMistakesTogether(t *testing.T) {
	t.Parallel()
	src := strings.Join([]string{
		`name: "x" y`,         // 1
		`rules:`,              // 2
		`  - name: [a`,        // 3
		`    when: a ? b : c`, // 4
		`  - name: ok`,        // 5
		`    when: !x`,        // 6
		`    nmae: 1`,         // 7
		`last: 'never closed`, // 8
		`# end`, ``}, "\n")
	r := Open("f.yaml", []byte(src))
	r.Text("name")
	r.List("rules", func(rule *Reader) {
		rule.Text("name")
		rule.Condition("when")
		rule.Unknown()
	})
	r.Text("last")
	r.Unknown()
	var all Errors
	if !errors.As(r.Err(), &all) {
		t.Fatal(r.Err())
	}
	var lines []int
	for _, e := range all {
		lines = append(lines, e.Line)
	}
	if d := cmp.Diff([]int{1, 4, 6, 7, 8}, lines); d != "" {
		t.Errorf("%s\n%v", d, r.Err())
	}
}

// Not parallel, since it measures the process. The limits hold time and memory for the worst files that pass them.
func TestParseHostileFilesAreCheap(t *testing.T) {
	tests := map[string]string{
		"brackets":    strings.Repeat("[", MaxBytes-1),
		"dashes":      strings.Repeat("- ", MaxBytes/2-1),
		"maps":        strings.Repeat("{a: ", MaxBytes/4-1),
		"tags":        strings.Repeat("!a ", MaxBytes/3-1),
		"anchors":     strings.Repeat("&a ", MaxBytes/3-1),
		"empty items": strings.Repeat("-\n", 19_000),
		"empty values": func() string {
			var b strings.Builder
			for i := range 19_000 {
				b.WriteString("k" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + ":\n")
			}
			return b.String()
		}(),
		"keys at the limit": numbered(maxKeys, "k%d: v\n"),
		"many keys":         numbered(20_000, "k%d: v\n"),
		"many maps":         strings.Repeat("- a: 1\n  b: 2\n", 6_000),
		"many keys below":   "a:\n" + numbered(13_000, "  k%d: v\n"),
		"keys in flow":      "a: {" + numbered(13_000, "k%d: v, ") + "}\n",
		"maps of maps":      numbered(maxKeys-1, "k%d:\n  a: 1\n  b: 2\n  c: 3\n"),
		"long paths":        strings.Repeat("k", 190) + ":\n" + strings.Repeat(" - x\n", 19_000),
		"wide flow":         "a: [" + strings.Repeat("1,", 19_000) + "]\n",
		"errors":            strings.Repeat("a: b: c\n", 10_000),
		"open quotes":       strings.Repeat("a: 'x\n", 10_001),
	}
	for name, src := range tests {
		var took time.Duration
		var used uint64
		for range 5 { // another process may have slowed the first one down
			if took, used = cost(func() { Parse("f", []byte(src)) }); took < hostileTime {
				break
			}
		}
		t.Logf("%-14s %8v %6d kB", name, took.Round(time.Microsecond), used>>10)
		if took > slower*hostileTime || used > slower*hostileBytes {
			t.Errorf("%s took %v and %d MB", name, took, used>>20)
		}
	}
}

// numbered repeats a line with its number.
func numbered(n int, line string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, line, i)
	}
	return b.String()
}

// The bounds for a hostile file.
const (
	hostileTime  = 100 * time.Millisecond
	hostileBytes = 64 << 20
)

// cost runs f and gives its processor time, that of the collector included, and
// all bytes that it allocated.
func cost(f func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cpuTime()
	f()
	took := cpuTime() - start
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: [b, {c: 'd'}]\ne: |\n  f\n"))
	f.Add([]byte("when: a ? b : c\nx: !y\n- z\n"))
	f.Add([]byte("a: 'x\nb: [\nc: {d"))
	f.Fuzz(func(t *testing.T, src []byte) {
		n, err := Parse("f", src)
		if (n == nil) == (err == nil) {
			t.Fatalf("node %v, error %v", n, err)
		}
		if err == nil {
			n.Value()
		}
	})
}
