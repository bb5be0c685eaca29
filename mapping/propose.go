package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

const (
	maxProposeDepth = 4   // levels of a body that are looked at
	maxProposeLeafs = 400 // values that are looked at
	maxProposeName  = 100 // bytes of a name or type
)

// Propose writes a first rule, in YAML, for an event that no rule matches. It
// is a guess from the names and values of one body, and compiles as it stands;
// comments say where a person has to decide.
func Propose(typ string, body any) string {
	g := guess{}
	g.look("body", "", body, 0)
	name := strings.TrimSpace(cleanName(typ))
	if name == "" {
		name = "new rule"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rules:\n  - name: %s\n    type: %s\n    emit:\n", quote(name), quote(proposeType(typ)))
	fmt.Fprintf(&b, "      # Take the name from the vocabulary where one fits.\n      event: %s\n", proposeEvent(typ))
	if g.id != "" {
		fmt.Fprintf(&b, "      key: %s\n", quote(g.id))
	}
	if g.at != "" {
		fmt.Fprintf(&b, "      at: %s\n", quote(g.at))
	}
	if len(g.identity) == 0 {
		b.WriteString("      # No identifier of a person was found; say where it is.\n")
		g.identity = append(g.identity, [2]string{"email", "body.email"})
	}
	b.WriteString("      identity:\n")
	for _, pair := range g.identity {
		fmt.Fprintf(&b, "        %s: %s\n", pair[0], quote(pair[1]))
	}
	return b.String()
}

// guess collects what the values of a body seem to be. The first find of each
// kind counts.
type guess struct {
	identity [][2]string
	at, id   string
	leafs    int
}

// look walks a body in the order of the names. path is the expression that
// reads v, and name its own name.
func (g *guess) look(path, name string, v any, depth int) {
	switch x := v.(type) {
	case map[string]any:
		if depth == maxProposeDepth {
			return
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			if len(k) > maxProposeName || strings.Contains(strconv.Quote(k), `\`) {
				continue // no field's name
			}
			g.look(path+memberOf(k), k, x[k], depth+1)
		}
	case []any:
		if len(x) > 0 && depth < maxProposeDepth {
			g.look(path+"[0]", name, x[0], depth+1)
		}
	default:
		if g.leafs++; g.leafs <= maxProposeLeafs {
			g.leaf(path, strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name)), v, depth)
		}
	}
}

func (g *guess) leaf(path, name string, v any, depth int) {
	text, _ := v.(string)
	switch {
	case strings.Contains(name, "email") && strings.Contains(text, "@"):
		g.key(lifecycle.NamespaceEmail, path, v)
	case name == "userid" || name == "externalid":
		g.key(lifecycle.NamespaceUser, path, v)
	case name == "anonymousid":
		g.key(lifecycle.NamespaceAnonymous, path, v)
	case strings.Contains(name, "phone") && strings.HasPrefix(text, "+"):
		g.key(lifecycle.NamespacePhone, path, v)
	case g.id == "" && depth <= 1 && (name == "id" || name == "eventid" || name == "messageid" || name == "objectid"):
		g.id = path
	case g.at == "" && timeName(name):
		g.at = timeExpression(path, v)
	}
}

func (g *guess) key(namespace, path string, v any) {
	if slices.ContainsFunc(g.identity, func(p [2]string) bool { return p[0] == namespace }) {
		return
	}
	text, ok := v.(string)
	if n, whole := v.(int64); whole {
		text, ok = strconv.FormatInt(n, 10), true
	}
	if _, usable := lifecycle.NormaliseKey(namespace, text); ok && usable {
		g.identity = append(g.identity, [2]string{namespace, path})
	}
}

func timeName(name string) bool {
	for _, part := range []string{"timestamp", "occurredat", "createdat", "created", "firedat", "eventtime", "receivedat", "sentat", "updatedat", "time", "date", "ts"} {
		if name == part {
			return true
		}
	}
	return false
}

// timeExpression reads a value as a time by its size or form, "" for neither.
func timeExpression(path string, v any) string {
	switch x := v.(type) {
	case string:
		if _, ok := expression.ParseTime(x); ok {
			return "parseTime(" + path + ")"
		}
		if n, err := strconv.ParseInt(x, 10, 64); err == nil {
			return timeExpression(path, n)
		}
	case float64:
		return timeExpression(path, int64(x))
	case int64:
		// The years 2001 to 2286 in seconds, milliseconds and microseconds.
		switch {
		case x >= 1e9 && x < 1e10:
			return "fromUnix(" + path + ")"
		case x >= 1e12 && x < 1e13:
			return "fromUnixMilli(" + path + ")"
		case x >= 1e15 && x < 1e16:
			return "fromUnixMicro(" + path + ")"
		}
	}
	return ""
}

// memberOf spells the access to a member.
func memberOf(name string) string {
	for i, r := range name {
		if r != '_' && !(r < unicode.MaxASCII && unicode.IsLetter(r)) && (i == 0 || r < '0' || r > '9') {
			return "[" + strconv.Quote(name) + "]"
		}
	}
	if name == "" || slices.Contains([]string{"not", "in", "and", "or", "let", "if", "else", "matches", "contains", "startsWith", "endsWith"}, name) {
		return "[" + strconv.Quote(name) + "]"
	}
	return "." + name
}

// proposeType gives a type that a rule may name: one that is too long, or has a
// * inside, becomes its start.
func proposeType(typ string) string {
	start, _, starred := strings.Cut(cleanName(typ), "*")
	start = strings.TrimSpace(start)
	if starred || len(typ) > maxProposeName || start == "" {
		start += "*"
	}
	return start
}

// proposeEvent makes Category:Name of a vendor's type: contact.created becomes
// Contact:Created.
func proposeEvent(typ string) string {
	words := strings.FieldsFunc(cleanName(typ), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	var kept []string
	for _, w := range words {
		if c := w[0]; c >= '0' && c <= '9' {
			continue
		}
		kept = append(kept, strings.ToUpper(w[:1])+w[1:])
	}
	switch len(kept) {
	case 0:
		return "Custom:Happened"
	case 1:
		kept = []string{"Custom", kept[0]}
	}
	name := kept[0] + ":" + strings.Join(kept[1:], " ")
	if !validEvent(name) {
		return "Custom:Happened"
	}
	return name
}

// cleanName keeps what can stand on one line.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxProposeName {
		s = strings.ToValidUTF8(s[:maxProposeName], "")
	}
	return s
}

// quote writes a text as a single-quoted YAML scalar where a plain one would
// not do.
func quote(s string) string {
	s = strings.ToValidUTF8(s, "?")
	plain := s != ""
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789._()/-", r)) {
			plain = false
		}
	}
	if lower := strings.ToLower(s); plain && lower != "true" && lower != "false" && lower != "null" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
