package web_test

import (
	"context"
	"strings"
	"testing"
)

// Scores are a job; of few customers only RFM is known, and it becomes a trait.
func TestScores(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"12.50"}`)
	l.process()
	a := l.api("POST", "/scores", "")
	if a.Status != 202 || !strings.HasPrefix(a.Header.Get("Location"), "/api/v1/jobs/") {
		t.Fatalf("start: %d %s", a.Status, a.Body)
	}
	if err := l.admin.Works.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	job := strings.TrimPrefix(a.Header.Get("Location"), "/api/v1")
	if a := l.api("GET", job, ""); !strings.Contains(a.Body, `"state":"done"`) || !strings.Contains(a.Body, `"changed":1`) || !strings.Contains(a.Body, "averages are shown instead") {
		t.Errorf("the job: %s", a.Body)
	}
	if a := l.api("GET", "/profiles/1", ""); !strings.Contains(a.Body, `"rfm":"111"`) || strings.Contains(a.Body, `"clv"`) {
		t.Errorf("the person: %s", a.Body)
	}
	if a := l.send("POST", "/api/v1/scores", ""); a.Status != 401 {
		t.Errorf("without a token: %d", a.Status)
	}
}
