package stripe

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// maxValueRunes is how long a metadata value may be
// (https://docs.stripe.com/api/metadata).
const maxValueRunes = 500

// need is what one customer's metadata lacks.
type need struct {
	stage  bool
	traits map[string]any
	// segments to add to the list and to take off it.
	add, remove []string
}

// needOf compares what is wanted with what the vendor is known to hold; with
// nil, everything is needed.
func needOf(want connectors.State, known *connectors.State) need {
	if known == nil {
		known = &connectors.State{}
	}
	n := need{stage: want.Stage != "" && want.Stage != known.Stage, traits: map[string]any{}}
	for key, value := range want.Traits {
		if held, ok := known.Traits[key]; !ok || text(held) != text(value) {
			n.traits[key] = value
		}
	}
	for _, s := range want.Segments {
		if !slices.Contains(known.Segments, s) {
			n.add = append(n.add, s)
		}
	}
	for _, s := range want.Absent {
		if !slices.Contains(known.Absent, s) {
			n.remove = append(n.remove, s)
		}
	}
	return n
}

func (n *need) segments() bool { return len(n.add)+len(n.remove) > 0 }

func (n *need) empty() bool { return !n.stage && len(n.traits) == 0 && !n.segments() }

// metadata gives the entries to write, by key; an empty one is removed. held is
// what the customer has now, of which only the list of segments is looked at:
// names that are not ours to manage stay in it. tooLong is set where the list
// is longer than an entry; it is left as it is then.
func (c *Connector) metadata(n *need, want connectors.State, held map[string]string) (entries map[string]string, tooLong bool) {
	entries = map[string]string{}
	for key, value := range n.traits {
		entries[key] = cut(text(value))
	}
	if n.stage {
		entries[c.stageKey] = cut(want.Stage)
		if want.Since != 0 {
			entries[c.stageKey+sinceSuffix] = want.Since.Time().UTC().Format(time.RFC3339)
		}
	}
	if n.segments() {
		list := joined(held[c.segmentsKey], n)
		if utf8.RuneCountInString(list) > maxValueRunes {
			return entries, true
		}
		entries[c.segmentsKey] = list
	}
	return entries, false
}

// joined changes the list that the customer holds.
func joined(held string, n *need) string {
	names := slices.DeleteFunc(segmentsIn(held), func(s string) bool { return slices.Contains(n.remove, s) })
	names = append(names, n.add...)
	slices.Sort(names)
	for i, s := range names {
		names[i] = listEscape.Replace(s)
	}
	return strings.Join(slices.Compact(names), ",")
}

// The list's comma, where a segment's name has one.
var (
	listEscape   = strings.NewReplacer("%", "%25", ",", "%2C")
	listUnescape = strings.NewReplacer("%2C", ",", "%25", "%")
)

// segmentsIn reads the list of segments.
func segmentsIn(list string) []string {
	var names []string
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			names = append(names, listUnescape.Replace(s))
		}
	}
	return names
}

// form writes entries as Stripe takes them. An entry that is not named stays.
func form(entries map[string]string) url.Values {
	v := url.Values{}
	for key, value := range entries {
		v.Set("metadata["+key+"]", value)
	}
	return v
}

// took reports whether a customer holds the entries that were written.
func took(cust *customer, entries map[string]string) bool {
	for key, value := range entries {
		if strings.TrimSpace(cust.Metadata[key]) != strings.TrimSpace(value) {
			return false
		}
	}
	return true
}

// text spells a trait's value; nil is empty, which removes the entry.
func text(value any) string {
	switch x := value.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(b)
}

// cut shortens a text to what an entry holds.
func cut(s string) string {
	if utf8.RuneCountInString(s) <= maxValueRunes {
		return s
	}
	return string([]rune(s)[:maxValueRunes])
}
