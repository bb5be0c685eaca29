package workspace

import (
	"regexp"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// variable finds ${NAME}, the escape $${ that stands for a literal ${, and any
// other ${, which is a mistake.
var variable = regexp.MustCompile(`\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{`)

// expander puts values of the environment into texts of one file.
type expander struct {
	lookup func(name string) (string, bool)
	// failed holds the fields of which a part could not be expanded.
	failed map[string]bool
}

// expand replaces every ${NAME} of a text and reports each one that has no
// value at the place where r stands. field is its path from the top. The value
// put in is not looked at again. An empty value counts as none, since a
// credential that is empty is never meant.
func (x *expander) expand(r *document.Reader, field, text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(found, "${"), "}")
		switch {
		case found == "$${":
			return "${"
		case found == "${":
			r.Fail("", "has a ${ that is not ${NAME}; write $${ where the two characters are meant")
		default:
			if value, ok := x.value(name); ok {
				return value
			}
			r.Fail("", "needs the environment variable %s, which is unset or empty", name)
		}
		x.failed[field] = true
		return ""
	})
}

func (x *expander) value(name string) (string, bool) {
	if x.lookup == nil {
		return "", false
	}
	value, ok := x.lookup(name)
	return value, ok && value != ""
}
