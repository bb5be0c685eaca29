package expression

import "strings"

// text makes a function from text to text.
func text(name string, f func(string) string) Func {
	return fixed(1, func(m *Machine, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return missingOr(name, args[0])
		}
		if err := m.Grow(2 * len(s)); err != nil {
			return nil, err
		}
		return f(s), nil
	})
}

// trim makes a function that cuts a second text off the first; alone is for one
// argument.
func trim(name string, alone func(string) string, cut func(s, what string) string) Func {
	least := 1
	if alone == nil {
		least = 2
	}
	return Func{least, 2, func(m *Machine, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return missingOr(name, args[0])
		}
		if err := m.work(len(s)); err != nil {
			return nil, err
		}
		if len(args) == 1 {
			return alone(s), nil
		}
		what, ok := args[1].(string)
		if !ok {
			return nil, wants(name, "a text to cut off", args[1])
		}
		if err := m.work(len(what)); err != nil {
			return nil, err
		}
		return cut(s, what[:min(len(what), 1024)]), nil
	}}
}

func has(f func(s, part string) bool) Func {
	return fixed(2, func(m *Machine, args []any) (any, error) {
		s, ok := args[0].(string)
		part, ok2 := args[1].(string)
		return ok && ok2 && f(s, part), m.work(len(part))
	})
}

func index(name string, f func(s, part string) int) Func {
	return fixed(2, func(m *Machine, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return missingOr(name, args[0])
		}
		part, ok := args[1].(string)
		if !ok {
			return nil, wants(name, "a text to look for", args[1])
		}
		if err := m.work(len(s) + len(part)); err != nil {
			return nil, err
		}
		return int64(f(s, part)), nil
	})
}

func split(m *Machine, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return missingOr("split", args[0])
	}
	sep, ok := args[1].(string)
	if !ok || sep == "" {
		return nil, wants("split", "a text to split at", args[1])
	}
	most := -1
	if len(args) == 3 {
		if k := dynamicKey(args[2]); k.isIndex && k.index > 0 {
			most = k.index
		}
	}
	if err := m.work(len(s)); err != nil {
		return nil, err
	}
	if err := m.Grow((strings.Count(s, sep) + 1) * 2 * bytesPerItem); err != nil {
		return nil, err
	}
	parts := strings.SplitN(s, sep, most)
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

// join joins the single values of a list; what is missing is left out.
func join(m *Machine, args []any) (any, error) {
	list, ok := args[0].([]any)
	if !ok {
		if args[0] == nil {
			return nil, nil
		}
		return nil, wants("join", "a list", args[0])
	}
	glue := ""
	if len(args) == 2 {
		if glue, ok = args[1].(string); !ok {
			return nil, wants("join", "a text to put in between", args[1])
		}
	}
	var b strings.Builder
	for _, v := range list {
		if v == nil {
			continue
		}
		s, err := toText(m, []any{v})
		if err != nil {
			return nil, err
		}
		if err := m.Grow(2*(len(s.(string))+len(glue)) + 1); err != nil {
			return nil, err
		}
		if b.Len() > 0 {
			b.WriteString(glue)
		}
		b.WriteString(s.(string))
	}
	return b.String(), nil
}

func replace(m *Machine, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return missingOr("replace", args[0])
	}
	old, ok := args[1].(string)
	with, ok2 := args[2].(string)
	if !ok || !ok2 || old == "" {
		return nil, wants("replace", "a text to look for and one to put there", args[1])
	}
	most := -1
	if len(args) == 4 {
		if k := dynamicKey(args[3]); k.isIndex {
			most = k.index
		}
	}
	if err := m.work(len(s)); err != nil {
		return nil, err
	}
	n := strings.Count(s, old)
	if most >= 0 {
		n = min(n, most)
	}
	if err := m.Grow(len(s) + n*max(len(with)-len(old), 0)); err != nil {
		return nil, err
	}
	return strings.Replace(s, old, with, most), nil
}
