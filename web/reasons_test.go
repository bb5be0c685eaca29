package web_test

import (
	"strings"
	"testing"
)

// TestReasonsAreKept: whoever goes back to other rules or another plan, by page
// or API, says why, and the lists of versions tell it with the author.
func TestReasonsAreKept(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	rules := strings.Replace(labRules, "name: news", "name: letters", 1)
	for _, why := range []string{"one", "two"} {
		if a := l.api("PUT", "/connections/crm/rules?note="+why, rules+"# "+why+"\n"); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if a := l.api("POST", "/connections/crm/rules/rollback", `{"version":1,"note":"names were missing"}`); a.Status != 200 || !strings.Contains(a.Body, `"version":3`) {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.follow(l.post("/connections/crm/rules/2", "reason", "they came back"))
	l.follow(l.post("/connections/crm/rules/1"))
	list := l.api("GET", "/connections/crm/rules/versions", "").Body
	for _, want := range []string{`"version":5,"author":"admin"`, `"note":"back to version 1"`, `"note":"they came back"`, `"author":"api","note":"names were missing"`} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not in %s", want, list)
		}
	}
	l.wants("/connections/crm/rules", "<th>Reason</th>", "<td>they came back</td>", "<td>names were missing</td>")

	for _, why := range []string{"first", "second"} {
		if a := l.api("PUT", "/plan?note="+why, "name: "+why+"\nstages:\n  - name: Visit\n"); a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	l.wants("/plan", `<label for="back-why">Why go back</label>`)
	l.follow(l.post("/plan/rollback", "version", "1", "note", "too many churned"))
	l.wants("/plan", "<th>Reason</th>", "<td>too many churned</td>", "<td>second</td>")
	if a := l.api("PUT", "/plan?percent=10&note=careful", "name: third\nstages:\n  - name: Visit\n"); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.wants("/plan", "careful", `<label for="rollout-why">Why</label>`)
	l.follow(l.post("/plan/rollout", "act", "withdraw", "note", "no use"))
	if a := l.api("GET", "/jobs?kind=plan%20publish", ""); !strings.Contains(a.Body, `"reason":"no use"`) {
		t.Errorf("why it was withdrawn is not kept: %s", a.Body)
	}
}
