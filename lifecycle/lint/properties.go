package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// ownProperty is a property that the plan describes, and where it stands.
type ownProperty struct {
	event lifecycle.EventName
	name  string
	at    place
	words []string
}

// properties looks at how the plan names the properties of its own events: one
// spelling for all, no values in names, and no two names of one event for the
// same.
func (l *linter) properties() {
	var all []ownProperty
	styles := map[string]int{}
	for _, event := range slices.Sorted(maps.Keys(l.own)) {
		of := l.own[event].Value.Get("properties")
		if of == nil {
			continue
		}
		for _, e := range of.Entries {
			p := ownProperty{event, e.Key, place{file: l.file, line: e.Line, column: e.Column, field: "events." + string(event) + ".properties." + e.Key}, split(e.Key)}
			if style := styleOf(e.Key); style != "" {
				styles[style]++
			}
			all = append(all, p)
		}
	}
	style := "snake_case" // where no other is more usual
	for _, other := range []string{"camelCase", "PascalCase"} {
		if styles[other] > styles[style] {
			style = other
		}
	}
	first := map[string]string{}
	for _, p := range all {
		if want := restyled(p.words, style); want != "" && !plain(p.name) && styleOf(p.name) != style {
			l.add("property_casing", Warning, p.event, p.at, fmt.Sprintf("the property %q of %s is not written in %s as the others are", cut(p.name, 100), quoted(p.event), style), "write "+cut(want, 100))
		}
		if slices.ContainsFunc(p.words, isLongNumber) {
			l.add("value_in_property", Warning, p.event, p.at, fmt.Sprintf("the property %q of %s holds a number: a year, an id or a version is a value, not a name", cut(p.name, 100), quoted(p.event)),
				"name what the value means, and put the number into it")
		}
		key := string(p.event) + "\x00" + strings.ToLower(strings.Join(p.words, ""))
		if other, there := first[key]; there && other != p.name {
			l.add("property_duplicate", Warning, p.event, p.at, fmt.Sprintf("the properties %q and %q of %s differ in their spelling only", cut(other, 100), cut(p.name, 100), quoted(p.event)), "use one of them")
		} else {
			first[key] = p.name
		}
	}
}

// isLongNumber tells of a word that is a year, a date or an id; address_2 has
// none.
func isLongNumber(word string) bool {
	return len(word) >= 4 && !strings.ContainsFunc(word, func(r rune) bool { return r < '0' || r > '9' })
}

// plain tells of a name that is one in every style: small letters and digits.
func plain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLower(r) && !unicode.IsDigit(r) })
}

// styleOf says how a name of several words is written; empty where that cannot
// be told.
func styleOf(name string) string {
	lower, upper := strings.ContainsFunc(name, unicode.IsLower), strings.ContainsFunc(name, unicode.IsUpper)
	switch {
	case strings.Contains(name, "_") && !upper:
		return "snake_case"
	case strings.ContainsAny(name, "_-. ") || !lower || !upper:
		return ""
	case unicode.IsUpper(rune(name[0])):
		return "PascalCase"
	}
	return "camelCase"
}

// restyled writes words in a style; empty for what is no name in ASCII letters.
func restyled(words []string, style string) string {
	if len(words) == 0 {
		return ""
	}
	parts := make([]string, len(words))
	for i, w := range words {
		if strings.ContainsFunc(w, func(r rune) bool { return r > unicode.MaxASCII }) {
			return ""
		}
		parts[i] = strings.ToLower(w)
		if style == "PascalCase" || style == "camelCase" && i > 0 {
			parts[i] = title(parts[i])
		}
	}
	if style == "snake_case" {
		return strings.Join(parts, "_")
	}
	return strings.Join(parts, "")
}
