package lifecycle

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// uniqueName checks the name of a stage or segment. Two that differ by case
// alone would be one at vendors that ignore it.
func (d *planReader) uniqueName(r *document.Reader, field, what, name string) {
	if name == "" {
		return
	}
	checkName(r, field, name)
	key := what + " " + strings.ToLower(name)
	if what == "stage" {
		key = d.t.id + " " + key // each lifecycle has stages of its own
	}
	if first, twice := d.names[key]; twice {
		r.Fail(field, "is the name of two %ss (%q and %q); names must differ by more than case", what, first, name)
		return
	}
	d.names[key] = name
}

// maxPlanNameBytes bounds names of plans, stages and segments, which travel to
// vendors as property values and tags.
const maxPlanNameBytes = 64

func checkName(r *document.Reader, field, name string) {
	switch {
	case name == "":
	case len(name) > maxPlanNameBytes:
		r.Fail(field, "is %d bytes long; the limit for a name is %d", len(name), maxPlanNameBytes)
	case name != strings.TrimSpace(name):
		r.Fail(field, "%q starts or ends with a space", name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		r.Fail(field, "%q holds a character that can't be printed", name)
	case strings.Contains(name, ",") || name == "*":
		r.Fail(field, "%q holds a comma or is *; neither can be told apart in lists", name)
	}
}

func checkEventName(r *document.Reader, name string) {
	switch {
	case len(name) > MaxNameBytes:
		r.Fail("", "has a name of %d bytes; the limit is %d", len(name), MaxNameBytes)
	case strings.HasPrefix(name, ReservedCategory):
		r.Fail("", "is in the category %s, which is kept for decisions", ReservedCategory)
	}
}
