//go:build !race

// Package browser_test uses the pages as a person does: a real Chromium opens
// the shipped program, clicks, types and reads. Without a Chromium the tests
// say that they were skipped. The race detector has nothing to find here: the
// program is another process.
package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long anything may take on a slow machine.
const patience = 90 * time.Second

// chromium finds the browser, or skips the test. Where services are required
// it must be there.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("STAGEBRIDGE_TEST_REQUIRE"), ","), "chromium") {
		t.Fatal("no Chromium is installed, and STAGEBRIDGE_TEST_REQUIRE names chromium")
	}
	t.Skip("no Chromium is installed")
	return ""
}

// tab is a page of the browser under a test's hands.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	problems []string
}

// openTab starts a browser that knows nobody.
func openTab(t *testing.T, base string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("enable-blink-features", "ComputedAccessibilityInfo"), // what a screen reader would say; see focused
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(patience))
	ctx, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	p := &tab{t: t, ctx: ctx, base: base}
	chromedp.ListenTarget(ctx, p.listen)
	p.do("open the browser", cdplog.Enable(), runtime.Enable())
	return p
}

// listen keeps what the browser complains of.
func (p *tab) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Error()
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.LevelError {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	case *page.EventJavascriptDialogOpening:
		text = "a dialog says " + e.Message
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			text = "console.error"
			for _, a := range e.Args {
				text += " " + string(a.Value)
			}
		}
	}
	if text != "" {
		p.mu.Lock()
		p.problems = append(p.problems, text)
		p.mu.Unlock()
	}
}

// complaints gives what the browser complained of since the last call.
func (p *tab) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.problems
	p.problems = nil
	return all
}

// do runs actions; what names the step for whoever reads the failure.
func (p *tab) do(what string, actions ...chromedp.Action) {
	p.t.Helper()
	ctx := p.ctx
	if chromedp.FromContext(ctx).Target != nil { // the first run makes the browser, which must not end with the step
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, patience)
		defer end()
	}
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.picture("failed")
		p.t.Fatalf("%s: %v\nat %s\n%s", what, err, p.address(), p.text("main"))
	}
}

// address is where the tab is.
func (p *tab) address() string {
	var at string
	_ = chromedp.Run(p.ctx, chromedp.Location(&at)) // a failure shows as no address
	return at
}

// open goes to a page of the site.
func (p *tab) open(path string) {
	p.t.Helper()
	p.do("open "+path, chromedp.Navigate(p.base+path), chromedp.WaitReady("main"))
}

// press clicks on the button with these words; the page it leads to is waited
// for.
func (p *tab) press(words string) {
	p.t.Helper()
	path := fmt.Sprintf(`//main//*[self::button or self::a][normalize-space()=%q]`, words)
	p.leave("press "+words, chromedp.WaitVisible(path, chromedp.BySearch), chromedp.Click(path, chromedp.BySearch))
}

// leave does what leads to another page, and waits for that.
func (p *tab) leave(what string, actions ...chromedp.Action) {
	p.t.Helper()
	mark := chromedp.Evaluate(`document.documentElement.dataset.left = "yes"`, nil)
	p.do(what, append([]chromedp.Action{mark}, actions...)...)
	p.until(what+", then the next page", `document.readyState === "complete" && !document.documentElement.dataset.left`)
}

// fill replaces what a field holds.
func (p *tab) fill(selector, text string) {
	p.t.Helper()
	p.do("fill "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).value = ""`, selector), nil),
		chromedp.SendKeys(selector, text, chromedp.ByQuery))
}

// set gives a field a long text at once, and tells the page as typing does.
func (p *tab) set(selector, text string) {
	p.t.Helper()
	p.do("set "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery),
		chromedp.Evaluate(fmt.Sprintf(`{ const f = document.querySelector(%q); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})) }`, selector, text), nil))
}

// value is what a field holds.
func (p *tab) value(selector string) string {
	p.t.Helper()
	var text string
	p.do("value of "+selector, chromedp.Value(selector, &text, chromedp.ByQuery))
	return text
}

// text is what a person reads in the first element that a selector finds;
// empty where there is none.
func (p *tab) text(selector string) string {
	var text string
	_ = chromedp.Run(p.ctx, chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector), &text))
	return text
}

// until waits for a condition in JavaScript.
func (p *tab) until(what, condition string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var holds bool
		// Between two pages there is nothing to ask; that ends.
		err := chromedp.Run(p.ctx, chromedp.Evaluate("(async () => Boolean("+condition+"))()", &holds, awaited))
		if err == nil && holds {
			return
		}
		if time.Now().After(deadline) {
			p.picture("failed")
			p.t.Fatalf("%s: %s did not become true (%v)\nat %s\n%s", what, condition, err, p.address(), p.text("main"))
		}
		select {
		case <-p.t.Context().Done():
			p.t.Fatal(what, p.t.Context().Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// reads waits until the page shows a text.
func (p *tab) reads(text string) {
	p.t.Helper()
	p.until("read "+text, fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// screen makes the window as large as a device's, and light or dark.
func (p *tab) screen(width int64, scheme string) {
	p.t.Helper()
	p.do("resize", chromedp.EmulateViewport(width, 900), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// picture keeps what the tab shows, where STAGEBRIDGE_TEST_SCREENSHOTS names a
// folder.
func (p *tab) picture(name string) {
	folder := os.Getenv("STAGEBRIDGE_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(p.ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		p.t.Logf("no picture of %s: %v", name, err)
		return
	}
	name = strings.NewReplacer("/", "_", "?", "_", "=", "_", "&", "_").Replace(strings.ReplaceAll(p.t.Name(), "/", "_") + "_" + name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// login lets a user in.
func (p *tab) login(name, password string) {
	p.t.Helper()
	p.open("/login")
	p.fill("#name", name)
	p.fill("#password", password)
	p.press("Log in")
}

// awaited takes what a promise gives.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
