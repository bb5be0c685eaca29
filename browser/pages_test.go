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
const mostPages = 60

// TestEveryPage walks through all pages of a demo that is full of people, in
// every size and colour: nothing is complained of, nothing is wider than the
// window, and axe finds no serious barrier.
func TestEveryPage(t *testing.T) {
	line := start(t, "log in as admin", nil, "demo", "-stay")
	base := between(t, line, "Open ", " and")
	password := between(t, line, "password ", "\n")
	p := openTab(t, base)
	p.login("admin", password)
	axe := axeSource(t)
	for _, path := range p.walk() {
		for _, width := range []int64{360, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				p.screen(width, scheme)
				p.open(path)
				name := fmt.Sprintf("%s at %d, %s", path, width, scheme)
				for _, words := range p.complaints() {
					t.Errorf("%s: %s", name, words)
				}
				var wide []string
				p.do("measure "+name, chromedp.Evaluate(`document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")].
					filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).slice(0, 5).map(e => e.outerHTML.slice(0, 100))`, &wide))
				if len(wide) > 0 {
					t.Errorf("%s is wider than the window: %q", name, wide)
				}
				if axe != "" && (width == 360) == (scheme == "dark") { // each size and each colour once
					for _, v := range p.axe(axe) {
						t.Errorf("%s: %s", name, v)
					}
				}
				if (width == 360) == (scheme == "dark") {
					p.picture(fmt.Sprintf("%s_%d_%s", path, width, scheme))
				}
			}
		}
	}
}

// walk finds pages from links, one of each kind: what differs in a number or a
// name only is one page.
func (p *tab) walk() []string {
	p.t.Helper()
	seen := map[string]bool{"/": true}
	all := []string{"/"}
	for i := 0; i < len(all) && len(all) < mostPages; i++ {
		p.open(all[i])
		var links []string
		p.do("links of "+all[i], chromedp.Evaluate(`[...document.querySelectorAll("a[href]")].map(a => a.href)`, &links))
		for _, link := range links {
			u, err := url.Parse(link)
			if err != nil || !strings.HasPrefix(link, p.base) || strings.HasPrefix(u.Path, "/jobs") || strings.HasPrefix(u.Path, "/api/") {
				continue
			}
			if kind := kindOf(u); !seen[kind] && !isDownload(u) {
				seen[kind] = true
				all = append(all, u.RequestURI())
			}
		}
	}
	return all
}

func isDownload(u *url.URL) bool {
	return strings.HasSuffix(u.Path, ".csv") || u.Query().Get("format") == "csv"
}

// pictured are reports with one picture of each kind; the others look alike.
var pictured = []string{"funnel", "stay", "rfm", "churn"}

// kindOf names a kind of page: numbers, connections and values of queries are
// left out.
func kindOf(u *url.URL) string {
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		if i > 1 && (strings.Trim(part, "0123456789") == "" || parts[1] == "connections" && i == 2 && part != "new" ||
			parts[1] == "reports" && i == 2 && !slices.Contains(pictured, part)) {
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
	p.do("run axe", chromedp.Evaluate(source+`; 0`, nil), chromedp.Evaluate(`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.html).join(" "))))`,
		&text, awaited))
	var found []string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		p.t.Fatal(err)
	}
	return found
}
