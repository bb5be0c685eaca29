package web_test

import (
	"strings"
	"testing"
)

// TestPin pins and releases through the API and the page.
func TestPin(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.process()
	id := "1"
	preview := l.api("POST", "/plan/preview", "name: x\nstages:\n  - { name: Everybody }\n", "Content-Type: application/yaml")
	if preview.Status != 200 || !strings.Contains(preview.Body, `"to":"Everybody","people":1,"sample":["1"]`) {
		t.Errorf("preview: %d %s", preview.Status, preview.Body)
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"pinned", "POST", "/profiles/" + id + "/pin", `{"stage":"Advocate","reason":"knows <b>us</b>","until":"2099-01-01T00:00:00Z"}`, 200, `"stage":"Advocate"`},
		{"explained", "GET", "/profiles/" + id + "/explain", "", 200, `"via":"pin"`},
		{"a stage that is not there", "POST", "/profiles/" + id + "/pin", `{"stage":"Nowhere"}`, 422, "the plan has no stage"},
		{"an end that is past", "POST", "/profiles/" + id + "/pin", `{"stage":"Customer","until":"2001-01-01T00:00:00Z"}`, 422, "is past"},
		{"an end that is no time", "POST", "/profiles/" + id + "/pin", `{"stage":"Customer","until":"tomorrow"}`, 400, "until"},
		{"an unknown member", "POST", "/profiles/" + id + "/pin", `{"stge":"Customer"}`, 400, "stge"},
		{"nobody", "POST", "/profiles/99/pin", `{"stage":"Customer"}`, 404, ""},
		{"released", "DELETE", "/profiles/" + id + "/pin", `{"reason":"done"}`, 200, `"stage":"Customer"`},
	} {
		if a := l.api(c.method, c.path, c.body); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	if a := l.post("/people/"+id+"/pin", "stage", "Advocate", "reason", "a <b>friend</b>", "until", "2099-01-31"); a.Status != 303 {
		t.Errorf("by the form: %d %s", a.Status, a.Body)
	}
	if a := l.get("/people/" + id); !strings.Contains(a.Body, "Release the pin") || !strings.Contains(a.Body, "(by admin)") || strings.Contains(a.Body, "<b>") {
		t.Errorf("the page does not show the pin: %s", a.Body)
	}
	if a := l.post("/people/"+id+"/pin", "release", "yes"); a.Status != 303 {
		t.Errorf("released by the form: %d", a.Status)
	}
	if a := l.get("/people/" + id); strings.Contains(a.Body, "Release the pin") {
		t.Error("the page still shows the pin")
	}
}

// TestSplitAndJoin parts a person and joins the two again, both ways.
func TestSplitAndJoin(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.tell("crm", "order", `{"email":"bo@example.com","amount":"1"}`)
	l.process()
	for _, c := range []struct {
		name, path, body string
		status           int
		has              string
	}{
		{"joined", "/profiles/1/join", `{"key":"email: BO@example.com ","reason":"one"}`, 200, `"id":"1"`},
		{"joined again", "/profiles/1/join", `{"key":"email:bo@example.com"}`, 422, "own already"},
		{"no key", "/profiles/1/join", `{"key":"bo"}`, 400, "namespace:value"},
		{"nobody's key", "/profiles/1/join", `{"key":"email:cy@example.com"}`, 422, "nobody has"},
		{"parted", "/profiles/1/split", `{"keys":["email:bo@example.com"],"reason":"two"}`, 200, `"parted":"`},
		{"parted again", "/profiles/1/split", `{"keys":["email:bo@example.com"]}`, 422, "no key of this person"},
		{"of nobody", "/profiles/99/split", `{"keys":["email:bo@example.com"]}`, 404, ""},
	} {
		if a := l.api("POST", c.path, c.body); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	if a := l.post("/people/1/identity", "join", "email:bo@example.com"); a.Status != 303 {
		t.Errorf("joined by the form: %d %s", a.Status, a.Body)
	}
	if a := l.get("/people/1"); !strings.Contains(a.Body, `value="email:bo@example.com"`) {
		t.Errorf("the page does not show both keys: %s", a.Body)
	}
	if a := l.post("/people/1/identity", "keys", "email:bo@example.com", "reason", "two"); a.Status != 303 {
		t.Errorf("parted by the form: %d %s", a.Status, a.Body)
	}
	if a := l.get("/people/1"); strings.Contains(a.Body, "bo@example.com</code></li>") {
		t.Error("the page still shows the parted key")
	}
}

// TestLifecycles pins in a further lifecycle, and finds, lists and explains people there.
func TestLifecycles(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	const plan = `
name: two
stages: [ { name: Visit }, { name: Customer, when: 'seen("Order:Completed")' } ]
lifecycles:
  care: { stages: [ { name: Calm }, { name: Busy, when: 'count("Order:Completed") >= 2' } ] }
`
	if a := l.api("PUT", "/plan", plan, "Content-Type: application/yaml"); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.process()
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"shown", "GET", "/profiles/1", "", 200, `"lifecycles":{"care":{"stage":"Calm","since":"`},
		{"listed", "GET", "/profiles?lifecycle=care&stage=Calm", "", 200, `"id":"1"`},
		{"not there", "GET", "/profiles?lifecycle=care&stage=Busy", "", 200, `"items":[]`},
		{"of the main one", "GET", "/profiles?lifecycle=main&stage=Customer", "", 200, `"id":"1"`},
		{"no stage", "GET", "/profiles?lifecycle=care", "", 400, "says which one it is of"},
		{"a report", "GET", "/reports/funnel?lifecycle=care", "", 200, `{"stage":"Calm","people":1`},
		{"a report on no stages", "GET", "/reports/cohorts?lifecycle=care", "", 400, "not about stages"},
		{"a report on one that is not there", "GET", "/reports/funnel?lifecycle=cure", "", 400, "want one of the plan's: main, care"},
		{"explained", "GET", "/profiles/1/explain", "", 200, `"lifecycles":{"care":{"stage":"Calm"`},
		{"what is missing", "GET", "/profiles/1/explain", "", 200, `"unmet":[{"holds":false,"text":"count(\"Order:Completed\") \u003e= 2","value":1`},
		{"in the timeline", "GET", "/profiles/1/timeline", "", 200, `"lifecycle":"care","from":"","to":"Calm"`},
		{"pinned", "POST", "/profiles/1/pin", `{"lifecycle":"care","stage":"Busy"}`, 200, `"care":{"stage":"Busy"`},
		{"a stage of the other", "POST", "/profiles/1/pin", `{"lifecycle":"care","stage":"Visit"}`, 422, "the plan has no stage"},
		{"a lifecycle that is not there", "POST", "/profiles/1/pin", `{"lifecycle":"cure","stage":"Busy"}`, 422, "the plan has no lifecycle"},
		{"released", "DELETE", "/profiles/1/pin", `{"lifecycle":"care"}`, 200, `"care":{"stage":"Calm"`},
	} {
		if a := l.api(c.method, c.path, c.body); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	preview := l.api("POST", "/plan/preview", strings.ReplaceAll(plan, ">= 2", ">= 1"), "Content-Type: application/yaml")
	if preview.Status != 200 || !strings.Contains(preview.Body, `{"lifecycle":"care","from":"Calm","to":"Busy","people":1,"sample":["1"]}`) {
		t.Errorf("preview: %d %s", preview.Status, preview.Body)
	}
}
