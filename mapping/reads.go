package mapping

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/expression"
)

// reads tells whether a program reads a variable or something below it.
func reads(p *expression.Program, variable string) bool {
	return slices.ContainsFunc(p.Reads(), func(path string) bool { return below(path, variable) })
}

// below tells whether a path is a variable or starts at it.
func below(path, variable string) bool {
	rest, ok := strings.CutPrefix(path, variable)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// fromRecord tells whether an expression reads the record, be it as the item of
// a list of the record.
func fromRecord(x, each *expr) bool {
	if x == nil {
		return false
	}
	return reads(x.Program, "record") || each != nil && reads(x.Program, "item") && reads(each.Program, "record")
}

// reads gives the paths of all expressions of a rule, with item replaced by
// what it stands for.
func (r *rule) reads() []string {
	var paths []string
	item := ""
	if r.each != nil && r.each.Path() != "" {
		item = r.each.Path() + "[]"
	}
	add := func(x *expr) {
		if x == nil {
			return
		}
		for _, p := range x.Reads() {
			if below(p, "item") {
				if item == "" {
					continue
				}
				p = item + strings.TrimPrefix(p, "item")
			}
			paths = append(paths, p)
		}
	}
	add(r.when)
	add(r.each)
	for _, e := range r.emits {
		for _, x := range []*expr{e.key, e.at, e.amount, e.currency, e.stage} {
			add(x)
		}
		for _, list := range [][]named{e.identity, e.traits, e.properties} {
			for _, n := range list {
				add(n.expr)
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Present tells whether a path that a rule reads leads anywhere in a raw event.
// Of a list one item that has it is enough; a value of null is there.
func Present(in *Input, path string) bool {
	switch {
	case below(path, "body"):
		return present(in.Body, strings.TrimPrefix(path, "body"))
	case below(path, "record"):
		return present(in.Record, strings.TrimPrefix(path, "record"))
	case below(path, "headers"):
		headers := make(map[string]any, len(in.Headers))
		for k, v := range in.Headers {
			headers[k] = v
		}
		return present(headers, strings.TrimPrefix(path, "headers"))
	}
	return path == "type"
}

func present(v any, rest string) bool {
	switch {
	case rest == "":
		return true
	case strings.HasPrefix(rest, "[]"):
		list, _ := v.([]any)
		return slices.ContainsFunc(list, func(item any) bool { return present(item, rest[2:]) })
	}
	if quoted, err := strconv.QuotedPrefix(rest[1:]); err == nil && rest[0] == '[' {
		name, _ := strconv.Unquote(quoted)
		m, _ := v.(map[string]any)
		next, ok := m[name]
		return ok && present(next, rest[len(quoted)+2:])
	}
	name := rest[1:]
	if i := strings.IndexAny(name, ".["); i >= 0 {
		name, rest = name[:i], name[i:]
	} else {
		rest = ""
	}
	m, _ := v.(map[string]any)
	next, ok := m[name]
	return ok && present(next, rest)
}
