package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/web"
)

// TestReportPages opens every report of an empty bridge and of one with people
// whose names are hostile.
func TestReportPages(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	checkPage(t, l, "/reports", "Who comes back, and who leaves?")
	for _, r := range live.Reports() {
		checkPage(t, l, "/reports/"+r.Name, "Formula:")
	}
	fillHostile(t, l)
	for day, amount := range []string{"12.50", "40.00", "7.00", "12.50"} {
		l.now = l.now.Add(40 * 24 * time.Hour)
		for _, who := range []string{"ann", "bob", "eve"}[:1+day%3] {
			l.tell("crm", "order", `{"email":"`+who+`@example.com","amount":"`+amount+`","n":`+strconv.Itoa(day)+`}`)
		}
		l.process()
	}
	l.now = l.now.Add(40 * 24 * time.Hour)
	l.get("/reports") // a session gets another token in that time
	for _, r := range live.Reports() {
		checkPage(t, l, "/reports/"+r.Name, "Download as CSV")
	}
	for path, has := range map[string]string{
		"/reports/funnel":                                      `aria-label="People at each stage (percent of the stage before)"`,
		"/reports/cohorts":                                     `cohort (people)`,
		"/reports/stay":                                        `days in the stage`,
		"/reports/concentration":                               `if all had the same`,
		"/reports/rfm":                                         `recency 5, frequency`,
		"/reports/churn?basis=purchase":                        `, came back: `,
		"/reports/attribution?won=Order:Completed":             `no touch, linear: 7.00`,
		"/reports/attribution?won=Order:Completed&by=medium":   `<option selected>medium</option>`,
		"/reports/concentration?segment=vip&from=2020-01-01":   `<option selected>vip</option>`,
		"/reports/concentration?currency=EUR&connection=crm":   `href="/reports/concentration?connection=crm&amp;currency=EUR&amp;format=csv"`,
		"/reports/cohorts?unit=week&kind=rolling&events=a%22b": `value="a&#34;b"`,
	} {
		checkPage(t, l, path, has)
		wellFormed(t, path, l.get(path).Body)
	}
}

// wellFormed reads every picture of a page as XML.
func wellFormed(t *testing.T, path, body string) {
	t.Helper()
	pictures := strings.Split(body, "<svg ")[1:]
	if len(pictures) == 0 {
		t.Errorf("%s: there is no picture", path)
	}
	for _, p := range pictures {
		p, _, _ = strings.Cut(p, "</svg>")
		d := xml.NewDecoder(strings.NewReader("<svg " + p + "</svg>"))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v in %s", path, err, p)
				break
			}
		}
		if strings.Contains(p, "NaN") || strings.Contains(p, "Inf") {
			t.Errorf("%s: a number is none: %s", path, p)
		}
	}
}

func TestReportPageRefuses(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, tt := range []struct {
		path   string
		status int
		has    string
	}{
		{"/reports/funnel?from=soon", 400, "want a day"},
		{"/reports/funnel?from=%3Cscript%3Ealert", 400, "&lt;script&gt;alert"},
		{"/reports/concentration?format=csv&from=soon", 400, "want a day"},
		{"/reports/churn?basis=stage", 400, "want the stages"},
		{"/reports/nothing", 404, "No such report"},
		{"/reports/nothing?format=csv", 404, "No such report"},
	} {
		if a := l.get(tt.path); a.Status != tt.status || !strings.Contains(a.Body, tt.has) || strings.Contains(a.Body, "<script>alert") {
			t.Errorf("%s: %d %s", tt.path, a.Status, a.Body)
		}
	}
}

func TestReportCSV(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"12.50"}`)
	l.process()
	a := l.get("/reports/concentration?currency=EUR&format=csv")
	if a.Status != 200 || !strings.HasPrefix(a.Body, "Figure,Value\nCustomers,1\n") || a.Header.Get("Content-Disposition") != `attachment; filename="concentration.csv"` {
		t.Errorf("%d %v\n%s", a.Status, a.Header, a.Body)
	}
	if a := l.send("GET", "/reports/concentration?format=csv", ""); a.Status == 200 {
		t.Errorf("whoever is not logged in gets %d %s", a.Status, a.Body)
	}
}
