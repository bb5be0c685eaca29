package jobs_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// The brute force says where somebody stands by looking at the plain list of
// events at every instant at which anything could be different. It reads the
// plan's text itself, keeps no counts, and knows nothing of when a condition
// changes. It shares no code with the engine, so that a mistake cannot hide in
// both. All times are UTC microseconds.

// bruteEvent is one event as it was told.
type bruteEvent struct {
	id         string // the sixteen bytes, which break ties
	name       string
	at         int64
	connection string
	key        string // of the business; empty for none
	traits     map[string]any
	micros     int64
	currency   string
	claim      string
}

// bruteStage is a stage of a plan.
type bruteStage struct {
	name string
	side bool
	from []string // of a side stage; none: from anywhere
	bruteGate
}

type bruteClaim struct {
	connection string
	span       int64
}

// bruteBack says what becomes of a move back along the path.
type bruteBack struct {
	From, To []string
	Policy   string
}

// brutePlan is a plan as the brute force reads it.
type brutePlan struct {
	t testing.TB
	bruteTrack
	names    []string // of the segments, sorted
	segments map[string]bruteGate
	zone     *time.Location
	dated    bool    // it has conditions on dates
	windows  []int64 // every span of time in the plan, sorted
	active   map[string]bool
	// of are the lifecycles by id, this plan's own by the empty one, and ids their
	// ids in order; which lifecycle a segment belongs to is in home.
	of     map[string]*bruteTrack
	ids    []string
	home   map[string]string
	scores map[string]*bruteScore
}

// readBrutePlan reads a plan's text. active are the events that count as
// activity.
func readBrutePlan(t testing.TB, source []byte, active map[string]bool) *brutePlan {
	t.Helper()
	var text struct {
		Zone       string
		Claims     yaml.MapSlice
		Scores     map[string]bruteScoreText
		Lifecycles map[string]bruteTrackText
	}
	var main bruteTrackText
	if err := yaml.Unmarshal(source, &main); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, &text); err != nil {
		t.Fatal(err)
	}
	p := &brutePlan{t: t, segments: map[string]bruteGate{}, home: map[string]string{}, of: map[string]*bruteTrack{}, active: active, dated: strings.Contains(string(source), "days_")}
	var err error
	if p.zone, err = time.LoadLocation(text.Zone); err != nil {
		t.Fatal(err)
	}
	spans := map[int64]bool{}
	condition := func(src string) bruteCondition {
		if strings.TrimSpace(src) == "" {
			return func(*bruteLife) bool { return true }
		}
		return parseBrute(t, src, spans)
	}
	p.scores = map[string]*bruteScore{}
	for name, s := range text.Scores {
		p.scores[name] = readBruteScore(t, &s, condition)
	}
	gate := func(when, until, stay string) bruteGate {
		return readBruteGate(t, spans, condition, when, until, stay)
	}
	p.bruteTrack = p.track("", &main, gate)
	p.of[""], p.ids = &p.bruteTrack, []string{""}
	for _, id := range slices.Sorted(maps.Keys(text.Lifecycles)) {
		one := text.Lifecycles[id]
		beside := p.track(id, &one, gate)
		p.of[id], p.ids = &beside, append(p.ids, id)
	}
	for _, c := range text.Claims {
		rule, _ := c.Value.(map[string]any)
		if rule["mode"] != "hold" {
			t.Fatalf("the brute force knows claims of mode hold alone, not %v", c.Value)
		}
		span := bruteSpan(t, rule["for"].(string))
		spans[span] = true
		p.claims = append(p.claims, bruteClaim{c.Key.(string), span})
	}
	p.names = slices.Sorted(maps.Keys(p.segments))
	p.windows = slices.Sorted(maps.Keys(spans))
	return p
}

func (p *bruteTrack) hasStage(name string) bool {
	same := func(s bruteStage) bool { return s.name == name }
	return slices.ContainsFunc(p.path, same) || slices.ContainsFunc(p.sides, same)
}

// bruteSpell is a time in one stage, from an instant on.
type bruteSpell struct {
	stage string
	from  int64
}

// bruteWrite is one writing of a trait.
type bruteWrite struct {
	value any
	at    int64
}

// bruteLife is one person on the way through their events.
type bruteLife struct {
	plan  *brutePlan
	known int // how many events, those that tell nothing new included
	now   int64
	// events so far, oldest first: all, by name, and what they wrote and claimed.
	events []*bruteEvent
	named  map[string][]*bruteEvent
	writes map[string][]bruteWrite

	in    map[string]int64 // segments, and since when
	ahead []int64          // instants still to look at, sorted

	// courses are where the person is in each lifecycle, by id; the one at hand is
	// that which stages and conditions are about, the main one unless said.
	courses map[string]*bruteCourse
	*bruteCourse
}

// brute gives somebody as they stand after the last of the events known; pass
// lets time go by from there.
func (p *brutePlan) brute(known []*bruteEvent) *bruteLife {
	l := &bruteLife{plan: p, known: len(known), courses: map[string]*bruteCourse{}, named: map[string][]*bruteEvent{}, writes: map[string][]bruteWrite{}, in: map[string]int64{}}
	for _, id := range p.ids {
		l.courses[id] = &bruteCourse{of: p.of[id], reached: -1}
	}
	l.bruteCourse = l.courses[""]
	for _, e := range bruteFacts(known) {
		l.pass(e.at - 1)
		for len(l.ahead) > 0 && l.ahead[0] == e.at {
			l.ahead = l.ahead[1:] // looked at together with the event
		}
		l.events = append(l.events, e)
		for _, c := range l.courses {
			if c.of.reads(e.name) {
				c.read = append(c.read, e)
			}
		}
		l.named[e.name] = append(l.named[e.name], e)
		for name, value := range e.traits {
			l.writes[name] = append(l.writes[name], bruteWrite{value, e.at})
			l.expectDate(value, e.at)
		}
		l.look(e.at)
		l.expect(e.at)
		l.expectScores()
	}
	return l
}

// bruteFacts sorts events by (time, id) and leaves out those that tell again
// what another one told: of one name and business key the earliest by (time,
// connection, id) counts.
func bruteFacts(known []*bruteEvent) []*bruteEvent {
	type fact struct{ name, key string }
	first := map[fact]*bruteEvent{}
	for _, e := range known {
		f := fact{e.name, e.key}
		have := first[f]
		if e.key != "" && (have == nil || cmp.Or(cmp.Compare(e.at, have.at), cmp.Compare(e.connection, have.connection), cmp.Compare(e.id, have.id)) < 0) {
			first[f] = e
		}
	}
	var list []*bruteEvent
	for _, e := range known {
		if e.key == "" || first[fact{e.name, e.key}] == e {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *bruteEvent) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
	return list
}

// expect notes the instants at which something that was so at t may cease or
// begin to matter.
func (l *bruteLife) expect(t int64) {
	for _, w := range l.plan.windows {
		l.note(t + w)
	}
}

func (l *bruteLife) note(t int64) {
	if i, there := slices.BinarySearch(l.ahead, t); !there {
		l.ahead = slices.Insert(l.ahead, i, t)
	}
}

// pass looks at every instant noted, up to one.
func (l *bruteLife) pass(until int64) {
	for len(l.ahead) > 0 && l.ahead[0] <= until {
		t := l.ahead[0]
		l.ahead = l.ahead[1:]
		l.look(t)
	}
}

// look decides at one instant: the paths by the stages held until now, then the
// stages, then the segments by the new stages.
func (l *bruteLife) look(t int64) {
	l.now = t
	main := l.bruteCourse
	next := map[string]string{}
	for _, id := range l.plan.ids {
		l.bruteCourse = l.courses[id]
		if len(l.read) > 0 {
			next[id] = l.decide()
		}
	}
	for id, stage := range next {
		l.bruteCourse = l.courses[id]
		if stage != l.stage() {
			l.spells = append(l.spells, bruteSpell{stage, t})
			l.note(t + 1) // what looks at the stage may be otherwise from now on
			l.expect(t)
		}
		if l.stage() != l.side {
			l.side = ""
		}
	}
	for name, gate := range l.plan.segments {
		l.bruteCourse = l.courses[l.plan.home[name]]
		since, was := l.in[name]
		switch is := gate.holds(l, was, since); {
		case is && !was:
			l.in[name] = t
			l.expect(t)
		case was && !is:
			delete(l.in, name)
		}
	}
	l.bruteCourse = main
}

// decide finds the stage of the lifecycle at hand.
func (l *bruteLife) decide() string {
	for i := len(l.of.path) - 1; i > l.reached; i-- {
		if l.of.path[i].when(l) {
			l.reached = i
		}
	}
	return l.shown()
}

// stage is the one held; empty before the first.
func (l *bruteCourse) stage() string {
	if len(l.spells) == 0 {
		return ""
	}
	return l.spells[len(l.spells)-1].stage
}

// since is when the stage held began.
func (l *bruteCourse) since() int64 {
	if len(l.spells) == 0 {
		return 0
	}
	return l.spells[len(l.spells)-1].from
}

// claimed is the stage of the claim that is live; empty for none.
func (l *bruteLife) claimed() string {
	for _, rule := range l.of.claims {
		for _, e := range slices.Backward(l.events) {
			if e.connection != rule.connection || !l.of.hasStage(e.claim) {
				continue
			}
			if l.now < e.at+rule.span {
				return e.claim
			}
			break // only the newest of a connection counts
		}
	}
	return ""
}

// uncalled is the stage to hold where nobody claims one: the first side stage
// that is true and open from the path stage, else the path stage.
func (l *bruteLife) uncalled(held string) string {
	here := ""
	if l.reached >= 0 {
		here = l.of.path[l.reached].name
	}
	for _, s := range l.of.sides {
		if (len(s.from) == 0 || slices.Contains(s.from, here)) && s.holds(l, held == s.name, l.since()) {
			l.side = s.name
			return s.name
		}
	}
	return here
}

// shown is the stage to hold now: that of a live claim, else what is without one,
// unless a policy keeps the person from going back to it. Then a claim is passed
// over where a side stage is true, and else the path stage stays.
func (l *bruteLife) shown() string {
	held := l.side
	l.side = ""
	claim := l.claimed()
	want := claim
	if claim == "" {
		want = l.uncalled(held)
	}
	stay := l.heldBack(want)
	if stay == "" {
		return want
	}
	if claim != "" {
		l.uncalled(held)
		if l.side != "" {
			return l.side
		}
	}
	return stay
}

// heldBack applies the policies to a move from one path stage to an earlier one.
// It gives the stage to stay in; empty where the move is free. In a side stage
// the path stage that was held before it counts.
func (l *bruteLife) heldBack(to string) string {
	place := func(name string) int {
		return slices.IndexFunc(l.of.path, func(s bruteStage) bool { return s.name == name })
	}
	from := ""
	for _, s := range slices.Backward(l.spells) {
		if place(s.stage) >= 0 {
			from = s.stage
			break
		}
	}
	fall, since := l.fall, l.fallSince
	l.fall = ""
	if to == l.stage() || place(to) < 0 || place(to) >= place(from) {
		return ""
	}
	for _, b := range l.of.back {
		span, after := strings.CutPrefix(b.Policy, "after ")
		switch {
		case !slices.Contains(b.From, from) || !slices.Contains(b.To, to):
			continue
		case b.Policy == "forbid":
			return from
		case !after:
			return ""
		case fall != to:
			since = l.now
		}
		due := since + bruteSpan(l.plan.t, span)
		if l.now >= due {
			return ""
		}
		l.fall, l.fallSince = to, since
		l.note(due)
		return from
	}
	return ""
}

// times counts the events of a name within a window that ends now.
func (l *bruteLife) times(name string, window int64) (n int) {
	for _, e := range slices.Backward(l.named[name]) {
		if e.at <= l.now-window {
			break
		}
		n++
	}
	return n
}

// inactive: something was done once, and nothing within the window.
func (l *bruteLife) inactive(window int64) bool {
	for _, e := range slices.Backward(l.read) {
		if l.plan.active[e.name] {
			return e.at <= l.now-window
		}
	}
	return false
}

// hasBeen: the trait has had this value for at least the window, however often
// it was written in that time.
func (l *bruteLife) hasBeen(trait string, want any, window int64) bool {
	writes := l.writes[trait]
	if len(writes) == 0 {
		return false
	}
	since := l.now + 1
	for _, w := range slices.Backward(writes) {
		if w.value != want {
			break
		}
		since = w.at
	}
	return since+window <= l.now
}

// trait is the value written last; nil when there is none.
func (l *bruteLife) trait(name string) any {
	if s := l.plan.scores[name]; s != nil {
		return l.scored(s)
	}
	if w := l.writes[name]; len(w) > 0 {
		return w[len(w)-1].value
	}
	return nil
}

// was tells whether a stage has ever been held; left whether it is not held
// any more and ended within the window.
func (l *bruteCourse) was(stage string) bool {
	return slices.ContainsFunc(l.spells, func(s bruteSpell) bool { return s.stage == stage })
}

func (l *bruteLife) left(stage string, window int64) bool {
	for i := len(l.spells) - 1; i >= 0; i-- {
		if l.spells[i].stage == stage {
			return i < len(l.spells)-1 && l.spells[i+1].from > l.now-window
		}
	}
	return false
}

// source is the connection that told the earliest event.
func (l *bruteLife) source() string {
	if len(l.events) == 0 {
		return ""
	}
	return l.events[0].connection
}

func (l *bruteLife) sum(name, currency string) (micros int64) {
	for _, e := range l.named[name] {
		if e.currency == currency {
			micros += e.micros
		}
	}
	return micros
}
