package lifecycle

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// maxLifecycleID is how long an id may be: it becomes part of the names of
// fields at vendors, some of which are bounded tightly.
const maxLifecycleID = 20

// lifecycleNames collects ids and stages first, since a condition may name
// those of a lifecycle that comes after it.
func (d *planReader) lifecycleNames() {
	d.cond.tracks = map[string][]string{"": d.cond.stages}
	all := d.r.Node().Get("lifecycles")
	if all == nil {
		return
	}
	for _, entry := range all.Entries {
		d.cond.tracks[entry.Key] = stageNames(entry.Value)
	}
}

// stageNames gives the names under stages: of a node, as far as they are there.
func stageNames(n *document.Node) (names []string) {
	if stages := n.Get("stages"); stages != nil {
		for _, item := range stages.Items {
			if name := item.Get("name"); name != nil && name.Kind == document.Text {
				names = append(names, name.Text)
			}
		}
	}
	return names
}

// lifecycles reads the further lifecycles but for their segments.
func (d *planReader) lifecycles() {
	d.r.Entries("lifecycles", func(id string, r *document.Reader) {
		if len(d.p.others) == MaxLifecycles {
			d.fullUp(r, "lifecycle", MaxLifecycles)
			return
		}
		checkLifecycleID(r, id)
		t := &track{id: id, about: r.OptText("about")}
		t.reading = readPatterns(r)
		d.within(t, func() {
			d.stagesOf(r)
			d.backOf(r)
		})
		d.p.others = append(d.p.others, t)
		d.tracks = append(d.tracks, func() {
			d.within(t, func() { d.segmentsOf(r) })
			r.Unknown()
		})
	})
	slices.SortFunc(d.p.others, func(a, b *track) int { return cmp.Compare(a.id, b.id) })
}

// within reads what belongs to a further lifecycle.
func (d *planReader) within(t *track, read func()) {
	main, stages := d.t, d.cond.stages
	d.t, d.cond.track, d.cond.stages = t, t, d.cond.tracks[t.id]
	read()
	d.t, d.cond.track, d.cond.stages = main, nil, stages
}

func checkLifecycleID(r *document.Reader, id string) {
	plain := id != "" && id[0] >= 'a' && id[0] <= 'z' &&
		strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	switch {
	case id == MainLifecycle:
		r.Fail("", "has the id %s, which is what conditions call the plan's own stages", id)
	case !plain || len(id) > maxLifecycleID:
		r.Fail("", "has the id %q; an id is a small letter and up to %d more small letters, digits or _", cutText(id, 80), maxLifecycleID-1)
	}
}

// readPatterns reads which events a lifecycle reads; nil: all.
func readPatterns(r *document.Reader) []string {
	names := r.Texts("events")
	if r.Has("events") && len(names) == 0 {
		r.Fail("events", "is empty; leave it out to read all events")
	}
	for _, name := range names {
		switch {
		case len(name) > MaxNameBytes:
			r.Fail("events", "holds a name of %d bytes; the limit is %d", len(name), MaxNameBytes)
		case strings.Contains(strings.TrimSuffix(name, "*"), "*"):
			r.Fail("events", "holds %q; a * may stand at the end only", name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// print adds everything that decides about the stages to a fingerprint.
func (t *track) print(w io.Writer) {
	if t.id != "" {
		fmt.Fprintf(w, "lifecycle %q %q\n", t.id, t.reading)
	}
	for _, s := range t.stages {
		fmt.Fprintf(w, "stage %q %v %x %q %q %d\n", s.name, s.side, s.from, s.text, s.untilText, s.stay)
	}
	if t.id != "" {
		fmt.Fprintf(w, "back %v\n", t.back)
	}
}

// LifecycleInfo describes a further lifecycle of a plan.
type LifecycleInfo struct {
	ID    string
	About string
	// Events are the names of the events that it reads, exact or with a trailing
	// *; nil: all.
	Events []string
	// Stages in the order of the plan.
	Stages []StageInfo
}

// Lifecycles gives the lifecycles that go on beside the plan's own stages,
// sorted by id; nil where there are none.
func (p *Plan) Lifecycles() []LifecycleInfo {
	var list []LifecycleInfo
	for _, t := range p.others {
		list = append(list, LifecycleInfo{t.id, t.about, slices.Clone(t.reading), t.info()})
	}
	return list
}

// HasLifecycle tells whether the plan has a further lifecycle of that id.
func (p *Plan) HasLifecycle(id string) bool { return p.other(id) != nil }

// StageNamesOf gives the names of the stages of a lifecycle in the order of the
// plan, the main one for an empty id and MainLifecycle; nil where there is none.
func (p *Plan) StageNamesOf(id string) []Stage {
	t := p.trackOf(id)
	if t == nil {
		return nil
	}
	names := make([]Stage, len(t.stages))
	for i, s := range t.stages {
		names[i] = s.name
	}
	return names
}

func (t *track) info() []StageInfo {
	list := make([]StageInfo, len(t.stages))
	for i, s := range t.stages {
		list[i] = StageInfo{Name: s.name, Side: s.side, When: s.text, Until: s.untilText, Stay: s.stay.span()}
		if s.side && s.from != anywhere {
			list[i].From = t.pathNames(s.from)
		}
	}
	return list
}
