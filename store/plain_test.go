package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	type number int64
	for name, c := range map[string]struct{ in, want any }{
		"numbers":       {[]int64{1, 2}, []int64{1, 2}},
		"people":        {[]lifecycle.ProfileID{3, 4}, []int64{3, 4}},
		"instants":      {[]lifecycle.Instant{5}, []int64{5}},
		"other numbers": {[]number{6, 7}, []int64{6, 7}},
		"stages":        {[]lifecycle.Stage{"a", "b"}, []string{"a", "b"}},
		"bytes":         {[][]byte{{1}, nil}, [][]byte{{1}, nil}},
		"none":          {[]lifecycle.ProfileID{}, []int64{}},
		"no slice":      {"x", "x"},
		"flags":         {[]bool{true}, []bool{true}},
	} {
		if diff := cmp.Diff(c.want, plain(c.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
