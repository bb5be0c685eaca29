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

	"github.com/chromedp/chromedp"

	"github.com/stagebridge/stagebridge/connectors/hubspot/hubspotsim"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	password = "a password of some length"
	contact  = "ann@example.com"
)

// TestFirstDay goes the way of somebody new: from the one-time link to a
// connected HubSpot, a rule, a plan, a person and a failed push, to the log-out;
// then comes somebody who may only look.
func TestFirstDay(t *testing.T) {
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
	p.fill("#password", password)
	p.fill("#again", password)
	p.press("Set it and log in")
	p.reads("Nothing is connected yet")

	connectHubSpot(p, vendor.URL)
	editRule(p)
	changePlan(p)
	followPerson(p, portal)
	retryPush(p, portal)

	p.leave("log out", chromedp.Click(`header form[action="/logout"] button`, chromedp.ByQuery))
	p.open("/people")
	p.reads("Log in")
	if words := p.complaints(); len(words) > 0 {
		t.Errorf("the browser complained: %q", words)
	}
	look(t, p, env)
}

// connectHubSpot adds the connection by its form, sends the sample, and sees
// the light turn green without opening the page again.
func connectHubSpot(p *tab, vendor string) {
	p.t.Helper()
	p.open("/connections")
	p.press("Connect HubSpot")
	p.fill(`[id="secret.client_secret"]`, "the-app's-secret")
	p.fill(`[id="secret.access_token"]`, "the-app's-token")
	p.do("show all settings", chromedp.Evaluate(`document.querySelector("details").open = true`, nil))
	p.fill(`[id="setting.base_url"]`, vendor)
	p.click(`input[name="enabled"]`)
	p.press("Connect")
	p.reads("no event yet")
	p.press("Send a sample event")
	p.reads("The sample was taken as receipt")
	p.until("the light turns green", `document.querySelector("[data-live] .light.ok")`)
	p.picture("connected")
}

// editRule breaks a rule, sees the mistake at its line, mends it, sees what
// changes, publishes, and lets the events be processed again.
func editRule(p *tab) {
	p.t.Helper()
	p.open("/connections/hubspot/rules")
	rules := p.value("#source")
	if !strings.Contains(rules, "event: Lead:Created") {
		p.t.Fatalf("the default rules emit no Lead:Created:\n%s", rules)
	}
	p.set("#source", strings.Replace(rules, "event: Lead:Created", "evnt: Lead:Created", 1))
	at := strings.Count(rules[:strings.Index(rules, "event: Lead:Created")], "\n") + 1
	p.until("the line is marked", fmt.Sprintf(`document.querySelector(".gutter li:nth-child(%d).wrong")`, at))
	p.picture("mistake")
	p.set("#source", strings.Replace(rules, "event: Lead:Created", "event: Newsletter:Subscribed", 1))
	p.until("the effect is told", `/[1-9]\d* would change/.test(document.querySelector("[data-effect]")?.innerText)`)
	p.fill("#note", "contacts come from the newsletter")
	p.press("Publish")
	p.reads("Published as version 1")
	p.open("/inbox?connection=hubspot")
	p.press("Process these again…")
	p.press("Process 1 raw event again")
	p.reads("being processed again")
}

// changePlan tries a stage on everybody, and publishes it.
func changePlan(p *tab) {
	p.t.Helper()
	p.open("/plan")
	plan := p.value("#source")
	p.set("#source", strings.Replace(plan, "stages:\n", "stages:\n", 1)+"\nsegments:\n  fresh: seen(\"Newsletter:Subscribed\")\n")
	if strings.Contains(plan, "\nsegments:\n") {
		p.set("#source", strings.Replace(plan, "\nsegments:\n", "\nsegments:\n  fresh: seen(\"Newsletter:Subscribed\")\n", 1))
	}
	p.press("Preview")
	p.reads("What publishing would do")
	p.press("Publish")
	p.reads("Published as version")
}

// followPerson lets a real delivery come in and follows a person to its bytes.
func followPerson(p *tab, portal *hubspotsim.Sim) {
	p.t.Helper()
	portal.Refuse(contact, "no write is taken for this address")
	portal.AddContact(map[string]string{"email": contact, "firstname": "Ann"})
	portal.SetTarget(p.base + "/hooks/hubspot")
	if n, err := portal.Deliver(p.t.Context()); err != nil || n == 0 {
		p.t.Fatalf("delivered %d: %v", n, err)
	}
	p.until("the person is there", fmt.Sprintf(`(await fetch("/people?q=%s").then(r => r.text())).includes('href="/people/')`, contact))
	p.open("/people")
	p.fill("#q", contact)
	p.press("Search")
	p.leave("open the person", chromedp.Click(`main tbody a[href^="/people/"]`, chromedp.ByQuery))
	p.reads("Why this stage")
	p.leave("open the raw event", chromedp.Click(`main a[href^="/inbox/"]`, chromedp.ByQuery))
	p.reads(`"subscriptionType"`)
}

// retryPush sees a push that the vendor refused, in its words, and tries again
// once it takes it.
func retryPush(p *tab, portal *hubspotsim.Sim) {
	p.t.Helper()
	p.until("the push fails", `(await fetch("/sync?state=failed").then(r => r.text())).includes("no write is taken")`)
	p.until("it is counted", `(await fetch("/sync?state=failed").then(r => r.text())).includes("Try 1 person again")`)
	p.open("/sync?state=failed")
	p.reads("no write is taken for this address")
	portal.Refuse(contact, "")
	p.press("Try 1 person again")
	p.until("the push arrives", `!(await fetch("/sync?state=failed").then(r => r.text())).includes("no write is taken")`)
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
	p.fill("#password", password)
	p.fill("#again", password)
	p.press("Set it and log in")
	for _, path := range []string{"/", "/connections", "/connections/hubspot", "/connections/hubspot/rules", "/plan", "/people", "/inbox", "/sync"} {
		p.open(path)
		var forms []string
		p.do("forms of "+path, chromedp.Evaluate(`[...document.querySelectorAll('main form[method="post"] button')].filter(b => b.offsetParent).map(b => b.innerText)`, &forms))
		if len(forms) > 0 {
			t.Errorf("a viewer is offered %q on %s", forms, path)
		}
	}
	var status int
	p.do("publish all the same", chromedp.Evaluate(`fetch("/plan", {method: "POST", body: new URLSearchParams({version: "1", source: "name: x", publish: "yes"})}).then(r => r.status)`, &status, awaited))
	if status != 403 {
		t.Errorf("a viewer's plan was answered with %d", status)
	}
	p.complaints() // the browser tells of the 403
}
