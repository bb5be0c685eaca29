package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

// reportFields matches the names of the fields of a report's form.
var reportFields = regexp.MustCompile(`<(?:input|select)[^>]* id="([a-z]+)" name="([a-z]+)"`)

// TestReportForms holds the form of each report against what the report says it
// reads: a field for every option, with a label, and no other.
func TestReportForms(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	l.connect("crm", nil)
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: wholePersonPlan}); err != nil {
		t.Fatal(err)
	}
	for _, r := range live.Reports() {
		page := l.get("/reports/" + r.Name)
		var want, found []string
		for _, x := range live.OptionsOf(r.Name) {
			want = append(want, x.Name)
		}
		for _, m := range reportFields.FindAllStringSubmatch(page.Body, -1) {
			found = append(found, m[2])
			if !strings.Contains(page.Body, `<label for="`+m[1]+`">`) {
				t.Errorf("%s: %s has no label", r.Name, m[1])
			}
		}
		slices.Sort(want)
		slices.Sort(found)
		if page.Status != 200 || !slices.Equal(want, found) {
			t.Errorf("%s: %d, fields %q, want %q", r.Name, page.Status, found, want)
		}
	}
	for path, has := range map[string]string{
		"/reports/lift":                                         `<details><summary>More that it can be asked</summary>`,
		"/reports/lift?group=won":                               `<option selected>won</option>`,
		"/reports/precedes?stage=Customer":                      `<option selected>Customer</option>`,
		"/reports/speed?hours=9-17":                             `name="hours" value="9-17" aria-describedby="hours-help"`,
		"/reports/economics?margin=0.8&spend=100":               `name="margin" value="0.8"`,
		"/reports/funnel?account=domain:a.example.com&person=1": `name="account" value="domain:a.example.com"`,
		"/reports/funnel?lifecycle=academy":                     `<option selected>academy</option>`,
		"/reports/mrr?source=crm":                               `<option selected>crm</option>`,
	} {
		checkPage(t, l, path, has)
	}
	for _, path := range []string{"/reports/lift?group=won", "/reports/funnel?person=1"} {
		checkPage(t, l, path, `<details open><summary>More that it can be asked</summary>`)
	}
	if a := l.get("/reports/speed?hours=all"); a.Status != 400 || !strings.Contains(a.Body, `value="all"`) || !strings.Contains(a.Body, "<strong>hours</strong>") {
		t.Errorf("what is wrong is not told beside what was typed: %d %s", a.Status, a.Body)
	}
}
