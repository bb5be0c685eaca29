package web_test

import (
	"strings"
	"testing"
)

// TestPlanIsRolledOut walks through a staged rollout and the long work that it
// makes; each step says what it sends and what must be in the answer.
func TestPlanIsRolledOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	const first, second = "name: x\nstages:\n  - { name: A }\n", "name: x\nstages:\n  - { name: B }\n"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		has                      []string
	}{
		{name: "no rollout", method: "GET", path: "/plan/rollout", status: 404},
		{name: "first", method: "PUT", path: "/plan?note=begin", body: first, status: 200, has: []string{`{"version":1,"job":"1"}`}},
		{name: "what is no share", method: "PUT", path: "/plan?percent=0", body: second, status: 400, has: []string{`"field":"percent"`}},
		{name: "nor is that", method: "PUT", path: "/plan?percent=NaN", body: second, status: 400, has: []string{`"field":"percent"`}},
		{name: "tried on a share", method: "POST", path: "/plan/preview?percent=12.5", body: second, status: 200, has: []string{`"whole":true`}},
		{name: "to a share", method: "PUT", path: "/plan?percent=12.5&note=try", body: second, status: 200, has: []string{`{"version":2,"job":"2"}`}},
		{name: "rollout", method: "GET", path: "/plan/rollout", status: 200, has: []string{`{"version":2,"percent":12.5,"base":1,"author":"api","note":"try"}`}},
		{name: "the others stay", method: "GET", path: "/plan", status: 200, has: []string{"name: A"}},
		{name: "one at a time", method: "PUT", path: "/plan", body: first, status: 409, has: []string{"finish or withdraw"}},
		{name: "wider", method: "POST", path: "/plan/rollout", body: `{"percent":50,"note":"so far so good"}`, status: 202,
			has: []string{`"kind":"plan publish"`, `"reason":"so far so good"`, `"unit":"people"`, `"seconds_left":null`}},
		{name: "withdrawn", method: "DELETE", path: "/plan/rollout", status: 202},
		{name: "nothing to withdraw", method: "DELETE", path: "/plan/rollout", status: 404},
		{name: "to a share again", method: "PUT", path: "/plan?percent=5", body: second, status: 200, has: []string{`"version":3`}},
		{name: "finished", method: "POST", path: "/plan/rollout", body: `{"percent":100}`, status: 202},
		{name: "in force", method: "GET", path: "/plan", status: 200, has: []string{"name: B"}},
		{name: "one step back", method: "POST", path: "/plan/rollback", body: `{"note":"no good"}`, status: 200, has: []string{`"version":4`}},
		{name: "back in force", method: "GET", path: "/plan", status: 200, has: []string{"name: A"}},
		{name: "reasons are kept", method: "GET", path: "/plan/versions", status: 200, has: []string{`"note":"no good"`, `"note":"try"`, `"author":"api"`}},
		{name: "what differs", method: "GET", path: "/plan/versions/1/diff/2", status: 200,
			has: []string{`{"from":1,"to":2,"changes":[{"change":"removed","path":"stages / A","was":"{ name: A }"},{"change":"added","path":"stages / B","is":"{ name: B }"}],"lines":["-3   - { name: A }","+3   - { name: B }"]}`}},
		{name: "nothing differs", method: "GET", path: "/plan/versions/1/diff/4", status: 200, has: []string{`"changes":[],"lines":[]`}},
		{name: "no such version", method: "GET", path: "/plan/versions/1/diff/99", status: 404},
		{name: "no version at all", method: "GET", path: "/plan/versions/a/diff/1", status: 400},
		{name: "which is in force", method: "GET", path: "/plan/versions", status: 200, has: []string{`"state":"in force"`}},
		{name: "rules of nobody", method: "GET", path: "/connections/none/rules/versions/0/diff/1", status: 404},
		{name: "long work", method: "GET", path: "/jobs?limit=2&kind=plan%20publish", status: 200, has: []string{`"id":"7"`, `"id":"6"`, `"next":"6"`, `"state":"queued"`}},
		{name: "the rest of it", method: "GET", path: "/jobs?limit=2&next=2", status: 200, has: []string{`"id":"1"`, `"next":""`}},
		{name: "one of it", method: "GET", path: "/jobs/7", status: 200, has: []string{`"about":"7"`}},
		{name: "canceled", method: "POST", path: "/jobs/7/cancel", status: 202, has: []string{`"canceling":true`}},
		{name: "none of it", method: "GET", path: "/jobs/99", status: 404},
		{name: "nothing to cancel", method: "POST", path: "/jobs/99/cancel", status: 404},
	} {
		a := l.api(c.method, c.path, c.body)
		if a.Status != c.status {
			t.Fatalf("%s: %d, want %d: %s", c.name, a.Status, c.status, a.Body)
		}
		for _, part := range c.has {
			if !strings.Contains(a.Body, part) {
				t.Errorf("%s: %q is not in %s", c.name, part, a.Body)
			}
		}
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := l.api("GET", "/jobs/7", ""); !strings.Contains(a.Body, `"state":"canceled"`) {
		t.Errorf("the canceled one: %s", a.Body)
	}
	if a := l.api("GET", "/plan", ""); !strings.Contains(a.Body, "name: B") {
		t.Errorf("canceling puts back what was in force before: %s", a.Body)
	}
	if a := l.api("POST", "/jobs/6/cancel", ""); a.Status != 409 || !strings.Contains(a.Body, "done") {
		t.Errorf("canceling what is over: %d %s", a.Status, a.Body)
	}
}

// TestRulesAreTriedOnEverything: the answer is long work, whose result says
// what would differ.
func TestRulesAreTriedOnEverything(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	const path = "/connections/crm/rules/preview?all=true"
	rules := "rules:\n  - { name: any, type: \"*\", emit: { event: \"Account:Created\", identity: { email: \"'ann@example.com'\" } } }\n"
	l.tell("crm", "nothing.known", `{}`)
	l.process()
	if a := l.api("POST", path, "rules: [ { name: 1 } ]"); a.Status != 422 {
		t.Errorf("a draft with mistakes: %d %s", a.Status, a.Body)
	}
	for _, wrong := range []string{"&status=pending", "&connection=shop", "&person=email:nobody@example.com", "&since=yesterday"} {
		if a := l.api("POST", path+wrong, rules); a.Status != 400 {
			t.Errorf("%s: %d %s", wrong, a.Status, a.Body)
		}
	}
	a := l.api("POST", path, rules)
	if a.Status != 202 || a.Header.Get("Location") == "" || !strings.Contains(a.Body, `"kind":"rules preview"`) {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	a = l.api("GET", strings.TrimPrefix(a.Header.Get("Location"), "/api/v1"), "")
	for _, part := range []string{`"state":"done"`, `"raw_events":1,"differ":1`, `{"name":"Account:Created","added":1,"removed":0,"changed":0`,
		`"identity":["email:ann@example.com"]`, `{"from":"ignored","to":"done","raw_events":1}`, `"new_people":1`} {
		if !strings.Contains(a.Body, part) {
			t.Errorf("%q is not in %s", part, a.Body)
		}
	}
}
