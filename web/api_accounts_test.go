package web_test

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/store"
)

const accountsPlan = `
name: companies
stages:
  - { name: Visit }
  - { name: Customer, when: 'seen("Order:Completed")' }
accounts:
  stages:
    - { name: Known }
    - { name: Client, when: 'any(stage == "Customer") && sum("Order:Completed", "EUR") >= 10' }
  segments:
    two: people >= 2
`

func TestAPIAccounts(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	if a := l.api("GET", "/accounts", ""); a.Status != 200 || strings.TrimSpace(a.Body) != `{"items":[],"next":""}` {
		t.Errorf("without accounts: %d %s", a.Status, a.Body)
	}
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: accountsPlan}); err != nil {
		t.Fatal(err)
	}
	l.connect("crm", nil)
	l.tell("crm", "news", `{"email":"ann@example.com","company":"Acme"}`)
	l.tell("crm", "order", `{"email":"bo@example.com","amount":"12.50"}`)
	l.tell("crm", "order", `{"email":"bo@gmail.com","amount":"12.50"}`)
	l.tell("crm", "news", `{"email":"cy@b.example.com","company":"Bolt"}`)
	l.process()
	for _, c := range []struct {
		path   string
		status int
		want   []string
	}{
		{"/accounts?limit=1", 200, []string{`"key":"domain:b.example.com"`, `"next":"domain:b.example.com"`}},
		{"/accounts?limit=1&next=domain:b.example.com", 200, []string{`"key":"domain:example.com"`, `"next":""`}},
		{"/accounts?q=ACME", 200, []string{`"name":"Acme","domain":"example.com","stage":"Client"`, `"segments":["two"],"people":2`, `"sync":[]`}},
		{"/accounts?q=100%25", 200, []string{`"items":[]`}},
		{"/accounts?stage=Known", 200, []string{`"key":"domain:b.example.com","name":"Bolt"`}},
		{"/accounts/domain:example.com", 200, []string{`"key":"domain:example.com"`}},
		{"/accounts/domain:gmail.com", 404, nil},
		{"/accounts/domain:example.com/people?limit=1", 200, []string{`"keys":["email:ann@example.com"]`, `"next":"1"`}},
		{"/accounts/domain:example.com/people?limit=1&next=1", 200, []string{`"keys":["email:bo@example.com"]`, `"stage":"Customer"`, `"next":""`}},
		{"/accounts/domain:example.com/people?next=x", 400, nil},
		{"/profiles/1", 200, []string{`"account":"domain:example.com"`}},
		{"/accounts/domain:example.com/timeline", 200, []string{`"seq":1,"from":"","to":"Client"`, `"entered":["two"]`, `"next":""`}},
		{"/accounts/domain:example.com/explain", 200, []string{`"settled":true,"people":2`, `{"text":"any(stage == \"Customer\")","holds":true,"have":"1","unit":"people"}`,
			`{"text":"sum(\"Order:Completed\", \"EUR\") >= 10","holds":true,"have":"12.50","unit":"EUR"}`, `"name":"two","condition":"people \u003e= 2","holds":true`}},
	} {
		a := l.api("GET", c.path, "")
		if a.Status != c.status {
			t.Errorf("%s: %d %s", c.path, a.Status, a.Body)
			continue
		}
		body := strings.ReplaceAll(a.Body, `\u0026`, "&")
		for _, want := range c.want {
			if !strings.Contains(body, want) && !strings.Contains(strings.ReplaceAll(body, `\u003e`, ">"), want) {
				t.Errorf("%s: %s\nlacks %s", c.path, body, want)
			}
		}
	}
	if a := l.api("POST", "/accounts/retry", `{"connection":"crm","dry_run":true}`); a.Status != 200 || strings.TrimSpace(a.Body) != `{"count":0,"dry_run":true}` {
		t.Errorf("retry: %d %s", a.Status, a.Body)
	}
	if a := l.api("POST", "/accounts/retry", `{"state":"synced"}`); a.Status != 422 && a.Status != 400 {
		t.Errorf("retry of what needs none: %d %s", a.Status, a.Body)
	}
	if a := l.send("GET", "/api/v1/accounts", ""); a.Status != 401 {
		t.Errorf("without a token: %d", a.Status)
	}
}
