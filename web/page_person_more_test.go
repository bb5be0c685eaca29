package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

const wholePersonPlan = `
name: whole
stages:
  - { name: Lead }
  - { name: Customer, when: 'seen("Order:Completed")' }
claims: { crm: advance }
accounts:
  by: [domain]
  stages: [ { name: Known } ]
lifecycles:
  academy:
    about: Courses
    events: ['Order:*']
    stages:
      - { name: Guest }
      - { name: Student, when: 'count("Order:Completed") >= 2' }
  club:
    events: ['Newsletter:*']
    stages: [ { name: Member } ]
`

const wholePersonRules = `
rules:
  - { name: order, type: order, emit: { event: "Order:Completed", at: fromUnixMilli(body.at), identity: { email: body.email, user: body.user }, value: { amount: "5", currency: "'EUR'" } } }
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", at: fromUnixMilli(body.at), identity: { email: body.email }, stage: body.stage } }
`

// TestPersonWhole shows on a person's page all that the API tells: account, other
// lifecycles with a pin, visits, claims and conflicts, and where keys come from.
func TestPersonWhole(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	l.connect("crm", nil)
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: wholePersonPlan}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.admin.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: wholePersonRules}); err != nil {
		t.Fatal(err)
	}
	at := func(hours int) int64 { return l.now.Add(-time.Duration(hours) * time.Hour).UnixMilli() }
	joined := l.tell("crm", "order", fmt.Sprintf(`{"email":"ann@example.com","user":"u7","at":%d}`, at(30)))
	l.tell("crm", "claim", fmt.Sprintf(`{"email":"ann@example.com","stage":"Lead","at":%d}`, at(20)))
	l.process()
	checkPage(t, l, "/people/1", `<a href="/accounts/domain:example.com">domain:example.com</a>`)
	for _, has := range []string{
		`<code>email:ann@example.com</code> <span class="soft">medium</span>`, `<code>user:u7</code> <span class="soft">strong</span>`,
		`<summary>academy: <strong>Guest</strong>`, `<summary>club: <strong>not in it</strong>`, `<p class="soft">Courses</p>`,
		`<label for="stage-academy">Stage in academy</label>`, `<summary>Times in each stage (1)</summary>`, `data-label="Together" class="num">30 h</td>`,
		`<summary>Claims and pins that did not have their way (1)</summary>`, `claims of crm may only advance`,
		`<a href="/connections/crm">crm</a>: Lead</td><td data-label="Shown instead">Customer`,
	} {
		checkPage(t, l, "/people/1", has)
	}
	for _, has := range []string{
		`<td><code>user:u7</code></td><td data-label="Class">strong</td>`, `<td data-label="By">medium evidence</td>`,
		fmt.Sprintf(`<a href="/inbox/%d">crm, raw event %d</a>`, joined, joined), `<li><a href="/people/1">`,
	} {
		checkPage(t, l, "/people/1/keys", has)
	}
	// A pin in another lifecycle leaves the main one as it is, and says when it ends.
	until := l.now.Add(72 * time.Hour).UTC()
	if a := l.post("/people/1/pin", "lifecycle", "academy", "stage", "Student", "reason", "paid by hand", "until", until.Format(time.DateOnly)); a.Status != 303 || a.Header.Get("Location") != "/people/1#lifecycles" {
		t.Fatalf("pin: %d %s", a.Status, a.Body)
	}
	page := strings.Join(strings.Fields(l.get("/people/1").Body), " ")
	for _, has := range []string{`<summary>academy: <strong>Student</strong>`, `Pinned until <time datetime="` + until.Format(time.DateOnly) + `T23:59:59Z"`, `paid by hand`, `<strong>Customer</strong> since`} {
		if !strings.Contains(page, has) {
			t.Errorf("the page of somebody pinned lacks %q: %s", has, page)
		}
	}
	if !regexp.MustCompile(`name="release" value="yes">Release the pin<span class="hidden"> of academy</span>`).MatchString(page) {
		t.Error("the pin in academy cannot be released")
	}
	if a := l.post("/people/1/pin", "lifecycle", "academy", "release", "yes"); a.Status != 303 {
		t.Fatalf("release: %d %s", a.Status, a.Body)
	}
	checkPage(t, l, "/people/1", `<summary>academy: <strong>Guest</strong>`)
	if a := l.post("/people/1/pin", "lifecycle", "academy", "stage", "Customer"); a.Status/100 != 4 {
		t.Errorf("a stage of another lifecycle: %d", a.Status)
	}
	// A pin of the main one stands at the top, without an end.
	if a := l.post("/people/1/pin", "stage", "Lead", "reason", "asked for"); a.Status != 303 {
		t.Fatalf("pin: %d %s", a.Status, a.Body)
	}
	checkPage(t, l, "/people/1", "Pinned until it is released: ")
	if a := l.get("/people/99/keys"); a.Status != 404 {
		t.Errorf("keys of nobody: %d", a.Status)
	}
}
