package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/lifecycle"
)

func TestRunTests(t *testing.T) {
	t.Parallel()
	rs := compiled(t, `
rules:
  - name: paid
    type: paid
    when: body.ok
    emit:
      event: Order:Completed
      key: body.id
      at: parseTime(body.at)
      identity: { email: body.mails, hubspot: body.vid }
      traits: { plan: body.plan }
      properties: { n: body.n, h: 'headers["x-a"]' }
      value: { amount: body.sum, currency: "'EUR'" }
      stage: "'customer'"
tests:
  - name: all of it
    type: paid
    headers: { X-A: "1" }
    body: { ok: true, id: 7, at: 2024-05-06T07:08:09Z, mails: [Ann@example.com, b@example.com], vid: 51, plan: pro, n: 2, sum: "12.5" }
    want:
      - event: Order:Completed
        key: 7
        at: 2024-05-06T07:08:09Z
        identity: { email: [ann@example.com, B@example.com], hubspot: 51 }
        traits: { plan: pro }
        properties: { n: 2, h: "1" }
        value: { amount: 12.50, currency: EUR }
        stage: Customer
  - name: a subset
    type: paid
    body: { ok: true, vid: 1 }
    want: [ {} ]
  - name: ignored
    type: paid
    body: { ok: false }
    want: []
  - name: wrong in every part
    type: paid
    body: { ok: true, id: 8, vid: 52 }
    want:
      - event: Order:Refunded
        key: "9"
        at: 2024-01-02
        identity: { hubspot: 53 }
        traits: { plan: pro }
        properties: { n: 2 }
        value: { amount: 5 }
        stage: Visit
  - name: wrong money
    type: paid
    body: { ok: true, vid: 52, sum: 1 }
    want: [ { value: { amount: 5, currency: USD } } ]
  - name: too many
    type: paid
    body: { ok: true, vid: 52 }
    want: []
  - name: too few
    type: other
    want: [ {}, {} ]
  - name: fails
    type: paid
    body: { ok: true }
    want: [ {} ]
`, hubspot)
	var got []string
	for _, r := range RunTests(rs) {
		got = append(got, fmt.Sprintf("%s (line %d, %v)", r.Name, r.Line, r.Passed()))
		got = append(got, r.Problems...)
	}
	want := []string{
		"all of it (line 16, true)", "a subset (line 29, true)", "ignored (line 33, true)",
		"wrong in every part (line 37, false)",
		`event 1: event is "Order:Completed", want "Order:Refunded"`,
		`event 1: key is "8", want "9"`,
		"event 1: at is the time 2024-01-01T00:00:00Z, want the time 2024-01-02T00:00:00Z",
		`event 1: stage is "Customer", want "Visit"`,
		"event 1: identity lacks hubspot:53, has [hubspot-eu:52]",
		`event 1: traits.plan is nothing, want "pro"`,
		"event 1: properties.n is nothing, want 2",
		"event 1: value is missing",
		"wrong money (line 49, false)", "event 1: value.amount is 1.00, want 5.00", "event 1: value.currency is EUR, want USD",
		"too many (line 53, false)", "gives 1 event, want no event: Order:Completed",
		"too few (line 57, false)", "gives no event, want 2 events",
		"fails (line 60, false)", `failed: rule "paid", rules[0].emit.identity (line 7, column 7): names nobody: every identifier is empty or cannot be used`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLint(t *testing.T) {
	t.Parallel()
	rs := compiled(t, `
rules:
  - name: everything
    type: "*"
    emit: { event: Order:Complted, identity: { user: body.u } }
  - name: same person each time
    type: a
    each: body.items
    emit: { event: Order:Completed, identity: { user: body.u } }
  - name: counted twice
    type: b
    when: body.x
    emit: { event: Order:Completed, identity: { user: body.u }, value: { amount: 5, currency: "'EUR'" } }
  - name: same condition
    type: b
    when: body.x
    emit: { event: Zzz:Zzz, identity: { user: body.u } }
  - name: fine
    type: c
    each: body.items
    emit: { event: Order:Completed, key: item.id, identity: { user: item.u }, value: { amount: 5, currency: "'EUR'" } }
`, hubspot)
	want := []string{
		"rules.yaml:3:5: rules[0]: matches every event of the connection",
		"rules.yaml:5:13: rules[0].emit: emits Order:Complted, which is not in the vocabulary; did you mean Order:Completed?",
		"rules.yaml:9:13: rules[1].emit: emits once per item of each, but names the same person every time; its identity does not read item",
		"rules.yaml:13:13: rules[2].emit: has a value but no key; two tools that tell of one payment would count it twice",
		`rules.yaml:14:5: rules[3]: has the same type and condition as the rule "counted twice"; one rule can emit a list`,
		"rules.yaml:17:13: rules[3].emit: emits Zzz:Zzz, which is not in the vocabulary",
	}
	if d := cmp.Diff(strings.Join(want, "\n"), rs.Lint([]lifecycle.EventName{"Order:Completed", "Deal:Won"}).Error()); d != "" {
		t.Error(d)
	}
	if n := len(rs.Lint(nil)); n != 4 {
		t.Errorf("%d without a vocabulary", n)
	}
}
