package live

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// school is a plan with a further lifecycle whose stages the main one does not have.
func school(t *testing.T) *lifecycle.Plan {
	t.Helper()
	plan, err := lifecycle.ParsePlan("school.yaml", []byte(`
name: school
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
lifecycles:
  academy:
    stages:
      - { name: Guest }
      - { name: Student, when: 'seen("Course:Started")' }
      - { name: Graduate, when: 'seen("Course:Completed")' }
      - { name: Away, side: true, when: 'inactive("30d")' }
`))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// In January three people come to the academy; one stays a guest, one becomes
// a student after ten days and leaves, one a graduate. What they are in the
// main lifecycle has nothing to do with it.
const schoolStory = `
1 2026-01-01 -> Visit
1 2026-01-05 academy -> Guest
2 2026-01-01 -> Customer
2 2026-01-05 academy -> Guest
2 2026-01-15 academy -> Student
2 2026-03-01 academy -> Away
2 2026-01-20 Lead:Contacted
3 2026-01-06 academy -> Guest
3 2026-01-26 academy -> Student
3 2026-02-10 academy -> Graduate
3 2026-02-20 Survey:Answered kind=nps score=9
3 2026-02-21 Ticket:Opened ticket=7
4 2026-01-01 -> Customer
`

func TestReportsAboutALifecycle(t *testing.T) {
	t.Parallel()
	plan, people := school(t), told(t, schoolStory)
	report := func(name, text string) *Report {
		t.Helper()
		r, err := count(plan, name, options(t, "lifecycle:academy "+text), people)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return r
	}
	for _, want := range []struct {
		report, options, table, row string
		cells                       map[int]string
	}{
		{"funnel", "", "Funnel", "Guest", map[int]string{1: "3"}},
		{"funnel", "", "Funnel", "Student", map[int]string{1: "2"}},
		{"funnel", "window:15", "Funnel", "Student", map[int]string{1: "1"}},
		{"funnel", "", "Funnel", "Graduate", map[int]string{1: "1"}},
		{"stay", "", "Time in stage", "Guest", map[int]string{1: "3", 2: "2", 3: "10.0", 4: "20.0"}},
		{"stay", "", "Time in stage", "Away", map[int]string{1: "1", 2: "0"}},
		{"conversion", "from:2026-01-01 to:2026-03-01", "Conversion by period", "2026-01", map[int]string{1: "Guest", 3: "3", 4: "2"}},
		{"contact", "", "", "Student", map[int]string{1: "1"}},
		{"surveys", "", "By stage", "Graduate", nil},
		{"tickets", "", "", "Graduate", nil},
		{"churn", "basis:stage stages:Student,Graduate from:2026-01-01 to:2026-04-01", "", "2026-03", map[int]string{1: "2"}},
	} {
		row := rowOf(t, report(want.report, want.options), want.table, want.row)
		for i, cell := range want.cells {
			if row[i] != cell {
				t.Errorf("%s %s: %q, want %q in column %d", want.report, want.options, row, cell, i)
			}
		}
	}
	r, err := count(plan, "funnel", options(t, "lifecycle:main"), people)
	if err != nil || rowOf(t, r, "Funnel", "Customer")[1] != "2" {
		t.Errorf("the main one: %+v, %v", r, err)
	}
}

// Refused are lifecycles and stages that the plan does not have, and reports
// that are not about stages.
func TestReportsRefuseALifecycle(t *testing.T) {
	t.Parallel()
	plan := school(t)
	for _, x := range []struct{ report, options, field, words string }{
		{"cohorts", "lifecycle:academy", "lifecycle", "not about stages"},
		{"churn", "lifecycle:academy basis:purchase", "lifecycle", "basis stage only"},
		{"funnel", "lifecycle:support", "lifecycle", "main, academy"},
		{"churn", "lifecycle:academy basis:stage stages:Customer", "stages", "academy does not have"},
		{"precedes", "lifecycle:academy stage:Customer", "stage", "does not have"},
	} {
		o := options(t, x.options)
		err := o.Check(x.report)
		if err == nil {
			_, err = count(plan, x.report, o, nil)
		}
		var wrong *FieldError
		if !errors.As(err, &wrong) || wrong.Field != x.field || !strings.Contains(wrong.Detail, x.words) {
			t.Errorf("%s %s: %v", x.report, x.options, err)
		}
	}
}
