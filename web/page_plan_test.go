package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

const firstPlan = `name: mine
stages:
  - { name: Visit }
  - { name: Subscriber, when: 'seen("Newsletter:Subscribed") || seen("Demo:Requested") || traits.lead_score >= 50' }
  - { name: Gone, side: true, from: [Subscriber], when: 'inactive("60d")', until: 'within("Newsletter:Subscribed", "7d")', stay: 2d }
segments:
  fresh: within("Newsletter:Subscribed", "30d")
lifecycles:
  academy:
    about: Courses
    stages:
      - { name: Guest }
      - { name: Student, when: seen("Newsletter:Subscribed") }
`

// secondPlan has another stage that subscribers are in, and one segment less.
const secondPlan = `name: mine
stages:
  - { name: Visit }
  - { name: Reader, when: seen("Newsletter:Subscribed") }
`

// crlf is a text as browsers send it.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// TestPlanPage shows a plan as a person reads it.
func TestPlanPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	first := l.post("/plan", "version", "0", "source", crlf(firstPlan), "publish", "yes", "note", "to begin with", "percent", "100")
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.process()
	l.work()
	l.has("published", l.follow(first), "Published as version 1.", "Plan mine", "1 person was brought to version 1.", "to begin with",
		"“Newsletter:Subscribed” or “Demo:Requested” has happened or the trait “lead_score” is at least 50",
		"<span class=\"soft\">until</span> “Newsletter:Subscribed” happened within the last 7 days", "for at least 2 days", "from Subscriber",
		`<a href="/people?stage=Subscriber">1</a>`, `<a href="/people?segment=fresh">1</a>`, `<a href="/people?lifecycle=academy&amp;stage=Student">1</a>`, "Courses",
		"Newsletter:Subscribed</code>", "<code>traits.lead_score</code>")
	l.has("a template", l.get("/plan?template=journey"), "name: journey", "The editor holds the ready-made plan journey", `name="version" value="1"`)
	if a := l.get("/plan?template=nothing"); a.Status != 404 {
		t.Errorf("a template that there is not: %d", a.Status)
	}
	if a := l.get("/plan?published=77"); strings.Contains(a.Body, "Published as") {
		t.Error("a version that there is not is told as published")
	}
}

// TestDryRunOfPlan looks at everybody under a draft, which is kept meanwhile.
func TestDryRunOfPlan(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", &connectors.PushConfig{Enabled: true, Stages: map[string]string{"Visit": "a", "Subscriber": "b", "Reader": "c"}})
	l.post("/plan", "version", "0", "source", firstPlan, "publish", "yes")
	l.work()
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "order", `{"email":"ben@example.com","amount":"1"}`)
	l.process()
	asked := l.post("/plan", "version", "1", "source", crlf(secondPlan), "preview", "yes", "percent", "100")
	l.has("while it waits", l.follow(asked), "It waits for its turn", `data-live="/live/work/2"`, "name: Reader", `action="/work/2/cancel"`)
	l.work()
	l.has("afterwards", l.follow(asked), "2 of 2 people would change.", "What publishing would do", `<th scope="row">Subscriber</th>`, "→ Reader",
		`<details><summary>1</summary><a href="/people/1">1</a> </details>`, "fresh", `<a href="/connections/crm">crm</a>`, "Publishing was not measured here yet",
		"From stage to stage in academy", "name: Reader", "Compared with version 1")
	l.has("long work", l.get("/work"), `<a href="/plan?job=2">plan preview</a>`, "2 of 2 people would change.")
	if a := l.get("/plan?job=1"); a.Status != 404 {
		t.Errorf("other work as a dry run: %d", a.Status)
	}
	l.has("a share", l.follow(l.post("/plan", "version", "1", "source", secondPlan, "preview", "yes", "percent", "12.5")), `name="percent" min="0.01" max="100" step="any" value="12.5"`)
	for name, pairs := range map[string][]string{
		"a share that there is not": {"version", "1", "source", secondPlan, "percent", "120", "preview", "yes"},
		"no number":                 {"version", "1", "source", secondPlan, "percent", "many", "publish", "yes"},
	} {
		if a := l.post("/plan", pairs...); a.Status != 422 || !strings.Contains(a.Body, "want 0.01 to 100") || !strings.Contains(a.Body, "name: Reader") {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	begun := l.api("POST", "/plan/preview?all=true", secondPlan)
	l.work()
	over := l.api("GET", strings.TrimPrefix(begun.Header.Get("Location"), "/api/v1"), "")
	at := l.api("POST", "/plan/preview", secondPlan)
	var long struct{ Result map[string]any }
	var short map[string]any
	if json.Unmarshal([]byte(over.Body), &long) != nil || json.Unmarshal([]byte(at.Body), &short) != nil || begun.Status != 202 {
		t.Fatalf("%d %s %s", begun.Status, over.Body, at.Body)
	}
	for _, took := range []string{"seconds", "publish_seconds_at_least"} { // of two different looks
		delete(long.Result, took)
		delete(short, took)
	}
	if a, b := mustJSON(t, long.Result), mustJSON(t, short); a != b || !strings.Contains(a, `"to":"Reader"`) {
		t.Errorf("as long work %s, at once %s", a, b)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRolloutPage publishes step by step, widens, withdraws, and goes back.
func TestRolloutPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.post("/plan", "version", "0", "source", firstPlan, "publish", "yes")
	l.work()
	l.has("to a share", l.follow(l.post("/plan", "version", "1", "source", secondPlan, "publish", "yes", "percent", "25", "note", "carefully")),
		`Version <a href="/plan/versions/2">2</a> is being rolled out`, "25 % of all people", "the others are under version 1", "carefully",
		"People are being brought to the plan", `data-live="/live/work/2"`)
	l.work()
	l.has("there", l.get("/plan"), "brought to version 2 for 25 % of all, version 1 for the others.", `name="act" value="withdraw"`)
	refused := l.post("/plan", "version", "1", "source", secondPlan, "publish", "yes", "note", "once more")
	if refused.Status != 422 || !strings.Contains(refused.Body, "finish or withdraw it first") || !strings.Contains(refused.Body, `value="once more"`) {
		t.Errorf("one at a time: %d %s", refused.Status, refused.Body)
	}
	l.has("wider", l.follow(l.post("/plan/rollout", "act", "share", "percent", "50")), "50 % of all people")
	l.has("withdrawn", l.follow(l.post("/plan/rollout", "act", "withdraw")), "Plan mine", "Subscriber")
	if a := l.get("/plan"); strings.Contains(a.Body, "is being rolled out") {
		t.Error("still rolled out")
	}
	if a := l.post("/plan/rollout", "act", "finish"); a.Status != 404 {
		t.Errorf("nothing to finish: %d", a.Status)
	}
	if a := l.post("/plan/rollout", "act", "more"); a.Status != 400 {
		t.Errorf("an act that there is not: %d", a.Status)
	}
	l.post("/plan", "version", "1", "source", secondPlan, "publish", "yes", "percent", "5")
	l.has("finished", l.follow(l.post("/plan/rollout", "act", "finish")), "<td>Reader", "Back to version 1, for everybody")
	l.has("one step back", l.follow(l.post("/plan/rollback", "version", "1")), "Published as version 4.", "<td>Subscriber")
	if a := l.post("/plan/rollback", "version", "first"); a.Status != 400 {
		t.Errorf("no version: %d", a.Status)
	}
}

// TestDryRunOfAccounts tells what would become of accounts beside people.
func TestDryRunOfAccounts(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "news", `{"email":"ann@acme.example.com"}`)
	l.process()
	plan := secondPlan + "accounts:\n  by: [domain]\n  stages:\n    - { name: Known }\n    - { name: Reading, when: 'any(stage == \"Reader\")' }\n  segments:\n    small: people < 5\n"
	asked := l.post("/plan", "version", "0", "source", plan, "preview", "yes")
	l.work()
	l.has("dry run", l.follow(asked), "<h3>Accounts</h3>", "1 of 1 account would change.", "→ Reading", "domain:acme.example.com", "small: 1 enter, 0 leave.")
	l.has("published", l.follow(l.post("/plan", "version", "0", "source", plan, "publish", "yes")), "Accounts</h2>", "Found by domain.", "any(stage ==")
}
