package expression

import (
	"fmt"
	"slices"
)

// end gives the first or last item of a list.
func end(k key) func(*Machine, []any) (any, error) {
	return func(_ *Machine, args []any) (any, error) {
		list, ok := args[0].([]any)
		if !ok {
			return nil, nil
		}
		v, _ := item(list, k)
		return v, nil
	}
}

// listOf reads a list argument; nil is a missing one.
func listOf(name string, v any) ([]any, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, wants(name, "a list", v)
	}
	return list, nil
}

func take(_ *Machine, args []any) (any, error) {
	list, err := listOf("take", args[0])
	if err != nil || list == nil {
		return nil, err
	}
	k := dynamicKey(args[1])
	if !k.isIndex {
		return nil, wants("take", "a number", args[1])
	}
	n := min(max(k.index, 0), len(list))
	return list[:n:n], nil
}

func reverse(m *Machine, args []any) (any, error) {
	list, err := listOf("reverse", args[0])
	if err != nil || list == nil {
		return nil, err
	}
	if err := m.Grow(bytesPerItem * len(list)); err != nil {
		return nil, err
	}
	out := slices.Clone(list)
	slices.Reverse(out)
	return out, nil
}

func concat(m *Machine, args []any) (any, error) { return m.concat(args) }

// concat joins lists; one that is missing is empty.
func (m *Machine) concat(lists []any) (any, error) {
	n := 0
	for _, v := range lists {
		list, err := listOf("concat", v)
		if err != nil {
			return nil, err
		}
		n += len(list)
		if err := m.Grow(bytesPerItem * len(list)); err != nil {
			return nil, err
		}
	}
	out := make([]any, 0, n)
	for _, v := range lists {
		list, _ := v.([]any)
		out = append(out, list...)
	}
	return out, nil
}

// flatten gives the single values of lists within lists.
func flatten(m *Machine, args []any) (any, error) {
	list, err := listOf("flatten", args[0])
	if err != nil || list == nil {
		return nil, err
	}
	out := []any{}
	if err := m.flatten(&out, list, 0); err != nil {
		return nil, err
	}
	return out, nil
}

func (m *Machine) flatten(out *[]any, list []any, depth int) error {
	if depth > maxValueDepth {
		return errDepth
	}
	for _, v := range list {
		if err := m.step(1); err != nil {
			return err
		}
		if inner, ok := v.([]any); ok {
			if err := m.flatten(out, inner, depth+1); err != nil {
				return err
			}
			continue
		}
		if err := m.Grow(bytesPerItem); err != nil {
			return err
		}
		*out = append(*out, v)
	}
	return nil
}

// uniq keeps the first of equal items. Single values of one kind are compared
// as they are, so 7 and "7" are two.
func uniq(m *Machine, args []any) (any, error) {
	list, err := listOf("uniq", args[0])
	if err != nil || list == nil {
		return nil, err
	}
	out := []any{}
	seen := map[any]bool{}
	for _, v := range list {
		if err := m.Grow(bytesPerItem + bytesPerEntry); err != nil {
			return nil, err
		}
		switch v.(type) {
		case []any, map[string]any:
			again, err := m.in(v, out)
			if err != nil {
				return nil, err
			}
			if again == true {
				continue
			}
		default:
			if seen[v] {
				continue
			}
			seen[v] = true
		}
		out = append(out, v)
	}
	return out, nil
}

// sortItem is an item with the value it is sorted by.
type sortItem struct{ by, item any }

func sorted(m *Machine, args []any) (any, error) {
	list, err := listOf("sort", args[0])
	if err != nil || list == nil {
		return nil, err
	}
	desc := false
	if len(args) == 2 {
		if args[1] != "asc" && args[1] != "desc" {
			return nil, fmt.Errorf(`sort wants "asc" or "desc" as its order, not %s`, describe(args[1]))
		}
		desc = args[1] == "desc"
	}
	if err := m.Grow(2 * bytesPerItem * len(list)); err != nil {
		return nil, err
	}
	items := make([]sortItem, len(list))
	for i, v := range list {
		items[i] = sortItem{v, v}
	}
	return m.sort(items, desc)
}

// sort orders items; equal ones, and those that cannot be compared, keep their
// order.
func (m *Machine) sort(items []sortItem, desc bool) (any, error) {
	if err := m.Grow(bytesPerItem * len(items)); err != nil {
		return nil, err
	}
	var spent error
	slices.SortStableFunc(items, func(a, b sortItem) int {
		if spent != nil {
			return 0
		}
		if spent = m.step(1); spent != nil {
			return 0
		}
		order, _ := Compare(a.by, b.by)
		if desc {
			return -order
		}
		return order
	})
	if spent != nil {
		return nil, spent
	}
	out := make([]any, len(items))
	for i, it := range items {
		out[i] = it.item
	}
	return out, nil
}
