package jobs_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/scanner"
	"time"
)

// bruteCondition and bruteValue are parts of a condition as the brute force
// reads it.
type (
	bruteCondition func(*bruteLife) bool
	bruteValue     func(*bruteLife) any
)

// bruteParser reads one condition, a token at a time.
type bruteParser struct {
	t     testing.TB
	src   string
	s     scanner.Scanner
	token string
	kind  rune
	spans map[int64]bool
}

// parseBrute reads a condition and adds the spans of time in it to spans.
func parseBrute(t testing.TB, src string, spans map[int64]bool) bruteCondition {
	t.Helper()
	p := &bruteParser{t: t, src: src, spans: spans}
	p.s.Init(strings.NewReader(src))
	p.s.Mode = scanner.ScanIdents | scanner.ScanFloats | scanner.ScanStrings
	p.advance()
	c := p.or()
	if p.kind != scanner.EOF {
		p.fail("the end")
	}
	return c
}

func (p *bruteParser) fail(want string) {
	p.t.Helper()
	p.t.Fatalf("the brute force cannot read this condition at %s: want %s, have %q in:\n%s", p.s.Position, want, p.token, p.src)
}

// advance goes to the next token; operators of two runes are one.
func (p *bruteParser) advance() {
	p.kind = p.s.Scan()
	p.token = p.s.TokenText()
	switch {
	case strings.ContainsRune("|&", p.kind), strings.ContainsRune("!=<>", p.kind) && p.s.Peek() == '=':
		p.s.Next()
		p.token += map[rune]string{'|': "|", '&': "&"}[p.kind]
		if len(p.token) == 1 {
			p.token += "="
		}
	}
}

// eat takes a token if it is the one named.
func (p *bruteParser) eat(token string) bool {
	if p.kind == scanner.String || p.token != token {
		return false
	}
	p.advance()
	return true
}

func (p *bruteParser) must(token string) {
	p.t.Helper()
	if !p.eat(token) {
		p.fail(token)
	}
}

func (p *bruteParser) or() bruteCondition {
	c := p.and()
	for p.eat("||") {
		a, b := c, p.and()
		c = func(l *bruteLife) bool { return a(l) || b(l) }
	}
	return c
}

func (p *bruteParser) and() bruteCondition {
	c := p.not()
	for p.eat("&&") {
		a, b := c, p.not()
		c = func(l *bruteLife) bool { return a(l) && b(l) }
	}
	return c
}

func (p *bruteParser) not() bruteCondition {
	switch {
	case p.eat("!"):
		c := p.not()
		return func(l *bruteLife) bool { return !c(l) }
	case p.eat("("):
		c := p.or()
		p.must(")")
		return c
	}
	if p.kind == scanner.Ident {
		name := p.token
		switch name {
		case "traits", "stage", "stage_of", "source", "count", "sum", "days_until", "days_since", "true", "false", "nil":
		default:
			p.advance()
			return p.call(name)
		}
	}
	return p.comparison()
}

// call reads a yes/no function.
func (p *bruteParser) call(name string) bruteCondition {
	if name == "before" || name == "after" {
		return p.instant(name)
	}
	args := p.arguments()
	text := func(i int) string { return args[i].(string) }
	span := func(i int) int64 {
		s := bruteSpan(p.t, text(i))
		p.spans[s] = true
		return s
	}
	switch name {
	case "seen":
		event := text(0)
		return func(l *bruteLife) bool { return len(l.named[event]) > 0 }
	case "at_least":
		event, n, w := text(0), int(args[1].(float64)), span(2)
		return func(l *bruteLife) bool { return l.times(event, w) >= n }
	case "within":
		event, w := text(0), span(1)
		return func(l *bruteLife) bool { return l.times(event, w) > 0 }
	case "idle":
		event, w := text(0), span(1)
		return func(l *bruteLife) bool { return len(l.named[event]) > 0 && l.times(event, w) == 0 }
	case "never":
		event, w := text(0), span(1)
		return func(l *bruteLife) bool {
			return len(l.read) > 0 && len(l.named[event]) == 0 && l.read[0].at+w <= l.now
		}
	case "inactive":
		w := span(0)
		return func(l *bruteLife) bool { return l.inactive(w) }
	case "has_been":
		trait, want, w := text(0), args[1], span(2)
		return func(l *bruteLife) bool { return l.hasBeen(trait, want, w) }
	case "was":
		stage := text(0)
		return func(l *bruteLife) bool { return l.was(stage) }
	case "left":
		stage, w := text(0), span(1)
		return func(l *bruteLife) bool { return l.left(stage, w) }
	case "in_stage_for":
		w := span(0)
		return func(l *bruteLife) bool { return l.stage() != "" && l.since()+w <= l.now }
	}
	p.t.Fatalf("the brute force does not know the function %s", name)
	return nil
}

// arguments reads constants in parentheses.
func (p *bruteParser) arguments() (args []any) {
	p.must("(")
	for !p.eat(")") {
		args = append(args, p.constant())
		p.eat(",")
	}
	return args
}

func (p *bruteParser) constant() any {
	if p.eat("-") {
		n, _ := p.constant().(float64)
		return -n
	}
	token, kind := p.token, p.kind
	p.advance()
	switch {
	case kind == scanner.String:
		s, err := strconv.Unquote(token)
		if err != nil {
			p.t.Fatal(err)
		}
		return s
	case kind == scanner.Int, kind == scanner.Float:
		f, err := strconv.ParseFloat(token, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		return f
	case token == "true", token == "false":
		return token == "true"
	case token == "nil":
		return nil
	}
	p.fail("a constant")
	return nil
}

// comparison reads operand op operand, operand in [...], or a trait alone.
func (p *bruteParser) comparison() bruteCondition {
	a := p.operand()
	op := p.token
	if p.eat("in") {
		p.must("[")
		var list []any
		for !p.eat("]") {
			list = append(list, p.constant())
			p.eat(",")
		}
		return func(l *bruteLife) bool {
			return slices.ContainsFunc(list, func(want any) bool { return bruteEqual(a(l), want) })
		}
	}
	switch op {
	case "==", "!=":
		p.advance()
		b := p.operand()
		return func(l *bruteLife) bool { return bruteEqual(a(l), b(l)) == (op == "==") }
	case "<", "<=", ">", ">=":
		p.advance()
		b := p.operand()
		return func(l *bruteLife) bool {
			x, okX := bruteNumber(a(l))
			y, okY := bruteNumber(b(l))
			if !okX || !okY {
				return false
			}
			switch op {
			case "<":
				return x < y
			case "<=":
				return x <= y
			case ">":
				return x > y
			}
			return x >= y
		}
	}
	return func(l *bruteLife) bool { return a(l) == true }
}

func (p *bruteParser) operand() bruteValue {
	switch {
	case p.eat("traits"):
		p.must(".")
		name := p.token
		p.advance()
		return func(l *bruteLife) any { return l.trait(name) }
	case p.eat("days_until"):
		return p.days(1)
	case p.eat("days_since"):
		return p.days(-1)
	case p.eat("stage"):
		return func(l *bruteLife) any { return l.stage() }
	case p.eat("stage_of"):
		id := strings.TrimPrefix(p.arguments()[0].(string), "main")
		return func(l *bruteLife) any { return l.courses[id].stage() }
	case p.eat("source"):
		return func(l *bruteLife) any { return l.source() }
	case p.eat("count"):
		event := p.arguments()[0].(string)
		return func(l *bruteLife) any { return float64(len(l.named[event])) }
	case p.eat("sum"):
		args := p.arguments()
		event, currency := args[0].(string), args[1].(string)
		return func(l *bruteLife) any { return float64(l.sum(event, currency)) / 1e6 }
	}
	value := p.constant()
	return func(*bruteLife) any { return value }
}

func bruteEqual(a, b any) bool {
	x, okX := bruteNumber(a)
	y, okY := bruteNumber(b)
	return a == b || okX && okY && x == y
}

// bruteNumber reads a number, or a text that is one.
func bruteNumber(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case string:
		f, err := strconv.ParseFloat(x, 64)
		return f, err == nil
	}
	return 0, false
}

// bruteSpan reads a span of time such as 30d, in microseconds.
func bruteSpan(t testing.TB, s string) int64 {
	t.Helper()
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	n, err := strconv.Atoi(s[:len(s)-1])
	unit := units[s[len(s)-1:]]
	if err != nil || unit == 0 {
		t.Fatalf("the brute force cannot read the span %q", s)
	}
	return int64(n) * unit.Microseconds()
}
