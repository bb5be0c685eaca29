package document

import (
	"slices"
	"strconv"
	"strings"
)

// Change says what became of one place of a document.
type Change string

// The changes.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
	// Moved is a list whose common items stand in another order.
	Moved Change = "moved"
)

// Difference is one place at which two documents differ.
type Difference struct {
	Change Change
	// Path leads there: keys of maps, and for items of a list the name they
	// carry, or their text.
	Path []string
	// Was and Is are the values in short, empty where there was or is none.
	Was, Is string
}

// maxShort is how many bytes of a value a Difference shows.
const maxShort = 400

// Differences compares two documents by meaning: the order of keys, quotes,
// comments and line breaks count for nothing. Items of a list that carry a
// name are matched by it, others by being equal. It gives nil for equal ones.
func Differences(a, b *Node) []Difference {
	var d differ
	d.nodes(nil, a, b)
	return d.all
}

type differ struct{ all []Difference }

func (d *differ) add(change Change, path []string, was, is *Node) {
	d.all = append(d.all, Difference{change, slices.Clone(path), Short(was), Short(is)})
}

func (d *differ) nodes(path []string, a, b *Node) {
	switch {
	case a == nil && b == nil:
	case a == nil:
		d.add(Added, path, nil, b)
	case b == nil:
		d.add(Removed, path, a, nil)
	case a.Kind == Map && b.Kind == Map:
		d.maps(path, a, b)
	case a.Kind == List && b.Kind == List:
		d.lists(path, a, b)
	case full(a) != full(b):
		d.add(Changed, path, a, b)
	}
}

func (d *differ) maps(path []string, a, b *Node) {
	for _, e := range a.Entries {
		d.nodes(append(path, e.Key), e.Value, b.Get(e.Key))
	}
	for _, e := range b.Entries {
		if a.Get(e.Key) == nil {
			d.nodes(append(path, e.Key), nil, e.Value)
		}
	}
}

// lists matches named items by name; of others it tells those that only one
// side has.
func (d *differ) lists(path []string, a, b *Node) {
	from, to := labels(a), labels(b)
	inFrom, inTo := places(from), places(to)
	for i, label := range from {
		if j, ok := inTo[label]; ok {
			d.nodes(append(path, label), a.Items[i], b.Items[j])
		} else {
			d.nodes(append(path, label), a.Items[i], nil)
		}
	}
	for j, label := range to {
		if _, ok := inFrom[label]; !ok {
			d.nodes(append(path, label), nil, b.Items[j])
		}
	}
	stay := func(all []string, other map[string]int) []string {
		return slices.DeleteFunc(slices.Clone(all), func(label string) bool { _, ok := other[label]; return !ok })
	}
	if was, is := stay(from, inTo), stay(to, inFrom); !slices.Equal(was, is) {
		d.all = append(d.all, Difference{Moved, slices.Clone(path), cut(strings.Join(was, ", ")), cut(strings.Join(is, ", "))})
	}
}

func places(labels []string) map[string]int {
	at := make(map[string]int, len(labels))
	for i, label := range labels {
		at[label] = i
	}
	return at
}

// labels tells the items of a list apart: by name, else by text, and equal
// ones by their number.
func labels(list *Node) []string {
	all := make([]string, len(list.Items))
	seen := map[string]int{}
	for i, item := range list.Items {
		label := Short(item)
		if name := item.Get("name"); name != nil && name.Text != "" {
			label = name.Text
		}
		if seen[label]++; seen[label] > 1 {
			label += " #" + strconv.Itoa(seen[label])
		}
		all[i] = label
	}
	return all
}

// Short spells a value on one line, cut where it is long.
func Short(n *Node) string { return cut(full(n)) }

func full(n *Node) string {
	if n == nil {
		return ""
	}
	switch n.Kind {
	case Map:
		parts := make([]string, len(n.Entries))
		for i, e := range n.Entries {
			parts[i] = e.Key + ": " + full(e.Value)
		}
		slices.Sort(parts)
		return "{ " + strings.Join(parts, ", ") + " }"
	case List:
		parts := make([]string, len(n.Items))
		for i, item := range n.Items {
			parts[i] = full(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return strings.Join(strings.Fields(n.Text), " ")
}

func cut(text string) string {
	if len(text) <= maxShort {
		return text
	}
	return strings.ToValidUTF8(text[:maxShort], "") + " …"
}
