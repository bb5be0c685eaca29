package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// sizes of what is sold and who buys it: plan names, which belong into a
// property such as account_tier.
var sizes = []string{
	"basic", "bronze", "business", "enterprise", "free", "freemium", "gold", "large", "lite", "medium", "platinum", "plus", "premium", "pro", "professional",
	"silver", "small", "smb", "standard", "starter", "ultimate", "vip",
}

func isSize(word string) bool { return slices.Contains(sizes, strings.ToLower(word)) }

// manyVariants is how many names that differ in one word are taken for one name
// and the values of something: of two, each may be a thing of its own.
const manyVariants = 3

// variants finds names of the plan's own that differ in one word alone, such as
// Order:BerlinShipped, Order:ParisShipped and Order:RomeShipped.
func (l *linter) variants() {
	groups := map[string][]lifecycle.EventName{}
	for _, name := range slices.Sorted(maps.Keys(l.used)) {
		if _, ours := l.vocabulary[name]; ours {
			continue
		}
		category, rest, ok := strings.Cut(string(name), ":")
		words := split(rest)
		if !ok || len(words) < 2 {
			continue
		}
		for i := range words[:len(words)-1] { // the last says what happened
			if isSize(words[i]) {
				continue // told by itself
			}
			pattern := slices.Clone(words)
			pattern[i] = "*"
			key := category + ":" + strings.Join(pattern, "")
			groups[key] = append(groups[key], name)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		names := groups[key]
		if len(names) < manyVariants {
			continue
		}
		for _, name := range names {
			l.add("value_in_name", Warning, name, l.used[name], fmt.Sprintf("%s is one of %d names that differ in one word, as %s", quoted(name), len(names), cut(key, 100)),
				"if the word is a value, write "+strings.Replace(key, "*", "", 1)+" and put it into a property")
		}
	}
}
