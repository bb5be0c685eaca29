package web

import (
	"reflect"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/lint"
	"github.com/stagebridge/stagebridge/web/access"
	"github.com/stagebridge/stagebridge/web/openapi"
)

//go:generate go run ./openapi/gencomments zz_comments.go

// DescribedTypes lists the structs that the description of the API is made of,
// for the program that gathers their comments.
func DescribedTypes() ([]reflect.Type, error) {
	_, types, err := describe((*Web)(nil).operationGroups())
	return types.Structs(), err
}

// apiTypes makes the schemas of what the API takes and gives.
func apiTypes() *openapi.Types {
	return &openapi.Types{
		Comments: comments(),
		Special: map[reflect.Type]*openapi.Schema{
			reflect.TypeFor[access.Role]():   openapi.Text(string(access.Viewer), string(access.Editor), string(access.Admin)),
			reflect.TypeFor[settingText]():   {AnyOf: []*openapi.Schema{openapi.Text(), {Type: "number"}, openapi.Flag()}},
			reflect.TypeFor[lint.Severity](): openapi.Text(string(lint.Error), string(lint.Warning)),
		},
		Refine: refine,
	}
}

// momentPattern is a time in RFC 3339; empty where there is none.
const momentPattern = `^(|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))$`

// refine says of a text what its name tells: times have the names of times.
func refine(member string, s *openapi.Schema) {
	if s.Type != "string" || s.Format != "" || len(s.Enum) > 0 {
		return
	}
	if isMoment(member) {
		s.Pattern = momentPattern
	}
}

func isMoment(member string) bool {
	for _, end := range []string{"_at", "_since", "_until", "_seen", "_try"} {
		if strings.HasSuffix(member, end) {
			return true
		}
	}
	return slices.Contains([]string{"at", "since", "until", "due", "flips", "first", "last", "left", "changes", "next_check", "last_login", "last_used"}, member)
}
