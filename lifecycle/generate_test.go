package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// The random plans of the property tests. A model of the plan is drawn first;
// its text goes to ParsePlan, the model itself to the oracle.

var (
	genEvents   = []EventName{"A:Done", "B:Done", "C:Done", "D:Done"}
	genActive   = map[EventName]bool{"A:Done": true, "C:Done": true}
	genWindows  = []int{1, 2, 3, 5} // seconds
	genTraits   = []string{"score", "tier"}
	genSources  = []string{"alpha", "beta", "gamma"}
	genSegments = []Segment{"s1", "s2", "s3"}
	// In the last of these zones a day begins at the fifth second of a history.
	genZones = []*time.Location{time.UTC, time.FixedZone("Etc/GMT+5", -5*3600), time.FixedZone("Etc/GMT-12", 12*3600)}
	genDays  = []int{-2, -1, 0, 1, 2}
)

// genStart is when histories begin, shortly before a midnight in one zone.
const genStart = Instant(1772366395_000_000)

// genDates are traits that hold a date, as texts and numbers, with the instant
// that each means; zero: none. Those of one day begin with it in each zone.
var genDates = []struct {
	value any
	at    Instant
}{
	{"2026-03-01T12:00:02Z", genStart + 7_000_000},
	{"2026-03-02T00:59:57.5+13:00", genStart + 2_500_000},
	{int64(1772366404), genStart + 9_000_000},
	{"1772366396000", genStart + 1_000_000},
	{1772452800.0, genStart + 86_405_000_000},
	{"2026-02-27T12:00:00Z", genStart - 172_795_000_000},
	{"2026-03-02", 0},
	{"2026-03-01", 0},
	{"soon", 0},
	{"2026-03-01T12:00:02", 0},
	{int64(20260301), 0},
	{true, 0},
}

func genVocabulary() Vocabulary {
	v := Vocabulary{}
	for _, name := range genEvents {
		v[name] = EventSpec{Activity: genActive[name]}
	}
	return v
}

// cond is a condition of the model.
type cond struct {
	op     string // and, or, not, or a leaf's name
	kids   []*cond
	event  EventName
	n      int
	window int // seconds
	trait  string
	value  any
	cmp    string
	stage  Stage
}

func (c *cond) text() string {
	switch c.op {
	case "and", "or":
		sign := map[string]string{"and": " && ", "or": " || "}[c.op]
		parts := make([]string, len(c.kids))
		for i, k := range c.kids {
			parts[i] = k.text()
		}
		return "(" + strings.Join(parts, sign) + ")"
	case "not":
		return "!" + c.kids[0].text()
	case "seen":
		return fmt.Sprintf("seen(%q)", string(c.event))
	case "count":
		return fmt.Sprintf("(count(%q) %s %d)", string(c.event), c.cmp, c.n)
	case "sum":
		return fmt.Sprintf("(sum(%q, \"EUR\") %s %d)", string(c.event), c.cmp, c.n)
	case "at_least":
		return fmt.Sprintf("at_least(%q, %d, \"%ds\")", string(c.event), c.n, c.window)
	case "within", "idle", "never":
		return fmt.Sprintf("%s(%q, \"%ds\")", c.op, string(c.event), c.window)
	case "inactive", "in_stage_for":
		return fmt.Sprintf("%s(\"%ds\")", c.op, c.window)
	case "trait":
		return fmt.Sprintf("(traits.%s %s %s)", c.trait, c.cmp, literalText(c.value))
	case "score":
		return fmt.Sprintf("(traits.%s %s %d)", c.trait, c.cmp, c.n)
	case "has_been":
		return fmt.Sprintf("has_been(%q, %s, \"%ds\")", c.trait, literalText(c.value), c.window)
	case "was":
		return fmt.Sprintf("was(%q)", string(c.stage))
	case "left":
		return fmt.Sprintf("left(%q, \"%ds\")", string(c.stage), c.window)
	case "days_until", "days_since":
		return fmt.Sprintf("(%s(traits.%s) %s %d)", c.op, c.trait, c.cmp, c.n)
	case "before", "after":
		if c.window == 1 {
			return fmt.Sprintf("%s(traits.%s)", c.op, c.trait)
		}
		return fmt.Sprintf("%s(traits.%s, \"%ds\")", c.op, c.trait, c.window)
	case "stage":
		return fmt.Sprintf("(stage %s %q)", c.cmp, string(c.stage))
	}
	return fmt.Sprintf("(source %s %q)", c.cmp, c.value)
}

type modelStage struct {
	name Stage
	side bool
	from []Stage
	when *cond // nil: always
	modelGate
}

// modelGate is what leads out of a segment or side stage.
type modelGate struct {
	until *cond // nil: that when does not hold
	stay  int   // seconds; 0: none
}

type modelSegment struct {
	when *cond
	modelGate
}

// lines spells the gate as further fields.
func (g *modelGate) lines() string {
	text := ""
	if g.until != nil {
		text += fmt.Sprintf("    until: '%s'\n", g.until.text())
	}
	if g.stay > 0 {
		text += fmt.Sprintf("    stay: %ds\n", g.stay)
	}
	return text
}

type modelClaim struct {
	connection string
	mode       string
	span       int // seconds; 0: none
}

type modelBack struct {
	from, to []Stage // empty: any
	policy   string
	span     int // seconds
}

type model struct {
	stages   []modelStage
	zone     *time.Location
	segments map[Segment]*modelSegment
	claims   []modelClaim
	back     []modelBack
	scores   []modelScore
}

func (m *model) text() string {
	var b strings.Builder
	b.WriteString("name: random\nzone: " + m.zone.String() + "\n" + scoreLines(m.scores) + "stages:\n")
	for _, s := range m.stages {
		fmt.Fprintf(&b, "  - name: %s\n", s.name)
		if s.side {
			b.WriteString("    side: true\n")
		}
		if len(s.from) > 0 {
			fmt.Fprintf(&b, "    from: %s\n", stageList(s.from))
		}
		if s.when != nil {
			fmt.Fprintf(&b, "    when: '%s'\n", s.when.text())
		}
		b.WriteString(s.lines())
	}
	if len(m.segments) > 0 {
		b.WriteString("segments:\n")
	}
	for _, name := range genSegments {
		if c := m.segments[name]; c != nil {
			if c.until == nil && c.stay == 0 {
				fmt.Fprintf(&b, "  %s: '%s'\n", name, c.when.text())
				continue
			}
			fmt.Fprintf(&b, "  %s:\n    when: '%s'\n%s", name, c.when.text(), c.lines())
		}
	}
	if len(m.claims) > 0 {
		b.WriteString("claims:\n")
	}
	for _, c := range m.claims {
		fmt.Fprintf(&b, "  %s: { mode: %s", c.connection, c.mode)
		if c.span > 0 {
			fmt.Fprintf(&b, ", for: %ds", c.span)
		}
		b.WriteString(" }\n")
	}
	if len(m.back) > 0 {
		b.WriteString("back:\n")
	}
	for _, r := range m.back {
		b.WriteString("  - { ")
		if len(r.from) > 0 {
			fmt.Fprintf(&b, "from: %s, ", stageList(r.from))
		}
		if len(r.to) > 0 {
			fmt.Fprintf(&b, "to: %s, ", stageList(r.to))
		}
		policy := r.policy
		if policy == "after" {
			policy = fmt.Sprintf("after %ds", r.span)
		}
		fmt.Fprintf(&b, "policy: %s }\n", policy)
	}
	return b.String()
}

func stageList(names []Stage) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func drawModel(t *rapid.T) *model {
	m := &model{zone: rapid.SampledFrom(genZones).Draw(t, "zone"), segments: map[Segment]*modelSegment{}, scores: drawScores(t)}
	pathStages := rapid.IntRange(1, 4).Draw(t, "path stages")
	sides := rapid.IntRange(0, 2).Draw(t, "side stages")
	var path, all []Stage
	for i := range pathStages {
		path = append(path, Stage(fmt.Sprintf("P%d", i)))
	}
	all = append(all, path...)
	for i := range sides {
		all = append(all, Stage(fmt.Sprintf("X%d", i)))
	}
	for i, name := range all {
		s := modelStage{name: name, side: i >= pathStages}
		if i > 0 || rapid.IntRange(0, 3).Draw(t, "first has a condition") == 0 {
			s.when = drawCond(t, all, 2)
		}
		if s.side && rapid.Bool().Draw(t, "has from") {
			s.from = drawSome(t, path)
		}
		if s.side {
			s.modelGate = drawGate(t, all)
		}
		m.stages = append(m.stages, s)
	}
	for _, name := range genSegments {
		if rapid.Bool().Draw(t, "has segment") {
			m.segments[name] = &modelSegment{drawCond(t, all, 2), drawGate(t, all)}
		}
	}
	for _, connection := range genSources {
		if mode := rapid.SampledFrom([]string{"", "ignore", "advance", "hold", "hold"}).Draw(t, "mode"); mode != "" {
			c := modelClaim{connection: connection, mode: mode}
			if mode == "hold" {
				c.span = rapid.SampledFrom([]int{0, 2, 4}).Draw(t, "for")
			}
			m.claims = append(m.claims, c)
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "back rules") {
		r := modelBack{policy: rapid.SampledFrom([]string{"allow", "forbid", "after"}).Draw(t, "policy")}
		if rapid.Bool().Draw(t, "has from") {
			r.from = drawSome(t, path)
		}
		if rapid.Bool().Draw(t, "has to") {
			r.to = drawSome(t, path)
		}
		r.span = rapid.SampledFrom(genWindows).Draw(t, "after")
		m.back = append(m.back, r)
	}
	return m
}

func drawSome(t *rapid.T, from []Stage) []Stage {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, len(from), rapid.ID).Draw(t, "stages")
}

func drawGate(t *rapid.T, stages []Stage) (g modelGate) {
	if rapid.IntRange(0, 2).Draw(t, "has until") == 0 {
		g.until = drawCond(t, stages, 1)
	}
	if rapid.IntRange(0, 2).Draw(t, "has stay") == 0 {
		g.stay = rapid.SampledFrom(genWindows).Draw(t, "stay")
	}
	return g
}

func drawCond(t *rapid.T, stages []Stage, depth int) *cond {
	ops := []string{"seen", "count", "sum", "at_least", "within", "idle", "never", "inactive",
		"trait", "has_been", "was", "left", "stage", "in_stage_for", "source", "days_until", "days_since", "before", "after", "score", "score"}
	if depth > 0 {
		ops = append(ops, "and", "or", "not", "and", "or", "not")
	}
	c := &cond{op: rapid.SampledFrom(ops).Draw(t, "op")}
	switch c.op {
	case "and", "or":
		for range rapid.IntRange(2, 3).Draw(t, "branches") {
			c.kids = append(c.kids, drawCond(t, stages, depth-1))
		}
		return c
	case "not":
		c.kids = []*cond{drawCond(t, stages, depth-1)}
		return c
	}
	c.event = rapid.SampledFrom(genEvents).Draw(t, "event")
	c.n = rapid.IntRange(1, 3).Draw(t, "n")
	c.window = rapid.SampledFrom(genWindows).Draw(t, "window")
	c.trait = rapid.SampledFrom(genTraits).Draw(t, "trait")
	c.value = drawValue(t)
	if c.op == "score" {
		c.trait, c.n = rapid.SampledFrom(genScores).Draw(t, "score"), rapid.IntRange(-4, 12).Draw(t, "points")
	}
	if isDays(c.op) {
		c.n = rapid.SampledFrom(genDays).Draw(t, "days")
	}
	c.stage = rapid.SampledFrom(stages).Draw(t, "stage")
	orders := []string{"==", "!=", "<", "<=", ">", ">="}
	if c.op == "stage" || c.op == "source" {
		orders = orders[:2]
	}
	c.cmp = rapid.SampledFrom(orders).Draw(t, "comparison")
	if c.op == "source" {
		c.value = rapid.SampledFrom(genSources).Draw(t, "source")
	}
	return c
}

func drawValue(t *rapid.T) any {
	return rapid.SampledFrom([]any{int64(1), int64(2), "2", "gold", true, 1.5, nil}).Draw(t, "value")
}

// drawEvents draws a history: instants close together and often equal, so that
// windows end exactly on events.
func drawEvents(t *rapid.T, m *model) []Event {
	var list []Event
	n := rapid.IntRange(1, 14).Draw(t, "events")
	for i := range n {
		at := genStart + Instant(rapid.IntRange(0, 24).Draw(t, "half seconds"))*500_000 +
			Instant(rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(t, "off by"))
		e := event(i+1, at, rapid.SampledFrom(genEvents).Draw(t, "name"))
		e.ID[0] = byte(rapid.IntRange(0, 255).Draw(t, "id"))
		e.Connection = rapid.SampledFrom(genSources).Draw(t, "connection")
		switch rapid.IntRange(0, 9).Draw(t, "carries") {
		case 0, 1:
			value := drawValue(t)
			if rapid.Bool().Draw(t, "a date") {
				value = rapid.SampledFrom(genDates).Draw(t, "date").value
			}
			e.Traits = []Trait{{rapid.SampledFrom(append(genScores, genTraits...)).Draw(t, "trait"), value, 0}}
			if rapid.IntRange(0, 2).Draw(t, "older record") == 0 {
				e.Traits[0].At = at - Instant(rapid.IntRange(0, 4).Draw(t, "seconds"))*1_000_000
			}
		case 2:
			e.Value = &Money{int64(rapid.IntRange(-3, 3).Draw(t, "amount")) * 1_000_000, "EUR"}
		case 3:
			e.Claim = drawStage(t, m)
		case 4:
			until := Instant(0)
			if rapid.Bool().Draw(t, "has until") {
				until = at + Instant(rapid.IntRange(0, 8).Draw(t, "until"))*500_000
			}
			e = PinEvent(e.ID, at, drawStage(t, m), "", until)
		case 5:
			e = UnpinEvent(e.ID, at, "")
		case 6:
			e.BusinessKey = rapid.SampledFrom([]string{"k1", "k2"}).Draw(t, "key")
		}
		list = append(list, e)
	}
	return list
}

func drawStage(t *rapid.T, m *model) Stage {
	if rapid.IntRange(0, 7).Draw(t, "unknown stage") == 0 {
		return "Elsewhere"
	}
	return rapid.SampledFrom(m.stages).Draw(t, "claimed").name
}
