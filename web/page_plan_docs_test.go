package web_test

import (
	"strings"
	"testing"
)

const writtenPlan = `name: '` + hostile + `'
stages:
  - { name: Visit }
  - { name: '</main><table><td>', when: 'seen("Order:Completed")' }
events:
  Order:Completed:
    description: '` + hostile + `</main>'
    owner: '<b>shop</b>'
    properties:
      total: { type: number, required: true, description: '<td>"without tax' }
`

// TestPlanDocsPage shows the plan in words; what comes from the plan and from
// rules is a text and nothing else.
func TestPlanDocsPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.wants("/plan", `<a href="/plan/docs">`)
	if a := l.api("PUT", "/plan", writtenPlan); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	a := l.get("/plan/docs")
	escaped := `&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;&#34;&gt;&lt;img src=x onerror=alert(1)&gt;`
	l.has("in words", a, "<h1>The tracking plan "+escaped+"</h1>", "<strong>&lt;/main&gt;&lt;table&gt;&lt;td&gt;</strong>",
		"<p>"+escaped+"&lt;/main&gt;</p>", "owner: &lt;b&gt;shop&lt;/b&gt;", "sent by crm (rule “order”)", `<td>total</td><td data-label="type">number</td><td data-label="required">yes</td><td></td>`,
		`<td data-label="meaning">&lt;td&gt;&#34;without tax</td>`, `<td data-label="becomes">taken and counted</td>`, `<a href="/plan">Plan</a>`, `href="/plan" aria-current`)
	for _, tag := range []string{"<main", "</main>", "<h1>", "<html", "</html>"} {
		if n := strings.Count(a.Body, tag); n != 1 {
			t.Errorf("%s stands there %d times", tag, n)
		}
	}
	for _, e := range anyElement.FindAllString(a.Body, -1) {
		if !strings.HasPrefix(e, `<script type="module" src="/assets/`) {
			t.Errorf("an element of the plan's: %s", e)
		}
	}
	if found := inlineCode.FindString(strings.ReplaceAll(a.Body, "onerror=alert", "")); found != "" {
		t.Errorf("inline code: %q", found)
	}
	if strings.Contains(a.Body, "At most 5 rules") {
		t.Error("senders were left out that are few")
	}
	for _, id := range []string{"c1", "c2", "c3", "c4", "c5"} {
		l.connect(id, nil)
	}
	many := l.get("/plan/docs")
	l.has("many senders", many, "sent by c4 (rule “order”)", "At most 5 rules that send an event are named here.")
	if strings.Contains(many.Body, "sent by crm (rule “order”)") || strings.Count(many.Body, "(rule “order”)") != 5 {
		t.Errorf("more than five senders: %s", many.Body)
	}
	if a := l.send("GET", "/plan/docs", "", "Accept: text/html"); a.Status != 303 {
		t.Errorf("for who is not logged in: %d", a.Status)
	}
}
