//go:build !race

package browser_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// mostTabs is how often a person may have to press Tab until what is wanted has
// the focus, from the beginning of the content.
const mostTabs = 120

// focus is what has the focus, as somebody without a mouse notices it.
type focus struct {
	Name string // what a screen reader says
	Role string
	Tag  string
	// Seen says that it is on the screen with an outline around it.
	Seen bool
}

// focused reads the focus. Names and roles are Chromium's own; see openTab.
const focused = `(() => {
	const e = document.activeElement;
	const box = e.getBoundingClientRect(), style = getComputedStyle(e);
	const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 && box.width > 0 && box.height > 0 &&
		box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
	return {Name: e.computedName ?? "", Role: e.computedRole ?? "", Tag: e.tagName, Seen: seen};
})()`

// key presses one key, with Ctrl, Shift or Alt held.
func key(k string, held ...input.Modifier) chromedp.Action {
	return chromedp.KeyEvent(k, chromedp.KeyModifiers(held...))
}

// keys presses keys one after the other.
func (p *tab) keys(what string, all ...chromedp.Action) {
	p.t.Helper()
	p.do(what, all...)
}

// tabTo goes with the Tab key alone to what has this name, and fails where
// something on the way does not show that it has the focus.
func (p *tab) tabTo(name string) {
	p.t.Helper()
	p.tabUntil(name, func(f focus) bool { return f.Name == name })
}

func (p *tab) tabUntil(what string, there func(focus) bool) {
	p.t.Helper()
	var passed []string
	for range mostTabs {
		var f focus
		p.do("tab to "+what, key(kb.Tab), chromedp.Evaluate(focused, &f))
		if f.Tag == "BODY" { // the end: it begins anew
			continue
		}
		if !f.Seen {
			p.picture("unseen")
			p.t.Fatalf("%s %q at %s does not show that it has the focus", f.Role, f.Name, p.address())
		}
		if there(f) {
			return
		}
		passed = append(passed, f.Name)
	}
	p.picture("failed")
	p.t.Fatalf("%d tabs do not lead to %q at %s, but to %q", mostTabs, what, p.address(), slices.Compact(passed))
}

// skip passes over what is on every page, by the link that is there for it.
func (p *tab) skip() {
	p.t.Helper()
	p.tabTo("Skip to the content")
	p.keys("skip", key(kb.Enter))
}

// enter tabs to a link or button and presses Enter; the page it leads to is
// waited for.
func (p *tab) enter(name string) {
	p.t.Helper()
	p.tabTo(name)
	p.leave("press "+name, key(kb.Enter))
}

// visit goes to a part of the site by the navigation at the top.
func (p *tab) visit(name string) {
	p.t.Helper()
	p.enter(name)
	p.skip()
}

// typeInto replaces what the field with this name holds.
func (p *tab) typeInto(name, text string) {
	p.t.Helper()
	p.tabTo(name)
	p.keys("type into "+name, key("a", input.ModifierCtrl), chromedp.KeyEvent(text))
}

// tick presses Space on the box or the button with this name.
func (p *tab) tick(name string) {
	p.t.Helper()
	p.tabTo(name)
	p.keys("tick "+name, chromedp.KeyEvent(" "))
}

// choose goes with the arrows through a list until it shows an option.
func (p *tab) choose(name, option string) {
	p.t.Helper()
	p.tabTo(name)
	p.keys("to the beginning of "+name, key(kb.Home))
	var all []string
	for range 60 {
		var now string
		p.do("option of "+name, chromedp.Evaluate(`document.activeElement.selectedOptions[0].text`, &now))
		if now == option {
			return
		}
		if len(all) > 0 && all[len(all)-1] == now {
			break
		}
		all = append(all, now)
		p.keys("next option of "+name, key(kb.ArrowDown))
	}
	p.t.Fatalf("%s offers %q, not %q", name, all, option)
}

// toLine goes to a line of the editor that has the focus and selects all of it.
func (p *tab) toLine(n int) {
	p.t.Helper()
	all := []chromedp.Action{key(kb.Home, input.ModifierCtrl)}
	for range n - 1 {
		all = append(all, key(kb.ArrowDown))
	}
	p.keys(fmt.Sprintf("to line %d", n), append(all, key(kb.Home), key(kb.End, input.ModifierShift))...)
}

// replaceLine types another line in place of the one that holds a text, in the
// editor that has the focus. It answers the line's number.
func (p *tab) replaceLine(holds, line string) int {
	p.t.Helper()
	n := p.lineOf(holds)
	p.toLine(n)
	p.keys("type "+line, chromedp.KeyEvent(line))
	return n
}

// lineOf is the number of the first line of the editor that holds a text.
func (p *tab) lineOf(holds string) int {
	p.t.Helper()
	text := p.value("#source")
	at := strings.Index(text, holds)
	if at < 0 {
		p.t.Fatalf("the editor holds no %q:\n%s", holds, text)
	}
	return strings.Count(text[:at], "\n") + 1
}

// href is the address of the content's first link that begins so and ends in a
// number.
func (p *tab) href(begin string) string {
	p.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("main a[href]")].map(a => a.getAttribute("href")).find(h => h.startsWith(%q) && /\/\d+$/.test(h))`, begin)
	var at string
	p.until("there is a link to "+begin, find)
	p.do("read the link", chromedp.Evaluate(find, &at))
	return at
}

// follow tabs to the link with this address, whatever it says, and presses
// Enter.
func (p *tab) follow(href string) {
	p.t.Helper()
	for range mostTabs {
		var at string
		p.do("tab to "+href, key(kb.Tab), chromedp.Evaluate(`document.activeElement.getAttribute("href") ?? ""`, &at))
		if at == href {
			p.leave("follow "+href, key(kb.Enter))
			return
		}
	}
	p.t.Fatalf("%d tabs do not lead to a link to %s at %s", mostTabs, href, p.address())
}

// again opens the page anew until it reads a text: what happens beside the
// browser takes its time. F5 does that by keyboard.
func (p *tab) again(text string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var seen bool
		p.do("look for "+text, chromedp.Reload(), chromedp.WaitReady("main"), chromedp.Evaluate(fmt.Sprintf(`document.body.innerText.includes(%q)`, text), &seen))
		if seen {
			return
		}
		if time.Now().After(deadline) {
			p.picture("failed")
			p.t.Fatalf("%s does not read %q but\n%s", p.address(), text, cmp.Or(p.text("main"), "nothing"))
		}
		select {
		case <-p.t.Context().Done():
			p.t.Fatal(p.t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
