//go:build !race

package browser_test

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// hostile is a name that runs where it is taken for markup.
const hostile = `<script>alert(1)</script>"><img src=x onerror=alert(2)>`

// hostileNames gives a person, a company, a rule, a segment and a note such a
// name and opens the pages that show them: nothing runs, nothing is loaded, and
// the name is read as it is.
func hostileNames(p *tab, portal *hubspotsim.Sim) {
	p.t.Helper()
	const email = "eve@example.com"
	publish := func(path, before, after string) {
		p.open(path)
		p.set("#source", strings.Replace(p.value("#source"), before, after, 1))
		p.fill("#note", hostile)
		p.press("Publish")
		p.reads("Published as version")
	}
	publish("/connections/hubspot/rules", "- name: contact created\n", "- name: '"+hostile+"'\n")
	publish("/plan", "\nsegments:\n", "\nsegments:\n  '"+hostile+"': seen(\"Newsletter:Subscribed\")\n")
	portal.AddContact(map[string]string{"email": email, "firstname": hostile, "company": hostile})
	if n, err := portal.Deliver(p.t.Context()); err != nil || n == 0 {
		p.t.Fatalf("delivered %d: %v", n, err)
	}
	p.until("the person is there", fmt.Sprintf(`/href="\/people\/\d+"/.test(await fetch("/people?q=%s").then(r => r.text()))`, email))
	p.open("/people?q=" + email)
	person := p.href("/people/")
	p.until("the traits are there", fmt.Sprintf(`(await fetch(%q).then(r => r.text())).includes("onerror=")`, person))
	p.open(person)
	raw := p.href("/inbox/")
	for _, path := range []string{person, "/segments", "/plan", "/plan/versions/1", "/connections/hubspot/rules", "/people", "/work", "/settings/audit", raw, "/inbox", "/", "/sync"} {
		p.open(path)
		var ran bool
		p.do("look for what ran on "+path, chromedp.Evaluate(`document.querySelector("img, main script:not([src])") !== null`, &ran))
		if ran {
			p.t.Errorf("%s: a name became an element", path)
		}
		for _, words := range p.complaints() {
			p.t.Errorf("%s: %s", path, words)
		}
	}
	for _, path := range []string{person, "/segments", "/plan", "/connections/hubspot/rules"} {
		p.open(path)
		p.reads(hostile)
	}
}
