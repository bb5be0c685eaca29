package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// ParsePlan reads a tracking plan from YAML. The vocabularies describe events
// beside those that the plan describes itself; a later one comes before an
// earlier one, and the plan before all. The error is a document.Errors with
// every mistake, each with file, line, column and field.
func ParsePlan(file string, src []byte, vocabularies ...Vocabulary) (*Plan, error) {
	d := &planReader{r: document.Open(file, src), p: &Plan{known: Vocabulary{}}}
	for _, v := range vocabularies {
		for name, spec := range v {
			d.p.known[name] = spec
		}
	}
	d.read()
	if err := d.r.Err(); err != nil {
		return nil, err
	}
	d.finish()
	return d.p, nil
}

// planReader walks the file and builds the plan.
type planReader struct {
	r     *document.Reader
	p     *Plan
	cond  conditionParser
	names map[string]string // stages and segments, lower case to as spelled
	froms []func()          // from lists, read once all stages are known
	full  bool
	// t is the lifecycle whose stages are read, tracks what is read of the
	// further ones once all stages are known.
	t      *track
	tracks []func()
}

func (d *planReader) read() {
	d.names = map[string]string{}
	d.t = &d.p.track
	d.p.name = d.r.Text("name")
	checkName(d.r, "name", d.p.name)
	d.zone()
	d.p.events = readEvents(d.r, d.p.known)
	d.p.listed = len(d.p.events) > 0
	for name, spec := range d.p.events {
		d.p.known[name] = spec
	}
	d.cond.stages = stageNames(d.r.Node())
	d.lifecycleNames()
	d.scores()
	d.stagesOf(d.r)
	d.lifecycles()
	for _, resolve := range d.froms {
		resolve()
	}
	d.segmentsOf(d.r)
	for _, read := range d.tracks {
		read()
	}
	slices.SortFunc(d.p.segments, func(a, b *segment) int { return cmp.Compare(a.name, b.name) })
	d.accounts()
	d.claims()
	d.backOf(d.r)
	d.governance()
	d.revenue()
	d.identity()
	d.r.Unknown()
}

// stagesOf reads the stages of the lifecycle that the reader stands on.
func (d *planReader) stagesOf(r *document.Reader) {
	if !r.Has("stages") {
		r.Fail("stages", "is missing")
	}
	r.List("stages", func(item *document.Reader) {
		if len(d.t.stages) == MaxStages {
			d.fullUp(item, "stage", MaxStages)
			return
		}
		d.t.stages = append(d.t.stages, d.stage(item, len(d.t.stages) == 0))
	})
	if r.Has("stages") && r.Kind("stages") == document.List && len(d.t.stages) == 0 {
		r.Fail("stages", "is empty; a plan has at least one stage")
	}
}

func (d *planReader) fullUp(r *document.Reader, what string, limit int) {
	if !d.full {
		r.Fail("", "is one %s too many; the limit is %d", what, limit)
	}
	d.full = true
}

func (d *planReader) stage(r *document.Reader, first bool) *stage {
	s := &stage{path: -1, from: anywhere}
	name := r.Text("name")
	d.uniqueName(r, "name", "stage", name)
	t := d.t
	s.name = Stage(name)
	s.side = r.Bool("side")
	if s.side && first {
		r.Fail("side", "can't be true for the first stage, where everybody starts")
	}
	switch when, ok := r.OptCondition("when"); {
	case ok:
		s.text, s.when = d.condition(r, when)
	case !first && !r.Has("when"):
		r.Fail("when", "is missing; only the first stage may lack a condition")
	}
	if !s.side {
		s.path = len(t.path)
		t.path = append(t.path, s)
		if r.Has("from") {
			r.Fail("from", "belongs to side stages; give side: true, or put the condition into when")
		}
		for _, field := range []string{"until", "stay"} {
			if r.Has(field) {
				r.Fail(field, "belongs to side stages and segments; a stage of the path stays reached")
			}
		}
	} else {
		d.leaving(r, &s.gate)
		t.sides = append(t.sides, s)
		if r.Has("from") {
			d.froms = append(d.froms, func() { s.from = t.pathBits(r, "from") })
		}
	}
	r.Unknown()
	return s
}

// pathBits reads a path stage or a list of them; all bits for none and "*".
func (t *track) pathBits(r *document.Reader, field string) uint64 {
	var bits uint64
	names := r.Texts(field)
	for _, name := range names {
		if name == "*" {
			return anywhere
		}
		i := slices.IndexFunc(t.path, func(s *stage) bool { return string(s.name) == name })
		switch {
		case i >= 0:
			bits |= 1 << i
		case t.stage(Stage(name)) != nil:
			r.Fail(field, "names the side stage %q, want a stage of the path", name)
		default:
			r.Fail(field, "names %q, which is no stage of this plan%s", cutText(name, 80), didYouMean(name, t.names()))
		}
	}
	if len(names) == 0 {
		if r.Has(field) {
			r.Fail(field, "is empty; leave it out to mean any stage")
		}
		return anywhere
	}
	return bits
}

// names gives the names of the stages as texts.
func (t *track) names() []string {
	names := make([]string, len(t.stages))
	for i, s := range t.stages {
		names[i] = string(s.name)
	}
	return names
}

func didYouMean(name string, known []string) string {
	if near := document.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// segmentsOf reads the segments of the lifecycle that the reader stands on.
// Those of all lifecycles are one list.
func (d *planReader) segmentsOf(r *document.Reader) {
	r.Entries("segments", func(name string, r *document.Reader) {
		if len(d.p.segments) == MaxSegments {
			d.fullUp(r, "segment", MaxSegments)
			return
		}
		d.uniqueName(r, "", "segment", name)
		s := &segment{name: Segment(name), of: d.t.id}
		field := ""
		if r.Kind("") == document.Map {
			field = "when"
			d.leaving(r, &s.gate)
		}
		if when, ok := r.Condition(field); ok {
			s.text, s.when = d.condition(r, when)
		}
		if field != "" {
			r.Unknown()
		}
		s.why = name + ": " + s.text
		s.out = s.why
		if s.until != nil {
			s.out = name + ": until " + s.untilText
		}
		d.p.segments = append(d.p.segments, s)
	})
}

// condition parses one condition and reports its mistakes at their places.
func (d *planReader) condition(r *document.Reader, src document.Source) (string, *expr) {
	x, wrong := d.cond.parse(src.Text)
	for _, w := range wrong {
		r.FailIn(src, w.line, w.column, w.message)
	}
	if d.cond.leaves > MaxConditionLeaves && !d.full {
		d.full = true
		r.FailIn(src, 1, 0, tooManyLeaves())
	}
	return strings.Join(strings.Fields(src.Text), " "), x
}

func tooManyLeaves() string {
	return fmt.Sprintf("goes over the limit of %d functions and comparisons in one plan", MaxConditionLeaves)
}
