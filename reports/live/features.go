package live

import (
	"slices"
	"strconv"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

const (
	// maxFeatures bounds the features of one person, minShared is how many people
	// must share one to be looked at, and maxLifts how many are in the data.
	maxFeatures = 200
	minShared   = 5
	maxLifts    = 500
	maxLiftRows = 30
)

// features finds what people may have in common.
type features struct {
	labels labels
	// kinds are the numbers of features of one kind by their names.
	kinds map[string]map[string]int32
	skip  map[lifecycle.EventName]bool // events that make the groups
	seen  []int32
}

func newFeatures(skip []lifecycle.EventName) features {
	f := features{labels: newLabels(), kinds: map[string]map[string]int32{}, skip: map[lifecycle.EventName]bool{}}
	for _, name := range skip {
		f.skip[name] = true
	}
	return f
}

// of gives the features of a person by the events in a span: where they came
// from, what they did and saw, and their traits. A number as a trait is no
// feature, since hardly two people share it. The list is sorted, each once.
func (f *features) of(p *summary.Person, in span) []int32 {
	f.seen = f.seen[:0]
	add := func(kind, name string) {
		if name == "" || len(f.seen) >= maxFeatures {
			return
		}
		known := f.kinds[kind]
		if known == nil {
			known = map[string]int32{}
			f.kinds[kind] = known
		}
		n := f.labels.under(known, kind+": ", name)
		if i, ok := slices.BinarySearch(f.seen, n); !ok {
			f.seen = slices.Insert(f.seen, i, n)
		}
	}
	add("source", p.Source)
	for i := range p.Events {
		e := &p.Events[i]
		if e.At < in.from || f.skip[e.Name] {
			continue
		}
		if e.At >= in.to {
			break
		}
		add("event", string(e.Name))
		switch {
		case strings.HasPrefix(string(e.Name), "Content:"):
			add("content", e.Property("content"))
		case e.Name == defaultTouch:
			add("came from", e.Property("source"))
			add("campaign", e.Property("campaign"))
		}
	}
	for i := range p.Traits {
		t := &p.Traits[i]
		if !isNumber(t.Value) {
			add("trait", t.Name+" = "+t.Value)
		}
	}
	return f.seen
}

// isNumber tells whether a trait's value is one. Most that are none are told by
// how they begin, which costs less than an error.
func isNumber(text string) bool {
	if text == "" || !strings.ContainsRune("0123456789+-.iInN", rune(text[0])) {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}
