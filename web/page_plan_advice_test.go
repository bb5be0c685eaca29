package web_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAdviceAboutPlan: the plan in force and a checked draft show what lint
// finds, with the line, and a draft with mistakes shows them alone.
func TestAdviceAboutPlan(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	if a := l.api("PUT", "/plan", webPlan); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.has("in force", l.get("/plan"), "<details data-advice><summary>Advice about the plan in force: ", "<code>Order:Complete</code> <a href=\"#source\" data-line=\"7\">line 7</a>",
		"is nearly the same as", "use one name for one thing", `<a href="/connections/crm/rules">crm</a> <span class="soft">rule news</span>`,
		`<span class="wrong">error</span>: &#34;Newsletter:Subscribed&#34; is sent and not in the plan: it will be quarantined`)

	checked := func(source string, more ...string) answer {
		return l.post("/plan", append([]string{"version", "1", "source", crlf(source), "check", "yes"}, more...)...)
	}
	hostileEvent := strings.Replace(webPlan, "Order:Complete:", "'"+hostile+"':", 1)
	a := checked(hostileEvent)
	l.has("a draft", a, "There is no mistake in it.", "<details data-advice open><summary>Advice about this draft: ", "has not the form Category:Name",
		"<code>&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;")
	if found := inlineCode.FindString(strings.ReplaceAll(a.Body, "onerror=alert", "")); found != "" {
		t.Errorf("inline code: %q", found)
	}
	if own, sent := strings.Index(a.Body, "has not the form"), strings.Index(a.Body, "is sent and not in the plan"); own < 0 || sent < own {
		t.Errorf("what is wrong with the text stands at %d, what a connection sends at %d", own, sent)
	}
	part := checked(hostileEvent, "fragment", "yes")
	l.has("as a part", part, "<details data-advice><summary>Advice about this draft: ", "has not the form Category:Name")
	if strings.Contains(part.Body, "<html") {
		t.Error("the part is a whole page")
	}
	good := strings.Replace(webPlan, "Order:Complete:", "Newsletter:Subscribed:", 1)
	l.has("nothing to say", checked(good, "fragment", "yes"), "There is no mistake in it.", "There is no advice about it.")
	if a := checked("name: x\n"); a.Status != 422 || strings.Contains(a.Body, "Advice about") || !strings.Contains(a.Body, "stages") {
		t.Errorf("mistakes come first: %d %s", a.Status, a.Body)
	}

	var noise strings.Builder
	for i := range 40 {
		fmt.Fprintf(&noise, "  odd_%c%c: Something happened.\n", 'a'+i/26, 'a'+i%26)
	}
	many := checked(strings.Replace(webPlan, "governance:", noise.String()+"governance:", 1), "fragment", "yes")
	if n := strings.Count(many.Body, "<tr><td>"); n != 30 || !strings.Contains(many.Body, "more are told by") {
		t.Errorf("%d pieces of advice are shown, want 30 and how many more: %s", n, many.Body)
	}
}
