//go:build !race

package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
)

// withoutScript does by forms and links alone what the pages with script do:
// somebody's browser runs none.
func withoutScript(t *testing.T, base string, portal *hubspotsim.Sim) {
	t.Helper()
	p := openTab(t, base)
	p.do("switch scripts off", emulation.SetScriptExecutionDisabled(true))
	p.login("admin", password)
	p.reads(" on the plan")
	var hidden bool
	p.do("look for what scripts show", chromedp.Evaluate(`document.querySelector("[data-theme-switch]").hidden`, &hidden))
	if !hidden {
		t.Fatal("a script ran, so this shows nothing")
	}
	for _, route := range pageRoutes(t) {
		if path, known := plain(route); known {
			p.open(path)
			if len(strings.Fields(p.text("main"))) < 3 {
				t.Errorf("%s shows next to nothing without script: %q", path, p.text("main"))
			}
		}
	}
	if words := p.complaints(); len(words) > 0 {
		t.Errorf("the browser complained: %q", words)
	}
	rulesWithoutScript(p)
	planWithoutScript(p)

	const other = "ben@example.com"
	arrives(p, portal, other)
	p.open("/sync?state=failed")
	p.again("Try 1 person again")
	p.reads(refusal)
	portal.Refuse(other, "")
	p.press("Try 1 person again")
	p.until("the push arrives", fmt.Sprintf(`!(await fetch("/sync?state=failed").then(r => r.text())).includes(%q)`, refusal))

	p.open("/inbox?connection=hubspot&type=contact.creation")
	p.press("Process these again…")
	p.reads("will be mapped by the rules in force now")
	p.leave("confirm", chromedp.Click(`main button[name="confirm"]`, chromedp.ByQuery))
	p.reads("being processed again")
	for _, words := range p.complaints() {
		if !strings.Contains(words, "422") { // what was refused with its mistakes
			t.Errorf("the browser complained: %s", words)
		}
	}
}

// rulesWithoutScript publishes rules with a mistake, reads at which line it is
// with what was typed still there, and publishes them mended.
func rulesWithoutScript(p *tab) {
	p.t.Helper()
	p.open("/connections/hubspot/rules")
	rules := p.value("#source")
	wrong := strings.Replace(rules, "event: Lead:Qualified", "evnt: Lead:Qualified", 1)
	at := strings.Count(wrong[:strings.Index(wrong, "evnt:")], "\n") + 1
	p.put("#source", wrong)
	p.press("Publish")
	p.reads(fmt.Sprintf(":%d:", at))
	if p.value("#source") != wrong {
		p.t.Error("what was typed was not kept beside its mistake")
	}
	p.put("#source", strings.Replace(rules, "event: Lead:Qualified", "event: Lead:Contacted", 1))
	p.press("Try it on the newest events")
	p.reads("There is no mistake in it")
	p.press("Publish")
	p.reads("Published as version")
}

// planWithoutScript does the same with the plan.
func planWithoutScript(p *tab) {
	p.t.Helper()
	p.open("/plan")
	plan := p.value("#source")
	p.put("#source", strings.Replace(plan, "\nsegments:\n", "\nsegments:\n  quiet: idle(\"Newsletter:Subscribed\"\n", 1))
	p.press("Publish")
	at := strings.Count(plan[:strings.Index(plan, "\nsegments:\n")], "\n") + 3
	p.reads(fmt.Sprintf(":%d:", at))
	p.put("#source", strings.Replace(plan, "\nsegments:\n", "\nsegments:\n  quiet: idle(\"Newsletter:Subscribed\", \"30d\")\n", 1))
	p.press("Preview")
	p.reads("What publishing would do")
	p.again("would change.")
	p.press("Publish")
	p.reads("Published as version")
}

// put gives a field a text, as pasting does; no script hears of it.
func (p *tab) put(selector, text string) {
	p.t.Helper()
	p.do("put into "+selector, chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).value = %q`, selector, text), nil))
}
