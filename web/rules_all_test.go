package web_test

import (
	"strings"
	"testing"
)

// follow opens the page that a form led to.
func (l *lab) follow(a answer) answer {
	l.Helper()
	if a.Status != 303 {
		l.Fatalf("no redirect: %d %s", a.Status, a.Body)
	}
	path, _, _ := strings.Cut(a.Header.Get("Location"), "#") // which browsers keep to themselves
	return l.get(path)
}

// work does the long work that is due.
func (l *lab) work() {
	l.Helper()
	if err := l.admin.Works.Run(l.Context()); err != nil {
		l.Fatal(err)
	}
}

// has tells what of the texts is not in a page.
func (l *lab) has(name string, a answer, texts ...string) {
	l.Helper()
	body := strings.Join(strings.Fields(a.Body), " ")
	if a.Status != 200 {
		l.Errorf("%s: %d", name, a.Status)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			l.Errorf("%s: %q is not in %s", name, text, body)
		}
	}
}

// TestRulesAgainstEverything goes the way of somebody who tries a draft on
// everything stored, looks at what would differ, and publishes it with a replay.
func TestRulesAgainstEverything(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.connect("shop", nil)
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "other", `{"email":"ben@example.com"}`)
	l.tell("crm", "another", `{"email":"cay@example.com"}`)
	l.process()
	const path = "/connections/crm/rules"
	draft := labRules + "  - { name: other, type: other, emit: { event: \"Newsletter:Subscribed\", identity: { email: body.email } } }\n"

	asked := l.post(path, "version", "0", "source", strings.ReplaceAll(draft, "\n", "\r\n"), "all", "yes")
	if got := asked.Header.Get("Location"); got != path+"?job=1" {
		t.Fatalf("a try on everything leads to %q: %d %s", got, asked.Status, asked.Body)
	}
	l.has("while it waits", l.follow(asked), "It waits for its turn", `data-live="/live/work/1"`, "name: other, type: other", `action="/work/1/cancel"`)
	l.work()
	l.has("afterwards", l.follow(asked), "1 of 3 raw events would give something else.", "Newsletter:Subscribed", `href="/inbox/2"`, "email:ben@example.com",
		"1 raw event: <span class=\"status-ignored\">ignored</span> → <span class=\"status-done\">done</span>", "1 person is new", "name: other, type: other")
	l.has("long work", l.get("/work"), `<a href="/connections/crm/rules?job=1">rules preview</a>`, "1 of 3 raw events would give something else")
	if a := l.get("/connections/shop/rules?job=1"); a.Status != 404 {
		t.Errorf("the work of another connection: %d", a.Status)
	}
	if a := l.get(path + "?job=x"); a.Status != 404 {
		t.Errorf("no number: %d", a.Status)
	}

	counted := l.post(path, "version", "0", "source", draft, "note", "others too", "replay", "ignored", "publish", "count")
	l.has("the count comes first", counted, "2 raw events of crm will be mapped", "Publish, and process 2 raw events again", `value="others too"`, `<option value="ignored" selected>`, "name: other, type: other")
	if v, err := l.admin.Rules(t.Context(), "crm"); err != nil || v.Version != 0 {
		t.Fatalf("counting published: %+v, %v", v, err)
	}
	done := l.post(path, "version", "0", "source", draft, "note", "others too", "replay", "ignored", "publish", "replay")
	l.work()
	l.has("published and replayed", l.follow(done), "2 raw events were processed again: 1 gave something else", "Based on version 1.", "others too", "Newsletter:Subscribed")
	l.has("a person came of it", l.get("/people?q=ben"), "ben@example.com")

	for name, c := range map[string]struct {
		pairs  []string
		status int
		has    string
	}{
		"a draft with mistakes":        {[]string{"version", "1", "source", "rules: 7\n", "all", "yes"}, 422, "rules/crm.yaml:1"},
		"mistakes, counted":            {[]string{"version", "1", "source", "rules: 7\n", "replay", "all", "publish", "count"}, 422, "rules/crm.yaml:1"},
		"based on what is no more":     {[]string{"version", "0", "source", draft, "replay", "all", "publish", "replay"}, 422, "Somebody else published"},
		"a choice that there is not":   {[]string{"version", "1", "source", draft, "replay", "pending", "publish", "count"}, 400, "replay"},
		"a choice to publish that not": {[]string{"version", "1", "source", draft, "replay", "", "publish", "replay"}, 400, "replay"},
	} {
		if a := l.post(path, c.pairs...); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	if v, err := l.admin.Rules(t.Context(), "crm"); err != nil || v.Version != 1 {
		t.Errorf("what was refused was published: %+v, %v", v, err)
	}
}
