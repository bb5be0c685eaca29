package expression

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The bounds that a hostile expression or body must stay within.
const (
	hostileTime  = 100 * time.Millisecond
	hostileBytes = 64 << 20
)

// Not parallel: it measures what the process allocates.
func TestHostileExpressionsEndInAnError(t *testing.T) {
	long := make([]any, 100_000)
	for i := range long {
		long[i] = "x"
	}
	text := strings.Repeat("a", 1<<20)
	env := []any{map[string]any{"long": long, "text": text, "texts": []any{text, text, text}}, nil}
	doubling := func(first, step string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "let a0 = %s;", first)
		for i := range 60 {
			fmt.Fprintf(&b, "let a%d = %s;", i+1, strings.ReplaceAll(step, "$", fmt.Sprintf("a%d", i)))
		}
		return b.String() + "a60"
	}
	tests := map[string]string{
		"nested repeat":           `repeat(repeat("a", 900000), 900000)`,
		"doubling let":            doubling(`"aaaaaaaaaaaaaaaa"`, "$ + $"),
		"doubling lists":          doubling(`[1, 2, 3, 4]`, "concat($, $)"),
		"doubling plus":           doubling(`[1, 2, 3, 4]`, "$ + $"),
		"doubling flatten":        strings.TrimSuffix(doubling(`[1]`, "[$, $]"), "a60") + "flatten(a60)",
		"doubling equality":       strings.TrimSuffix(doubling(`[1]`, "[$, $]"), "a60") + "a60 == [a59, a59] ? 1 / 0 : 1 / 0",
		"doubling join":           doubling(`"abcd"`, `join([$, $, $], "")`),
		"doubling replace":        doubling(`"aaaa"`, `replace($, "a", "aaaa")`),
		"doubling base64":         doubling(`body.text`, `toBase64($)`),
		"triple loop":             `any(body.long, any(body.long, any(body.long, # == "y")))`,
		"double loop":             `any(body.long, any(body.long, # == "y"))`,
		"double loop with in":     `any(body.long, "y" in body.long)`,
		"loop over a long text":   `any(body.long, body.text contains "b")`,
		"loop with matches":       `any(body.long, body.text matches "(a|b)*c")`,
		"loop with lower":         `any(body.long, lower(body.text) == "y")`,
		"loop with split":         `map(body.long, split(body.text, "a"))`,
		"loop with sort":          `map(body.long, sort(body.long))`,
		"loop with slice":         `map(body.long, body.text[1:])`,
		"loop with equality":      `count(body.long, body.long == body.long) / 0`,
		"loop with text equality": `count(body.long, body.texts[0] == body.texts[1]) / 0`,
		"loop with concat":        `map(body.long, concat(body.long, body.long))`,
		"loop with uniq":          `map(body.long, uniq(body.long))`,
		"loop with min":           `map(body.long, min(body.long))`,
		"growing accumulator":     `reduce(body.long, #acc + "aaaaaaaaaaaaaaaa", "")`,
		"growing list":            `reduce(body.long, #acc + [#], [])`,
		"nested accumulator":      `flatten(reduce(body.long, [#acc, #acc], 1))`,
		"huge concatenation":      "concat(" + strings.Repeat("body.long,", 19) + "body.long)",
		"deep lists":              strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
		"deep not":                strings.Repeat("!", 4000) + "true",
		"deep minus":              strings.Repeat("-", 4000) + "1",
		"deep word not":           strings.Repeat("not ", 1000) + "true",
		"deep power":              strings.Repeat("2 ** ", 800) + "2",
		"deep if":                 strings.Repeat("if true {", 400) + "1" + strings.Repeat("} else {1}", 10),
		"many nodes":              strings.Repeat("1+", 2047) + "1",
		"too long":                strings.Repeat(" ", MaxSource) + "1",
		"range":                   `1..1000000000`,
		"range in a loop":         `map(1..1000000000, 1)`,
		"costly pattern":          `body.text matches "((a{1,20}){1,20}){1,20}b"`,
		"long pattern":            `body.text matches "` + strings.Repeat("a?", 1000) + `"`,
		"wide pattern":            `body.text matches "(a?){900}(b?){900}c"`,
		"pattern from the body":   `body.text matches body.text`,
	}
	for name, src := range tests {
		var err error
		var took time.Duration
		var used uint64
		for range 3 { // another process may have slowed the first one down
			took, used = cost(func() {
				var p *Program
				if p, err = Compile(src, shape); err == nil {
					_, err = p.Run(NewMachine(), env)
				}
			})
			if took < hostileTime {
				break
			}
		}
		t.Logf("%-24s %8v %6d kB %v", name, took.Round(time.Microsecond), used>>10, err)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: no error: %v", name, err)
		}
		if took > slower*hostileTime || used > slower*hostileBytes {
			t.Errorf("%s took %v and %d MB", name, took, used>>20)
		}
	}
}

// cost runs f and gives its time and all bytes that it allocated.
func cost(f func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

// The grammar allows these, and they cost next to nothing.
func TestDeepButHarmlessExpressionsRun(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		strings.Repeat("(", 2000) + "1" + strings.Repeat(")", 2000),
		strings.Repeat("false ? 2 : ", 300) + "1",
		strings.Repeat("0 + ", 300) + "1",
	} {
		if v, err := value(t, src); v != int64(1) || err != nil {
			t.Errorf("%.20s…: %v, %v", src, v, err)
		}
	}
}

// One machine's budget is shared by the programs of a run.
func TestBudgetIsSharedUntilReset(t *testing.T) {
	t.Parallel()
	p, err := Compile(`body + body`, shape)
	if err != nil {
		t.Fatal(err)
	}
	m, env := NewMachine(), []any{strings.Repeat("a", 1<<20), nil}
	for range 2 {
		if _, err := p.Run(m, env); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Run(m, env); !errors.Is(err, ErrBudget) {
		t.Fatal(err)
	}
	m.Reset()
	if _, err := p.Run(m, env); err != nil {
		t.Fatal(err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`any(body.items, .price > 1)`, `let x = body.n; x ?? "a"`, `body.a?.b[1:] matches "x"`, `if a {1} else {2}`, `{a: [1, -2.5]} | get("a")`, `reduce(body.tags, #acc + #, "")`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		p, err := Compile(src, shape)
		if err != nil {
			return
		}
		m := NewMachine()
		v, err := p.Run(m, []any{testBody(), nil})
		if err != nil {
			return
		}
		m.Reset()
		again, err := p.Run(m, []any{testBody(), nil})
		if err != nil || !Equal(v, again) && v == v {
			t.Fatalf("%s gives %v, then %v, %v", src, v, again, err)
		}
	})
}

func BenchmarkCondition(b *testing.B) {
	p, err := Compile(`body.name == "Ann" && body.n >= 7 && body.order.total > 5`, shape)
	if err != nil {
		b.Fatal(err)
	}
	m, env := NewMachine(), []any{testBody(), nil}
	b.ReportAllocs()
	for b.Loop() {
		m.Reset()
		if v, err := p.Run(m, env); v != true || err != nil {
			b.Fatal(v, err)
		}
	}
}
