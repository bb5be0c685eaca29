package web_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const causePlan = `name: causes
accounts:
  by: [domain]
  stages:
    - { name: Known }
    - { name: Client, when: 'any(was("Customer"))' }
claims: { crm: { mode: hold, for: 20d } }
stages:
  - { name: Visit }
  - { name: Subscriber, when: 'seen("Newsletter:Subscribed")' }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Retained, when: 'count("Order:Completed") >= 2' }
  - { name: Dormant, side: true, when: 'idle("Order:Completed", "30d")' }
`

const causeRules = labRules + `
  - { name: says, type: says, emit: { event: "Stage:Claimed", stage: body.stage, identity: { email: body.email } } }
  - { name: both, type: both, emit: { event: "Contact:Updated", identity: { email: body.email, user: body.user } } }
  - { name: row, type: import.row, emit: { event: "Order:Completed", identity: { email: body.email }, at: body.when } }
`

// explained is what a tool reads of an explanation.
type explained struct {
	ID, Stage, Since, Via string
	NextCheck             string `json:"next_check"`
	RollingOut            bool   `json:"rolling_out"`
	Settled               bool
	Plan                  int64 `json:"plan_version"`
	Cause                 struct {
		By, Event, At, Reason, Body string
		Raw                         *struct{ ID, Connection, Type, Rule string }
	}
	Pin     *struct{ Stage, Until, Reason string }
	Account *struct{ Key, Stage string }
	Next    []struct {
		Stage string
		Unmet []struct{ Text, Flips string }
	}
}

func (l *lab) explained(id string) explained {
	l.Helper()
	a := l.api("GET", "/profiles/"+id+"/explain", "")
	var x explained
	if err := json.Unmarshal([]byte(a.Body), &x); err != nil || a.Status != 200 {
		l.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return x
}

// TestExplainSaysWhatIsBehind: for whoever it is, an explanation names what
// brought them where they stand, down to the raw event or the decision, what
// is missing for the stages to come, and when time alone changes something.
func TestExplainSaysWhatIsBehind(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	must := func(a answer) answer {
		t.Helper()
		if a.Status >= 300 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return a
	}
	work := func() {
		t.Helper()
		if err := l.admin.Works.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	must(l.api("PUT", "/connections/crm/rules", causeRules))
	must(l.api("PUT", "/plan", causePlan))
	work()
	id := func(email string) string {
		t.Helper()
		var found struct{ Items []struct{ ID string } }
		if err := json.Unmarshal([]byte(l.api("GET", "/profiles?key=email:"+email, "").Body), &found); err != nil || len(found.Items) != 1 {
			t.Fatalf("%s: %v %v", email, found, err)
		}
		return found.Items[0].ID
	}
	ordered := l.tell("crm", "order", `{"email":"ann@acme.example.com","amount":"1"}`)
	l.tell("crm", "news", `{"email":"ben@example.com"}`)
	l.tell("crm", "says", `{"email":"cid@example.com","stage":"Subscriber"}`)
	l.tell("crm", "import.row", fmt.Sprintf(`{"email":"dora@example.com","when":%q}`, l.now.AddDate(0, 0, -31).Format(time.RFC3339)))
	l.tell("crm", "news", `{"email":"eve@example.com"}`)
	l.process()
	l.tell("crm", "both", `{"email":"eve@example.com","user":"u1"}`)
	l.tell("crm", "both", `{"email":"fred@example.com","user":"u2"}`)
	l.process()
	must(l.api("POST", "/profiles/"+id("ben@example.com")+"/pin", `{"stage":"Customer","reason":"by phone","until":"2100-01-01T00:00:00Z"}`))
	must(l.api("POST", "/profiles/"+id("eve@example.com")+"/join", `{"key":"email:fred@example.com","reason":"twins"}`))

	x := l.explained(id("ann@acme.example.com"))
	if x.Stage != "Customer" || x.Cause.By != "event" || x.Cause.Event != "Order:Completed" || x.Cause.Raw == nil || x.Cause.Raw.ID != fmt.Sprint(ordered) ||
		x.Cause.Raw.Connection != "crm" || x.Cause.Raw.Rule != "order" || !strings.Contains(x.Cause.Body, `"amount":"1"`) || !x.Settled {
		t.Errorf("by an event: %+v", x)
	}
	if len(x.Next) == 0 || x.Next[0].Stage != "Retained" || len(x.Next[0].Unmet) != 1 || x.Next[0].Unmet[0].Text != `count("Order:Completed") >= 2` || x.NextCheck == "" {
		t.Errorf("what is missing: %+v", x)
	}
	if x.Account == nil || x.Account.Key != "domain:acme.example.com" || x.Account.Stage != "Client" {
		t.Errorf("of an account: %+v", x.Account)
	}
	x = l.explained(id("ben@example.com"))
	if x.Stage != "Customer" || x.Via != "pin" || x.Cause.By != "decision" || x.Cause.Event != "Stagebridge:Pinned" || !strings.Contains(x.Cause.Reason, "by phone") ||
		x.Pin == nil || x.Pin.Until != "2100-01-01T00:00:00Z" || x.NextCheck == "" {
		t.Errorf("pinned: %+v", x)
	}
	x = l.explained(id("cid@example.com"))
	if x.Stage != "Subscriber" || x.Via != "claim" || x.Cause.By != "event" || x.Cause.Raw == nil || x.Cause.Raw.Rule != "says" {
		t.Errorf("claimed: %+v", x)
	}
	x = l.explained(id("dora@example.com"))
	if began := l.now.AddDate(0, 0, -31).Format(time.RFC3339); x.Stage != "Dormant" || x.Cause.By != "time" || x.Cause.Event == "" || x.Cause.At != began {
		t.Errorf("imported, and dormant since: %+v", x)
	}
	x = l.explained(id("fred@example.com"))
	if survivor := id("eve@example.com"); x.ID != survivor || l.explained("6").ID != survivor || x.Stage != "Subscriber" || x.Cause.By != "event" {
		t.Errorf("joined: %+v, by the old number %s", x, l.explained("6").ID)
	}

	must(l.api("PUT", "/plan?percent=99.99", causePlan+"segments: { all: 'seen(\"Newsletter:Subscribed\")' }\n"))
	before := l.explained(id("ann@acme.example.com"))
	work()
	after := l.explained(id("ann@acme.example.com"))
	if !before.RollingOut || before.Settled || !after.RollingOut || !after.Settled || after.Plan != before.Plan {
		t.Errorf("rolled out: %+v, then %+v", before, after)
	}
}

// TestPreviewTellsOfAccounts: the preview of a plan says how accounts move.
func TestPreviewTellsOfAccounts(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@acme.example.com","amount":"1"}`)
	l.tell("crm", "news", `{"email":"ben@other.example.com"}`)
	l.process()
	a := l.api("POST", "/plan/preview", causePlan)
	for _, part := range []string{`"accounts":{"accounts":2,"unsettled":0,"whole":true,"changed":2,`, `{"from":"","to":"Client","accounts":1,"sample":["domain:acme.example.com"]}`,
		`{"from":"","to":"Known","accounts":1,"sample":["domain:other.example.com"]}`} {
		if a.Status != 200 || !strings.Contains(a.Body, part) {
			t.Errorf("%d: %q is not in %s", a.Status, part, a.Body)
		}
	}
	if a := l.api("POST", "/plan/preview", "name: x\nstages: [ { name: A } ]\n"); !strings.Contains(a.Body, `"accounts":null`) {
		t.Errorf("without accounts: %s", a.Body)
	}
}
