package document

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLineDiff(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a\n", maxDiff+1)
	for name, tt := range map[string]struct {
		from, to string
		want     []string
	}{
		"the same":           {"a\nb\n", "a\nb\n", nil},
		"one line":           {"a\nb\nc\n", "a\nB\nc\n", []string{"-2 b", "+2 B"}},
		"more lines":         {"a\n", "0\na\nb\n", []string{"+1 0", "+3 b"}},
		"less lines":         {"a\nb\n", "b\n", []string{"-1 a"}},
		"the end of a line":  {"a\n", "a", []string{"only the end of the last line differs"}},
		"too long to follow": {long, long + "b\n", []string{"2001 lines become 2002"}},
	} {
		if diff := cmp.Diff(tt.want, LineDiff(tt.from, tt.to)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	many := LineDiff(strings.Repeat("a\n", 100), strings.Repeat("b\n", 100))
	if len(many) != maxShown+1 || many[maxShown] != "and 140 more lines" {
		t.Errorf("%d lines, the last %q", len(many), many[len(many)-1])
	}
}
