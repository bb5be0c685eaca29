package lifecycle

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

const governedPlan = "name: a\nstages:\n  - { name: Visit }\n  - { name: Customer, when: 'seen(\"A:B\")' }\n"

const governedEvents = `
events:
  C:D:
    owner: shop team
    properties:
      amount: { type: number, required: true }
      count: integer
      when: time
      tags: list
      any: any
      tier: { values: [basic, pro, 3], description: what was bought }
      contact: { type: text, pii: personal }
      code: { type: text, pii: none }
`

func TestJudge(t *testing.T) {
	t.Parallel()
	strict := mustPlan(t, governedPlan+"unplanned: quarantine\n")
	listed := mustPlan(t, governedPlan+"unplanned: tag\n"+governedEvents)
	open := mustPlan(t, governedPlan+governedEvents)
	good := map[string]any{"amount": "12.50", "count": "7", "when": "2026-03-01T12:00:00Z", "tags": []any{}, "any": 5.5, "tier": "pro"}
	with := func(name string, v any) map[string]any {
		m := maps.Clone(good)
		m[name] = v
		return m
	}
	one := func(v Violation) []Violation { return []Violation{v} }
	for name, c := range map[string]struct {
		plan *Plan
		e    Event
		want []Violation
	}{
		"in the vocabulary":     {strict, Event{Name: "Page:Viewed"}, nil},
		"read by a condition":   {strict, Event{Name: "A:B"}, nil},
		"in nothing":            {strict, Event{Name: "X:Y"}, one(Violation{Class: ViolationEvent, Event: "X:Y", Action: Quarantine})},
		"allowed and told":      {open, Event{Name: "X:Y"}, one(Violation{Class: ViolationEvent, Event: "X:Y", Action: Allow})},
		"a list closes a plan":  {listed, Event{Name: "Page:Viewed"}, one(Violation{Class: ViolationEvent, Event: "Page:Viewed", Action: Tag})},
		"revenue is planned":    {listed, Event{Name: "Deal:Won"}, nil},
		"fits":                  {listed, Event{Name: "C:D", Properties: good}, nil},
		"missing":               {listed, Event{Name: "C:D"}, one(Violation{Class: ViolationMissing, Event: "C:D", Property: "amount", Want: TypeNumber, Action: Tag})},
		"null is missing":       {listed, Event{Name: "C:D", Properties: with("amount", nil)}, one(Violation{Class: ViolationMissing, Event: "C:D", Property: "amount", Want: TypeNumber, Action: Tag})},
		"not a number":          {listed, Event{Name: "C:D", Properties: with("amount", "much")}, one(Violation{Class: ViolationType, Event: "C:D", Property: "amount", Want: TypeNumber, Action: Tag})},
		"not whole":             {listed, Event{Name: "C:D", Properties: with("count", 1.5)}, one(Violation{Class: ViolationType, Event: "C:D", Property: "count", Want: TypeInteger, Action: Tag})},
		"no time":               {listed, Event{Name: "C:D", Properties: with("when", "soon")}, one(Violation{Class: ViolationType, Event: "C:D", Property: "when", Want: TypeTime, Action: Tag})},
		"no list":               {listed, Event{Name: "C:D", Properties: with("tags", "a")}, one(Violation{Class: ViolationType, Event: "C:D", Property: "tags", Want: TypeList, Action: Tag})},
		"a listed number":       {listed, Event{Name: "C:D", Properties: with("tier", "3")}, nil},
		"not among the values":  {listed, Event{Name: "C:D", Properties: with("tier", "Pro")}, one(Violation{Class: ViolationValue, Event: "C:D", Property: "tier", Action: Tag})},
		"another property":      {listed, Event{Name: "C:D", Properties: with("colour", "red")}, one(Violation{Class: ViolationProperty, Event: "C:D", Property: "colour", Action: Allow})},
		"an open event":         {listed, Event{Name: "A:B", Properties: map[string]any{"x": 1}}, nil},
		"personal, and said":    {listed, Event{Name: "C:D", Properties: with("contact", "ann@example.com")}, nil},
		"said to be harmless":   {listed, Event{Name: "C:D", Properties: with("code", "4242424242424242")}, nil},
		"personal, unmarked":    {listed, Event{Name: "C:D", Properties: with("any", "ann@example.com")}, one(Violation{Class: ViolationPII, Event: "C:D", Property: "any", Looks: "an e-mail address", Action: Allow})},
		"personal, in a list":   {listed, Event{Name: "C:D", Properties: with("tags", []any{"x", map[string]any{"to": "+49 30 1234567"}})}, one(Violation{Class: ViolationPII, Event: "C:D", Property: "tags", Looks: "a phone number", Action: Allow})},
		"an address trait":      {listed, Event{Name: "A:B", Traits: []Trait{{Name: "email", Value: "ann@example.com"}}}, nil},
		"another trait":         {listed, Event{Name: "A:B", Traits: []Trait{{Name: "bank", Value: "DE89 3704 0044 0532 0130 00"}}}, one(Violation{Class: ViolationPII, Event: "A:B", Property: "traits.bank", Looks: "an IBAN", Action: Allow})},
		"reserved, told":        {open, Event{Name: "Stagebridge:Pinned", Inbox: 5}, one(Violation{Class: ViolationReserved, Event: "Stagebridge:Pinned", Action: Quarantine})},
		"reserved, by a person": {strict, PinEvent(number(1), start, "Visit", "", 0), nil},
		"several, in order": {listed, Event{Name: "C:D", Properties: map[string]any{"zone": "x", "tier": "gold", "count": "many", "area": "y"}}, []Violation{
			{Class: ViolationMissing, Event: "C:D", Property: "amount", Want: TypeNumber, Action: Tag},
			{Class: ViolationType, Event: "C:D", Property: "count", Want: TypeInteger, Action: Tag},
			{Class: ViolationValue, Event: "C:D", Property: "tier", Action: Tag},
			{Class: ViolationProperty, Event: "C:D", Property: "area", Action: Allow},
			{Class: ViolationProperty, Event: "C:D", Property: "zone", Action: Allow},
		}},
	} {
		got := c.plan.Judge(&c.e)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, v := range got {
			if !strings.Contains(v.Error(), string(c.e.Name)) || strings.Contains(v.Error(), "example.com") {
				t.Errorf("%s: error %q", name, v.Error())
			}
		}
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, governedPlan+`unplanned: tag
governance:
  wrong_type: strip
  unmarked_pii: quarantine
  connections:
    crm-eu: { wrong_type: allow }
    crm-*: { wrong_type: quarantine, unplanned_event: quarantine, unplanned_property: strip }
    "*": { unplanned_property: tag }
`)
	for _, c := range []struct {
		class      ViolationClass
		connection string
		want       Action
	}{
		{ViolationReserved, "crm-eu", Quarantine},
		{ViolationEvent, "web", Tag}, {ViolationMissing, "web", Tag}, {ViolationValue, "web", Tag},
		{ViolationType, "web", Strip}, {ViolationPII, "web", Quarantine}, {ViolationProperty, "web", Tag},
		{ViolationType, "crm-eu", Allow}, {ViolationEvent, "crm-eu", Quarantine},
		{ViolationType, "crm-us", Quarantine}, {ViolationProperty, "crm-us", Strip}, {ViolationPII, "crm-us", Quarantine},
		{"no_class", "web", Allow},
	} {
		if got := p.Action(c.class, c.connection); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.class, c.connection, got, c.want)
		}
	}
	if n := len(p.Overrides()); n != 3 || p.Overrides()[0].Actions[ViolationType] != Allow {
		t.Errorf("overrides: %+v", p.Overrides())
	}
}

func TestStrip(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, governedPlan+governedEvents+"governance: { wrong_type: strip, unplanned_property: strip, value_not_allowed: strip, unmarked_pii: strip }\n")
	e := Event{Name: "C:D", Properties: map[string]any{"amount": "much", "count": 3, "tier": "gold", "colour": "red", "any": "4242 4242 4242 4242"},
		Traits: []Trait{{Name: "bank", Value: "DE89370400440532013000"}, {Name: "city", Value: "Berlin"}}}
	e.Properties["count"] = int64(3)
	e.Strip(p.Judge(&e))
	if diff := cmp.Diff(map[string]any{"count": int64(3)}, e.Properties); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	if len(e.Traits) != 1 || e.Traits[0].Name != "city" {
		t.Errorf("traits: %v", e.Traits)
	}
}

func TestLooksPersonal(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"ann@example.com": "an e-mail address", "Ann.Lee+x@Mail.Example.org": "an e-mail address",
		"+1 (415) 555-0100": "a phone number", "+4930123456": "a phone number",
		"GB82 WEST 1234 5698 7654 32": "an IBAN", "DE89370400440532013000": "an IBAN",
		"4242 4242 4242 4242": "the number of a payment card", "378282246310005": "the number of a payment card",
		"https://example.com/@ann": "", "mailto:ann@example.com": "", "ann@localhost": "", "write to ann@example.com": "",
		"GB82WEST12345698765433": "", "4242424242424241": "", "1234567890123456": "", "+49": "", "0049 30 123456": "",
		"+1234567890123456": "", "@example.com": "", "": "", strings.Repeat("a", 300) + "@example.com": "", "１２３４５６７８９０１２３４５": "",
	} {
		if got := looksPersonal(value); got != want {
			t.Errorf("%q looks like %q, want %q", value, got, want)
		}
	}
	deep := any("ann@example.com")
	for range 10 {
		deep = []any{deep}
	}
	if got := looksPersonal(deep); got != "" {
		t.Errorf("a value too deep to look at looks like %q", got)
	}
}

func TestGovernanceMistakes(t *testing.T) {
	t.Parallel()
	_, err := ParsePlan("plan.yaml", []byte(governedPlan+`unplanned: strip
governance:
  unplanned_event: strip
  wrong_type: drop
  reserved_event: allow
  connections:
    a*b: { unplanned_event: tag }
    crm: { wrong_typ: tag }
  traits: { email: sensitive, iban: secret }
  categories: [Two Words, lower]
events:
  C:D: { owner: "", deprecated: maybe, properties: { x: { type: integer, values: [1, two], pii: none }, y: { values: [] }, z: { values: [[1]] } } }
  E:F: { successor: "E:F" }
  G:H: { successor: "X:Y" }
  I:J: { successor: "E:F" }
`))
	var list document.Errors
	if !errors.As(err, &list) {
		t.Fatalf("got %v, want document.Errors", err)
	}
	for _, want := range []string{
		"unplanned: can't be strip",
		"governance.unplanned_event: can't be strip",
		`governance.wrong_type: is "drop", want allow, tag, strip or quarantine`,
		"governance.reserved_event: is not a field here",
		"governance.connections.a*b: is not a connection's id",
		"governance.connections.crm.wrong_typ: is not a field here; did you mean wrong_type?",
		"governance.traits.email: can't be sensitive",
		`governance.traits.iban: is "secret", want none, personal or sensitive`,
		`governance.categories: holds "Two Words"`,
		`governance.categories: holds "lower"`,
		"events.C:D.owner: is empty",
		"events.C:D.deprecated: is a text, want true or false",
		"events.C:D.properties.x.values[1]: is not of the type integer",
		"events.C:D.properties.y.values: is empty",
		"events.C:D.properties.z.values[0]: is a list",
		"events.E:F.successor: is the event itself",
		`events.G:H.successor: names "X:Y", which is described neither here`,
		`events.I:J.successor: names "E:F", which is deprecated as well`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	if len(list) != 18 {
		t.Errorf("%d mistakes, want 18:\n%v", len(list), err)
	}
}

func TestJudgementPrint(t *testing.T) {
	t.Parallel()
	base := governedPlan + governedEvents
	old := mustPlan(t, base).JudgementPrint()
	for name, c := range map[string]struct {
		text string
		same bool
	}{
		"the same":        {base, true},
		"a stage renamed": {strings.Replace(base, "Visit", "Visitor", 1), true},
		"an owner":        {strings.Replace(base, "shop team", "sales", 1), true},
		"a type":          {strings.Replace(base, "count: integer", "count: number", 1), false},
		"a value":         {strings.Replace(base, "basic, pro", "basic, pro, max", 1), false},
		"an action":       {base + "unplanned: tag\n", false},
		"an override":     {base + "governance: { connections: { crm: { wrong_type: tag } } }\n", false},
		"a condition":     {strings.Replace(base, "A:B", "A:C", 1), false},
		"a mark":          {base + "governance: { traits: { iban: personal } }\n", false},
	} {
		if got := mustPlan(t, c.text).JudgementPrint() == old; got != c.same {
			t.Errorf("%s: the same %v, want %v", name, got, c.same)
		}
	}
}
