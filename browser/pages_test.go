//go:build !race

package browser_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// mostPages bounds the walk through the site.
const mostPages = 80

// TestEveryPage walks through all pages of a demo that is full of people, in
// every size and colour: nothing is complained of, nothing is wider than the
// window, and axe finds no serious barrier. A page that the walk does not come
// to fails it.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	line := start(t, "log in as admin", nil, "demo", "-stay")
	base := between(t, line, "Open ", " and")
	p := openTab(t, base)
	axe := axeSource(t)
	p.open("/login")
	p.inspect("/login", axe)
	p.login("admin", between(t, line, "password ", "\n"))
	p.reads("people on the plan")
	p.prepare()

	seen, queue := map[string]bool{"/": true}, []string{"/", "/reports/economics?margin=0.8"} // whose form is unfolded
	left := slices.DeleteFunc(pageRoutes(t), func(route string) bool { return route == "/login" || route == "/setup" })
	for i := 0; i < len(queue) && i < mostPages; i++ {
		p.open(queue[i])
		p.inspect(queue[i], axe)
		u, err := url.Parse(queue[i])
		if err != nil {
			t.Fatal(err)
		}
		left = slices.DeleteFunc(left, func(route string) bool { return fits(route, u.Path) })
		for _, link := range p.links() {
			if kind := kindOf(link); !seen[kind] {
				seen[kind] = true
				queue = append(queue, link.RequestURI())
			}
		}
	}
	if len(left) > 0 || len(queue) > mostPages {
		t.Errorf("after %d pages of %d nobody came to %q", min(len(queue), mostPages), len(queue), left)
	}
}

// morePlan is what the plan of the demo has in these tests besides: companies and
// another lifecycle.
const morePlan = `
accounts:
  by: ["trait:company"]
  stages:
    - { name: Known }
    - { name: Client, when: 'any(was("Customer")) && sum("Order:Completed", "EUR") >= 100' }
  segments:
    large: people >= 10
lifecycles:
  shop:
    about: What somebody is to the shop alone
    events: ['Order:*']
    stages:
      - { name: Buyer }
      - { name: Regular, when: 'count("Order:Completed") >= 3' }
`

// prepare makes what a page needs to be linked to: versions of plan and rules,
// a request to erase, and a name that would run if it were markup.
func (p *tab) prepare() {
	p.t.Helper()
	for path, words := range map[string]string{"/plan": morePlan, "/connections/hubspot-demo/rules": "# newer\n"} {
		p.open(path)
		p.set("#source", p.value("#source")+words)
		p.press("Publish")
		p.reads("Published as version")
	}
	p.until("people belong to companies", `(await (await fetch("/accounts")).text()).includes("Acme")`)
	p.open("/people")
	p.do("ask to erase somebody", chromedp.Evaluate(fmt.Sprintf(`fetch("/people/erasures", {method: "POST", body: new URLSearchParams({person: %q, reason: "asked by mail"})}).then(r => r.status)`,
		strings.TrimPrefix(p.href("/people/"), "/people/")), nil, awaited))
	if words := p.complaints(); len(words) > 0 {
		p.t.Errorf("the browser complained: %q", words)
	}
}

// inspect looks at the open page in every size and colour.
func (p *tab) inspect(path, axe string) {
	p.t.Helper()
	for _, width := range []int64{360, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			p.screen(width, scheme)
			name := fmt.Sprintf("%s at %d, %s", path, width, scheme)
			var wide []string
			p.do("measure "+name, chromedp.Evaluate(`document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")].
				filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).slice(0, 5).map(e => e.outerHTML.slice(0, 100))`, &wide))
			if len(wide) > 0 {
				p.t.Errorf("%s is wider than the window: %q", name, wide)
			}
			if (width == 360) == (scheme == "dark") { // each size and each colour once
				if axe != "" {
					for _, v := range p.axe(axe) {
						p.t.Errorf("%s: %s", name, v)
					}
				}
				p.picture(fmt.Sprintf("%s_%d_%s", path, width, scheme))
			}
		}
	}
	for _, words := range p.complaints() {
		p.t.Errorf("%s: %s", path, words)
	}
}

// links are the pages of ours that the open page leads to.
func (p *tab) links() []*url.URL {
	p.t.Helper()
	var all []*url.URL
	var links []string
	p.do("links of "+p.address(), chromedp.Evaluate(`[...document.querySelectorAll("a[href]:not([download])")].map(a => a.href)`, &links))
	for _, link := range links {
		u, err := url.Parse(link)
		if err == nil && strings.HasPrefix(link, p.base+"/") && !noPage(u.Path) && !isDownload(u) {
			all = append(all, u)
		}
	}
	return all
}

// isDownload tells what a browser keeps as a file.
func isDownload(u *url.URL) bool {
	return strings.HasSuffix(u.Path, ".csv") || strings.HasSuffix(u.Path, "/export") || u.Query().Get("format") == "csv"
}

// pictured are reports with one picture of each kind; the others look alike.
var pictured = []string{"funnel", "stay", "rfm", "churn"}

// kindOf names a kind of page, of which one is enough: numbers, connections and
// values of queries are left out.
func kindOf(u *url.URL) string {
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		if i > 1 && (strings.Trim(part, "0123456789") == "" || parts[1] == "connections" && i == 2 && part != "new" || parts[1] == "accounts" ||
			parts[1] == "api" && i == 3 || parts[1] == "reports" && i == 2 && !slices.Contains(pictured, part)) {
			parts[i] = "*"
		}
	}
	names := ""
	for _, name := range []string{"connector", "next", "status", "state", "stage"} {
		if u.Query().Has(name) {
			names += "?" + name
		}
	}
	return strings.Join(parts, "/") + names
}

// axeSource is the checker of barriers from npm, where tests may use npm.
func axeSource(t *testing.T) string {
	t.Helper()
	if os.Getenv("STAGEBRIDGE_TEST_NPM") == "" {
		t.Log("skipped: axe, since STAGEBRIDGE_TEST_NPM is not set")
		return ""
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "axe-core@4.10.3")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v\n%s", err, out)
	}
	source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// axe gives the serious and critical barriers of the page that is open.
func (p *tab) axe(source string) []string {
	p.t.Helper()
	var text string
	p.do("run axe", chromedp.Evaluate(`typeof axe === "undefined" && (() => {`+source+"\n})(); 0", nil), chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.html).join(" "))))`,
		&text, awaited))
	var found []string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.t.Fatal(err)
	}
	return found
}
