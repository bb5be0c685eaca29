package web_test

import (
	"fmt"
	"strings"
	"testing"
)

const webPlan = `name: shop
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
events:
  Order:Completed: A person bought something.
  Order:Complete: { description: Twice the same. }
governance: { unplanned_event: quarantine }
`

// TestGovernance goes the way of an editor: publish, see what does not fit,
// mend, and see it released.
func TestGovernance(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	check := func(method, path, body string, status int, has ...string) answer {
		t.Helper()
		a := l.api(method, path, body)
		if a.Status != status {
			t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
		}
		for _, want := range has {
			if !strings.Contains(a.Body, want) {
				t.Errorf("%s %s lacks %s:\n%s", method, path, want, a.Body)
			}
		}
		return a
	}
	check("GET", "/violations", "", 200, `{"items":[],"next":""}`)
	check("PUT", "/plan", webPlan, 200)
	id := fmt.Sprint(l.tell("crm", "news", `{"email":"ann@example.com"}`))
	l.process()
	check("GET", "/violations?class=unplanned_event&connection=crm", "", 200, `"event":"Newsletter:Subscribed"`, `"rule":"news"`, `"action":"quarantine"`, `"count":1`, `"samples":["`+id+`"]`)
	check("GET", "/violations?class=odd", "", 400, "want one of")
	check("GET", "/violations?next=odd", "", 400, "cursor")
	lint := check("GET", "/plan/lint", "", 200, `"code":"near_duplicate"`, `"code":"came_in"`, `"code":"unplanned_event"`, `"severity":"error"`, `"line":7`).json(t)
	if lint["errors"].(float64) < 1 || lint["warnings"].(float64) < 2 {
		t.Errorf("lint counts %v errors, %v warnings", lint["errors"], lint["warnings"])
	}
	check("POST", "/plan/lint", strings.Replace(webPlan, "Order:Complete:", "Newsletter:Subscribed:", 1), 200, `"items":[]`, `"errors":0`)
	check("POST", "/plan/lint", "name: x\n", 422, "stages")
	check("GET", "/plan/docs", "", 200, "# The tracking plan shop", "sent by crm (rule “order”)", "parked until plan or rules are mended")
	page := l.api("GET", "/plan/docs?format=html", "")
	if page.Status != 200 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(page.Body, "<h1>The tracking plan shop</h1>") {
		t.Errorf("html: %d %s\n%s", page.Status, page.Header, page.Body)
	}
	check("GET", "/plan/docs?format=pdf", "", 400, "want markdown or html")

	check("POST", "/violations/release", `{"connection":"crm","dry_run":true}`, 200, `{"count":1,"dry_run":true}`)
	check("POST", "/violations/release", `{"connection":"crm","class":"odd"}`, 400, "want one of")
	work := check("POST", "/violations/release", `{"connection":"crm","class":"unplanned_event"}`, 202, `"kind":"plan release"`, `"author":"api"`)
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.process()
	check("GET", strings.TrimPrefix(work.Header.Get("Location"), "/api/v1"), "", 200, `"state":"done"`, `"result":{"judged":1}`)
	check("GET", "/inbox/"+id, "", 200, `"status":"quarantined"`)
	check("PUT", "/plan", strings.Replace(webPlan, "Order:Complete:", "Newsletter:Subscribed:", 1), 200)
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.process()
	check("GET", "/inbox/"+id, "", 200, `"status":"done"`)
	check("DELETE", "/violations?connection=crm", "", 200, `"count":1`)
	check("GET", "/violations", "", 200, `{"items":[],"next":""}`)
}
