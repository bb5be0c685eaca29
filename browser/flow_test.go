//go:build !race

package browser_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	password = "a password of some length"
	contact  = "ann@example.com"
	// refusal is what the vendor says of a person whom it does not take.
	refusal = "no write is taken for this address"
)

// TestFirstDay goes the way of somebody new, who has no mouse: from the one-time
// link to a connected HubSpot, a rule, a plan, a person and a failed push, to the
// log-out. Then comes somebody who may only look, somebody whose browser runs no
// script, and somebody whose name would be one.
func TestFirstDay(t *testing.T) {
	t.Parallel()
	portal := hubspotsim.New(hubspotsim.Options{ClientSecret: secret.New("the-app's-secret"), Token: secret.New("the-app's-token")})
	t.Cleanup(portal.Close)
	vendor := httptest.NewServer(portal.Handler())
	t.Cleanup(vendor.Close)
	home := t.TempDir()
	env := []string{"STAGEBRIDGE_ALLOW_PRIVATE_NETWORKS=true", "STAGEBRIDGE_DATA_DIR=" + home}
	line := start(t, "once to set the first password", env, "serve")
	setup := between(t, line, "Open ", " once")
	base, _, _ := strings.Cut(setup, "/setup")
	p := openTab(t, base)

	p.open(strings.TrimPrefix(setup, base))
	setPassword(p)
	p.reads("Nothing is connected yet")

	connectHubSpot(p, vendor.URL)
	editRule(p)
	changePlan(p)
	portal.SetTarget(p.base + "/hooks/hubspot")
	arrives(p, portal, contact)
	followPerson(p)
	retryPush(p, portal)

	p.enter("Log out admin")
	p.open("/people")
	p.reads("Log in")
	if words := p.complaints(); len(words) > 0 {
		t.Errorf("the browser complained: %q", words)
	}
	look(t, p, env)
	if t.Failed() {
		return
	}
	withoutScript(t, base, portal)
	last := openTab(t, base)
	last.login("admin", password)
	last.reads("on the plan")
	hostileNames(last, portal)
}

// setPassword answers a one-time link.
func setPassword(p *tab) {
	p.t.Helper()
	p.typeInto("Password", password)
	p.typeInto("The same again", password)
	p.leave("set the password", key(kb.Enter))
}

// connectHubSpot adds the connection by its form, sends the sample, and sees
// the light turn green without opening the page again.
func connectHubSpot(p *tab, vendor string) {
	p.t.Helper()
	p.visit("Connections")
	p.enter("Connect HubSpot")
	p.skip()
	p.typeInto("Client secret", "the-app's-secret")
	p.typeInto("Access token", "the-app's-token")
	p.tabTo("More settings")
	p.keys("open them", key(kb.Enter))
	p.typeInto("API address", vendor)
	p.tick("Bring stages and segments to HubSpot")
	p.enter("Connect")
	p.reads("no event yet")
	p.skip()
	p.enter("Send a sample event")
	p.reads("The sample was taken as receipt")
	p.until("the light turns green", `document.querySelector("[data-live] .light.ok")`)
	p.picture("connected")
}

// editRule breaks a rule, sees the mistake at its line, goes there by its link,
// mends it with a name that the editor completes, sees what changes, publishes,
// and lets the events be processed again.
func editRule(p *tab) {
	p.t.Helper()
	p.skip()
	p.enter("the connector's defaults")
	p.skip()
	p.tabTo("YAML")
	at := p.replaceLine("event: Lead:Created", "      evnt: Lead:Created")
	p.until("the line is marked", fmt.Sprintf(`document.querySelector(".gutter li:nth-child(%d).wrong")`, at))
	p.picture("mistake")
	p.tabUntil("the mistake", func(f focus) bool { return f.Role == "link" && strings.Contains(f.Name, fmt.Sprintf(":%d:", at)) })
	p.keys("go to its line and mend it", key(kb.Enter), chromedp.KeyEvent("      event: Newsletter:Sub"), key(" ", input.ModifierCtrl))
	p.until("the name is offered", `document.querySelector(".offers [aria-selected=true]")?.textContent === "Newsletter:Subscribed"`)
	p.keys("close the offer, ask again and take it", key(kb.Escape), key(kb.ArrowDown, input.ModifierAlt), key(kb.Enter))
	if text := p.value("#source"); !strings.Contains(text, "\n      event: Newsletter:Subscribed\n") || strings.Contains(text, "evnt") {
		p.t.Fatalf("the line was not mended:\n%s", text)
	}
	p.until("the effect is told", `/[1-9]\d* would change/.test(document.querySelector("[data-effect]")?.innerText)`)
	p.toLine(p.lineOf("hubspot: body.objectId"))
	p.keys("to a member", key(kb.End), key(kb.ArrowLeft), key(kb.ArrowLeft), key(kb.ArrowLeft))
	p.until("its value is told", `/^body.objectId is \d+ in contact.creation$/.test(document.querySelector(".told").textContent)`)
	p.typeInto("Why this change", "contacts come from the newsletter")
	p.enter("Publish")
	p.reads("Published as version 1")
	p.visit("Inbox")
	p.choose("Connection", "hubspot")
	p.enter("Show")
	p.skip()
	p.enter("Process these again…")
	p.skip()
	p.enter("Process 1 raw event again")
	p.reads("being processed again")
}

// changePlan tries a segment on everybody, and publishes it.
func changePlan(p *tab) {
	p.t.Helper()
	p.visit("Plan")
	p.tabTo("YAML")
	if strings.Contains(p.value("#source"), "\nsegments:\n") {
		p.replaceLine("segments:", "segments:\n  fresh: seen(\"Newsletter:Subscribed\")")
	} else {
		p.keys("to the end", key(kb.End, input.ModifierCtrl), chromedp.KeyEvent("\nsegments:\n  fresh: seen(\"Newsletter:Subscribed\")\n"))
	}
	p.enter("Preview")
	p.reads("What publishing would do")
	p.reads("would change.")
	p.skip()
	p.enter("Publish")
	p.reads("Published as version")
}

// arrives lets a real delivery come in about somebody whom the vendor will not
// let us write to.
func arrives(p *tab, portal *hubspotsim.Sim, email string) {
	p.t.Helper()
	portal.Refuse(email, refusal)
	portal.AddContact(map[string]string{"email": email, "firstname": "Ann"})
	if n, err := portal.Deliver(p.t.Context()); err != nil || n == 0 {
		p.t.Fatalf("delivered %d: %v", n, err)
	}
	p.until("the person is there", fmt.Sprintf(`(await fetch("/people?q=%s").then(r => r.text())).includes('href="/people/')`, email))
}

// followPerson searches for a person and follows the timeline to the bytes.
func followPerson(p *tab) {
	p.t.Helper()
	p.visit("People")
	p.typeInto("Any key begins with", contact)
	p.leave("search", key(kb.Enter))
	p.skip()
	p.follow(p.href("/people/"))
	p.reads("Why this stage")
	p.skip()
	p.follow(p.href("/inbox/"))
	p.reads(`"subscriptionType"`)
}

// retryPush sees a push that the vendor refused, in its words, and tries again
// once it takes it.
func retryPush(p *tab, portal *hubspotsim.Sim) {
	p.t.Helper()
	p.visit("Sync")
	p.choose("State", "failed")
	p.enter("Show")
	p.again(refusal)
	p.again("Try 1 person again")
	portal.Refuse(contact, "")
	p.skip()
	p.enter("Try 1 person again")
	p.until("the push arrives", fmt.Sprintf(`!(await fetch("/sync?state=failed").then(r => r.text())).includes(%q)`, refusal))
}

// look: a viewer sees everything that is not secret, and changes nothing.
func look(t *testing.T, p *tab, env []string) {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "user", "add", "vera", "viewer")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "STAGEBRIDGE_LOG_LEVEL=warn"}, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("user add: %v\n%s", err, out)
	}
	at := bytes.Index(out, []byte("/setup"))
	if at < 0 {
		t.Fatalf("no link in %s", out)
	}
	p.open(strings.Fields(string(out[at:]))[0])
	setPassword(p)
	for _, part := range []string{"Connections", "Plan", "People", "Segments", "Inbox", "Sync", "Reports", "Long work"} {
		p.visit(part)
		offersNothing(p)
	}
	for _, path := range []string{"/", "/connections/hubspot", "/connections/hubspot/rules"} {
		p.open(path)
		offersNothing(p)
	}
	var status int
	p.do("publish all the same", chromedp.Evaluate(`fetch("/plan", {method: "POST", body: new URLSearchParams({version: "1", source: "name: x", publish: "yes"})}).then(r => r.status)`, &status, awaited))
	if status != 403 {
		t.Errorf("a viewer's plan was answered with %d", status)
	}
	p.complaints() // the browser tells of the 403
}

// offersNothing sees that a page has no button that changes something, neither
// to the eye nor to the Tab key.
func offersNothing(p *tab) {
	p.t.Helper()
	var buttons []string
	p.do("buttons", chromedp.Evaluate(`[...document.querySelectorAll('main form[method="post"] button')].filter(b => b.offsetParent).map(b => b.innerText)`, &buttons))
	if len(buttons) > 0 {
		p.t.Errorf("a viewer is offered %q on %s", buttons, p.address())
	}
}
