package web_test

import (
	"strings"
	"testing"
)

func TestReports(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"12.50"}`)
	l.process()
	for _, c := range []struct {
		path   string
		status int
		has    string
	}{
		{"/reports", 200, `"name":"concentration"`},
		{"/reports/concentration", 200, `"total":12500000`},
		{"/reports/concentration?currency=usd", 200, `"customers":0`},
		{"/reports/funnel?from=2099-01-01", 200, `"people":1`},
		{"/reports/funnel?connection=crm", 400, "what all connections told"},
		{"/reports/concentration?connection=crm", 200, `"customers":1`},
		{"/reports/attribution?won=Order:Completed", 200, `"touch":"no touch"`},
		{"/reports/concentration?currency=USD&rates=EUR%3D1.5", 200, `"total":18750000`},
		{"/reports/concentration?rates=EUR%3D1.5", 400, "need a currency"},
		{"/reports/churn?basis=stage", 400, "want the stages"},
		{"/reports/precedes?stage=Nowhere", 400, "which the plan does not have"},
		{"/reports/conversion?connection=crm", 400, "what all connections told"},
		{"/reports/funel", 404, "No such report"},
		{"/reports/funnel?from=soon", 400, "want a day"},
		{"/reports/clv?weeks=9999", 400, "from 1 to 520"},
		{"/reports/cohorts?unit=year", 400, "day, week or month"},
	} {
		if a := l.api("GET", c.path, ""); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", c.path, a.Status, a.Body)
		}
	}
	// A pin is part of the way that a stay is measured on.
	if a := l.api("POST", "/profiles/1/pin", `{"stage":"Advocate"}`); a.Status != 200 {
		t.Fatalf("pin: %d %s", a.Status, a.Body)
	}
	if a := l.api("GET", "/reports/stay", ""); a.Status != 200 || !strings.Contains(a.Body, `["Advocate","1","0"`) {
		t.Errorf("stay: %d %s", a.Status, a.Body)
	}
	if a := l.send("GET", "/api/v1/reports", ""); a.Status != 401 {
		t.Errorf("without a token: %d", a.Status)
	}
}

// TestReportAsJob: who prefers so gets the same report out of a job, once for
// the same question.
func TestReportAsJob(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"12.50"}`)
	l.process()
	for range 2 {
		if a := l.api("GET", "/reports/concentration?currency=EUR", "", "Prefer: respond-async, wait=1"); a.Status != 202 || a.Header.Get("Location") != "/api/v1/jobs/1" || !strings.Contains(a.Body, `"kind":"report"`) {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	for path, status := range map[string]int{"/reports/nothing": 404, "/reports/funnel?connection=crm": 400} {
		if a := l.api("GET", path, "", "Prefer: respond-async"); a.Status != status {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := l.api("GET", "/jobs/1", ""); !strings.Contains(a.Body, `"state":"done"`) || !strings.Contains(a.Body, `"total":12500000`) {
		t.Errorf("the job: %s", a.Body)
	}
}
