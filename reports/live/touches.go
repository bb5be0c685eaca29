package live

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// defaultTouch is the event that counts as a touch unless others are named.
const defaultTouch lifecycle.EventName = "Campaign:Touched"

// unnamed stands for a touch without the fact that names it, and otherNames for
// those beyond the limit.
const (
	unnamed    = "(none)"
	otherNames = "(others)"
)

// paying are the events that make somebody a customer, unless others are named.
func paying() []lifecycle.EventName {
	return []lifecycle.EventName{"Order:Completed", "Subscription:Started", dealWon}
}

// touches tells which events are touches, and what they are called.
type touches struct {
	events []lifecycle.EventName
	by     TouchName
	labels labels
}

func newTouches(o *Options) touches {
	t := touches{events: o.Touches, by: cmp.Or(o.By, BySource), labels: newLabels()}
	if len(t.events) == 0 {
		t.events = []lifecycle.EventName{defaultTouch}
	}
	return t
}

func (t *touches) is(e *summary.Event) bool { return slices.Contains(t.events, e.Name) }

// name gives the number of a touch's name.
func (t *touches) name(e *summary.Event) int32 {
	switch t.by {
	case ByConnection:
		return t.labels.number(e.Connection)
	case ByEvent:
		return t.labels.number(string(e.Name))
	}
	return t.labels.number(cmp.Or(e.Property(string(t.by)), unnamed))
}

// direct tells whether somebody came by themselves.
func direct(e *summary.Event) bool {
	source, medium := strings.Trim(e.Property("source"), "()"), strings.Trim(e.Property("medium"), "()")
	return strings.EqualFold(source, "direct") || source == "" && (medium == "" || strings.EqualFold(medium, "none"))
}

// say tells what a touch is.
func (t *touches) say(r *Report) {
	r.note("a touch is an event %s, called by its %s", joined(t.events), t.by)
	if t.labels.over > 0 {
		r.note("%d touches are counted as %s: there are more than %d names", t.labels.over, otherNames, maxLabels)
	}
}

// maxLabels bounds the names that one report tells apart: senders make them up.
const maxLabels = 5000

// labels numbers texts.
type labels struct {
	numbers map[string]int32
	texts   []string
	over    int64
}

func newLabels() labels { return labels{numbers: map[string]int32{}} }

// number gives a text's number, the same one for all texts beyond the limit.
func (l *labels) number(text string) int32 {
	if n, ok := l.numbers[text]; ok {
		return n
	}
	if len(l.texts) >= maxLabels && text != otherNames {
		l.over++
		return l.number(otherNames)
	}
	n := int32(len(l.texts))
	text = strings.Clone(text)
	l.numbers[text], l.texts = n, append(l.texts, text)
	return n
}

// under gives the number of a text that has a word put before it. The map, which
// is of that word alone, remembers the numbers by what follows, so that most texts
// need not be put together.
func (l *labels) under(known map[string]int32, word, text string) int32 {
	if n, ok := known[text]; ok {
		return n
	}
	n := l.number(word + text)
	if len(known) < maxLabels && l.texts[n] != otherNames { // each of the others is counted
		known[strings.Clone(text)] = n
	}
	return n
}
