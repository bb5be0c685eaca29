package plandocs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Sender is a rule of a connection that may send an event.
type Sender struct {
	Connection, Rule string
	Event            lifecycle.EventName
}

// page is what both forms say, in the order in which they say it.
type page struct {
	Name    string
	Version int64
	Stages  []stage
	// Sides are the stages beside the path.
	Sides []stage
	// Lifecycles are those that go on beside the main one.
	Lifecycles []beside
	Segments   []segment
	Accounts   []account
	Scores     []score
	Events     []event
	Traits     []trait
	Claims     []string
	Backs      []string
	Judged     []judged
}

type stage struct {
	Name string
	// Everybody begins here.
	First bool
	Side  bool
	From  []string
	When  *clause
	Until *clause
	Stay  string
	Text  string
}

// beside is a lifecycle that goes on beside the main one; Side stages are among
// its stages.
type beside struct {
	ID, About, Events string
	Stages            []stage
}

type segment struct {
	Name  string
	When  *clause
	Until *clause
	Stay  string
	Text  string
}

type account struct{ Name, Text string }

// clause is a condition as nested lists: Head says how the items belong
// together; a leaf has words alone.
type clause struct {
	Head  string
	Words string
	Items []clause
}

type event struct {
	Name, Description, Owner string
	Activity, Revenue        bool
	Deprecated               bool
	Successor                string
	Senders                  []string
	UsedBy                   []string
	Properties               []property
}

type property struct{ Name, Type, Required, Values, PII, Description string }

type trait struct{ Name, PII string }

// judged is what becomes of one class of events that do not fit.
type judged struct{ Class, Action, Where string }

// pageOf gathers everything. Events are those that the plan describes, reads
// or counts as revenue, and those that somebody sends.
func pageOf(plan *lifecycle.Plan, senders []Sender) *page {
	p := &page{Name: plan.Name(), Version: plan.Version()}
	enter, leave := map[string]*clause{}, map[string]*clause{}
	usedBy := map[lifecycle.EventName][]string{}
	for _, c := range plan.Conditions() {
		of := "stage " + string(c.Stage)
		if c.Segment != "" {
			of = "segment " + string(c.Segment)
		} else if c.Lifecycle != "" {
			of += " of " + c.Lifecycle
		}
		told := clauseOf(c.Clause)
		if c.Leaving {
			leave[of] = &told
		} else {
			enter[of] = &told
		}
		for _, name := range c.Events {
			if !slices.Contains(usedBy[name], of) {
				usedBy[name] = append(usedBy[name], of)
			}
		}
	}
	tell := func(i int, s lifecycle.StageInfo, suffix string) stage {
		of := "stage " + string(s.Name) + suffix
		told := stage{Name: string(s.Name), Side: s.Side, First: i == 0, When: enter[of], Until: leave[of], Stay: span(s.Stay), Text: s.When}
		for _, from := range s.From {
			told.From = append(told.From, string(from))
		}
		return told
	}
	for i, s := range plan.Stages() {
		if told := tell(i, s, ""); s.Side {
			p.Sides = append(p.Sides, told)
		} else {
			p.Stages = append(p.Stages, told)
		}
	}
	for _, l := range plan.Lifecycles() {
		beside := beside{ID: l.ID, About: l.About, Events: strings.Join(l.Events, ", ")}
		for i, s := range l.Stages {
			beside.Stages = append(beside.Stages, tell(i, s, " of "+l.ID))
		}
		p.Lifecycles = append(p.Lifecycles, beside)
	}
	for _, s := range plan.Segments() {
		of := "segment " + string(s.Name)
		p.Segments = append(p.Segments, segment{string(s.Name), enter[of], leave[of], span(s.Stay), s.When})
	}
	for _, s := range slices.Concat(plan.AccountStages(), plan.AccountSegments()) {
		p.Accounts = append(p.Accounts, account{string(s.Name), s.When})
	}
	p.scores(plan, usedBy)
	p.events(plan, senders, usedBy)
	for _, name := range slices.Sorted(maps.Keys(plan.Traits())) {
		p.Traits = append(p.Traits, trait{name, piiWords(plan.Traits()[name])})
	}
	for _, c := range plan.Claims() {
		p.Claims = append(p.Claims, claimWords(c))
	}
	for _, b := range plan.Backs() {
		p.Backs = append(p.Backs, backWords(b))
	}
	p.governance(plan)
	return p
}

func (p *page) events(plan *lifecycle.Plan, senders []Sender, usedBy map[lifecycle.EventName][]string) {
	sent := map[lifecycle.EventName][]string{}
	for _, s := range senders {
		told := fmt.Sprintf("%s (rule “%s”)", s.Connection, s.Rule)
		if !slices.Contains(sent[s.Event], told) {
			sent[s.Event] = append(sent[s.Event], told)
		}
	}
	names := slices.Concat(plan.Own(), plan.Reads(), plan.Revenue(), slices.Collect(maps.Keys(sent)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		spec := plan.Events()[name]
		e := event{
			Name: string(name), Description: spec.Description, Owner: spec.Owner, Activity: spec.Activity, Revenue: slices.Contains(plan.Revenue(), name),
			Deprecated: spec.Deprecated, Successor: string(spec.Successor), Senders: sent[name], UsedBy: usedBy[name],
		}
		slices.Sort(e.Senders)
		for _, of := range slices.Sorted(maps.Keys(spec.Properties)) {
			s := spec.Properties[of]
			told := property{Name: of, Type: string(s.Type), PII: piiWords(s.PII), Description: s.Description}
			if s.Type == lifecycle.TypeAny {
				told.Type = "any"
			}
			if s.Required {
				told.Required = "yes"
			}
			values := make([]string, len(s.Values))
			for i, v := range s.Values {
				values[i] = fmt.Sprint(v)
			}
			told.Values = strings.Join(values, ", ")
			e.Properties = append(e.Properties, told)
		}
		p.Events = append(p.Events, e)
	}
}

func (p *page) governance(plan *lifecycle.Plan) {
	for _, class := range lifecycle.Classes() {
		if class != lifecycle.ViolationReserved {
			p.Judged = append(p.Judged, judged{classWords[class], actionWords[plan.Action(class, "")], "all connections"})
		}
	}
	for _, o := range plan.Overrides() {
		for _, class := range lifecycle.Classes() {
			if action, ok := o.Actions[class]; ok {
				p.Judged = append(p.Judged, judged{classWords[class], actionWords[action], o.Connection})
			}
		}
	}
}

func clauseOf(c lifecycle.Clause) clause {
	told := clause{Words: c.Words}
	switch c.Op {
	case "and":
		told.Head = "all of these"
	case "or":
		told.Head = "at least one of these"
	}
	for _, k := range c.Kids {
		told.Items = append(told.Items, clauseOf(k))
	}
	return told
}

func claimWords(c lifecycle.ClaimInfo) string {
	words := map[string]string{
		"ignore": "is noted and changes nothing", "advance": "counts where it moves the person forward",
		"hold": "is shown, whatever the conditions say",
	}[c.Mode]
	if c.Mode == "hold" && c.For > 0 {
		words += ", for " + span(c.For)
	}
	return fmt.Sprintf("what %s says about a stage %s", c.Connection, words)
}

// backWords says what becomes of a move back that a claim or a pin that ends
// asks for.
func backWords(b lifecycle.BackInfo) string {
	words := map[string]string{"allow": "is made at once", "forbid": "is not made", "after": "is made when it has been due for " + span(b.After)}[b.Policy]
	return fmt.Sprintf("from %s to %s: %s", stageList(b.From), stageList(b.To), words)
}

func stageList(names []lifecycle.Stage) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, " or ")
}

func piiWords(class lifecycle.PII) string {
	return map[lifecycle.PII]string{
		lifecycle.PIINone: "not personal", lifecycle.PIIPersonal: "personal", lifecycle.PIISensitive: "sensitive: neither sent to vendors nor logged",
	}[class]
}

var classWords = map[lifecycle.ViolationClass]string{
	lifecycle.ViolationEvent:    "an event that is not in the plan",
	lifecycle.ViolationMissing:  "a required property is missing",
	lifecycle.ViolationType:     "a property is of another type",
	lifecycle.ViolationValue:    "a property has none of the values listed",
	lifecycle.ViolationProperty: "a property that is not in the plan",
	lifecycle.ViolationPII:      "a value that looks personal and is not marked",
}

var actionWords = map[lifecycle.Action]string{
	lifecycle.Allow:      "taken and counted",
	lifecycle.Tag:        "taken, counted and marked",
	lifecycle.Strip:      "taken without it, counted and marked",
	lifecycle.Quarantine: "parked until plan or rules are mended",
}

// span spells a length of time; empty for none.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return ""
	case d == day:
		return "1 day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}
