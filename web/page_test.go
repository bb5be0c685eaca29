package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

// hostile is a text that must reach a page as a text only.
const hostile = `<script>alert("x")</script>"><img src=x onerror=alert(1)>`

// inlineCode matches what the policy of the pages forbids and no page holds.
var inlineCode = regexp.MustCompile(`(?i)<script(>|[^>]*[^"]>\s*\S)|<style|\son[a-z]+\s*=|\sstyle\s*=|javascript:`)

// fillHostile lets every text that comes from outside be a hostile one.
func fillHostile(t *testing.T, l *lab) (raw, failed int64) {
	t.Helper()
	plan := `name: x
stages:
  - { name: A }
  - { name: '` + hostile + `', when: seen("Newsletter:Subscribed") }
segments:
  vip: seen("Newsletter:Subscribed")
`
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: plan, Author: hostile, Note: hostile}); err != nil {
		t.Fatal(err)
	}
	l.connect("crm", &connectors.PushConfig{Enabled: true, Stages: map[string]string{hostile: hostile}})
	raw = l.tell("crm", "news", fmt.Sprintf(`{"email":"ann@example.com","company":%q}`, hostile))
	failed = l.tell("crm", hostile, `{"a":"`+strings.Repeat("\xff", 8)+`</pre>`+hostile+`"}`)
	l.process()
	l.store.NoteRejection("crm", store.Rejection{At: lifecycle.At(l.now), Reason: "bad_signature", Detail: hostile, Method: hostile, Address: hostile, Agent: hostile})
	if err := l.store.FlushRejections(t.Context()); err != nil {
		t.Fatal(err)
	}
	leased, err := l.store.Lease(t.Context(), "crm", 10, 1<<60, false)
	if err != nil || len(leased) != 1 {
		t.Fatal(leased, err)
	}
	leased[0].State, leased[0].Reason, leased[0].Message = store.SyncFailed, "invalid", hostile
	if err := l.store.WriteBackAll(t.Context(), []store.WriteBack{{Sync: leased[0].Sync}}, nil); err != nil {
		t.Fatal(err)
	}
	return raw, failed
}

func TestPages(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Simulated = true })
	empty := []struct{ path, has string }{
		{"/", "Nothing is connected yet"}, {"/connections", "Connect Lab"}, {"/connections/new?connector=lab", "Signing secret"},
		{"/plan", "Plan classic"}, {"/people", "Nobody is known yet"}, {"/inbox", "There is none"}, {"/sync", "nobody in this list"},
	}
	for _, c := range empty {
		checkPage(t, l, c.path, c.has)
	}
	raw, failed := fillHostile(t, l)
	full := []struct{ path, has string }{
		{"/", "1 person on the plan"}, {"/connections", "has failures"}, {"/connections/crm", "The secret differs"}, {"/connections/crm/edit", "set; leave empty to keep it"},
		{"/plan", "everybody"}, {"/connections/crm/rules", "Newsletter:Subscribed"},
		{"/people", "ann@example.com"}, {"/people?q=ann", "ann@example.com"}, {"/people?stage=A", "Nobody fits this"}, {"/people?segment=vip", "ann@example.com"},
		{"/people?stage=" + escape(hostile), "ann@example.com"}, {"/people?q=" + escape(hostile), "Nobody fits this"},
		{"/people/1", "Why this stage"}, {fmt.Sprintf("/inbox/%d", raw), "Newsletter:Subscribed"}, {fmt.Sprintf("/inbox/%d", failed), "not UTF-8"},
		{"/inbox", "ignored"}, {"/inbox?status=done&connection=crm", "news"}, {"/inbox?type=" + escape(hostile), "ignored"},
		{"/segments", "vip"}, {"/work", "Long work"}, {"/settings", "API tokens"}, {"/settings/audit", "plan.publish"}, {"/settings/audit?author=" + escape(hostile), "Audit log"},
		{"/sync", "invalid"}, {"/sync?state=failed", "Try 1 person again"}, {"/sync?state=failed&reason=" + escape(hostile), "nobody in this list"},
	}
	l.now = l.now.Add(time.Minute) // counts are kept for some seconds
	for _, c := range full {
		checkPage(t, l, c.path, c.has)
	}
	for _, path := range []string{"/people/99", "/inbox/99", "/connections/none", "/connections/new?connector=" + escape(hostile), "/nothing", "/people?next=%00"} {
		if a := l.get(path); a.Status != 404 && a.Status != 400 || strings.Contains(a.Body, hostile) || !strings.Contains(a.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
}

func checkPage(t *testing.T, l *lab, path, has string) {
	t.Helper()
	a := l.get(path)
	body := strings.Join(strings.Fields(a.Body), " ")
	switch {
	case a.Status != 200:
		t.Errorf("%s: %d %.400s", path, a.Status, a.Body)
	case !strings.Contains(body, has):
		t.Errorf("%s: %q is not in %.3000s", path, has, body)
	case strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img"):
		t.Errorf("%s: a text came through as markup: %s", path, a.Body)
	case inlineCode.MatchString(strings.ReplaceAll(a.Body, "onerror=alert", "")):
		t.Errorf("%s: inline code: %q", path, inlineCode.FindString(a.Body))
	case !strings.Contains(a.Body, "Simulated"):
		t.Errorf("%s: is not marked as simulated", path)
	case !strings.HasSuffix(strings.TrimSpace(a.Body), "</html>"):
		t.Errorf("%s: is cut off", path)
	case len(a.Body) > 100_000:
		t.Errorf("%s: has %d bytes", path, len(a.Body))
	}
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("%s: policy %q", path, policy)
	}
	for _, header := range []string{"X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Strict-Transport-Security", "X-Request-Id"} {
		if a.Header.Get(header) == "" {
			t.Errorf("%s: no %s", path, header)
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	page := l.send("GET", "/login", "", "Accept: text/html")
	found := regexp.MustCompile(`/assets/[a-z]+\.[0-9a-f]+\.(css|js|svg)`).FindAllString(page.Body, -1)
	if len(found) != 3 {
		t.Fatalf("assets: %v", found)
	}
	for _, path := range found {
		a := l.send("GET", path, "")
		if a.Status != 200 || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("Content-Type") == "" || a.Body == "" {
			t.Errorf("%s: %d %v", path, a.Status, a.Header)
		}
	}
	for _, path := range []string{"/assets/app.css", "/assets/..%2fview.go", "/assets/"} {
		if a := l.send("GET", path, ""); a.Status != 404 {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	if strings.Contains(page.Body, "https://") {
		t.Error("a page asks another site for something")
	}
}

func TestConnectionForm(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	refused := l.post("/connections/new", "connector", "lab", "id", "crm", "secret.token", "", "setting.mode", "odd", "enabled", "on", "stages", "Customer = customer")
	if refused.Status != 422 {
		t.Fatalf("%d %s", refused.Status, refused.Body)
	}
	for _, text := range []string{"is required", "want one of", "Customer = customer", `name="enabled" value="on" checked`} {
		if !strings.Contains(refused.Body, text) {
			t.Errorf("%q is not in the refused form", text)
		}
	}
	made := l.post("/connections/new", "connector", "lab", "id", "crm", "secret.token", "hush-hush", "setting.mode", "fast", "enabled", "on", "segments", "a, b", "stages", "Customer = customer")
	if made.Status != 303 || made.Header.Get("Location") != "/connections/crm" {
		t.Fatalf("%d %s", made.Status, made.Body)
	}
	again := l.post("/connections/new", "connector", "lab", "id", "crm")
	if again.Status != 422 || !strings.Contains(again.Body, "Exists already") {
		t.Errorf("made twice: %d", again.Status)
	}
	edit := l.get("/connections/crm/edit")
	if strings.Contains(edit.Body, "hush-hush") || !strings.Contains(edit.Body, `value="a, b"`) || !strings.Contains(edit.Body, "<option selected>fast</option>") {
		t.Errorf("edit: %s", edit.Body)
	}
	if a := l.post("/connections/crm/edit", "setting.mode", "slow", "enabled", "on"); a.Status != 303 {
		t.Errorf("changed: %d %s", a.Status, a.Body)
	}
	if a := l.post("/connections/crm/edit", "stages", "no equals sign"); a.Status != 422 || !strings.Contains(a.Body, "our stage = theirs") {
		t.Errorf("wrong stages: %d", a.Status)
	}
	for action, has := range map[string]string{"check": "Account 7", "register": "now calls", "pause": "Paused", "resume": "Going on", "resync": "0 people will be", "forget": "Only the current"} {
		if a := l.post("/connections/crm/" + action); a.Status != 200 || !strings.Contains(a.Body, has) {
			t.Errorf("%s: %d %.300s", action, a.Status, a.Body)
		}
	}
	if a := l.post("/connections/crm/delete", "confirm", "cr"); a.Status != 400 {
		t.Errorf("removed without its name: %d", a.Status)
	}
	if a := l.post("/connections/crm/explode"); a.Status != 404 {
		t.Errorf("an unknown action: %d", a.Status)
	}
	if a := l.post("/connections/crm/delete", "confirm", "crm"); a.Status != 303 {
		t.Errorf("removed: %d %s", a.Status, a.Body)
	}
	if a := l.get("/connections/crm"); a.Status != 404 {
		t.Errorf("still there: %d", a.Status)
	}
}

func TestRetryPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	fillHostile(t, l)
	l.woken = nil
	a := l.post("/sync/retry", "connection", "crm", "state", "failed", "reason", "")
	if a.Status != 200 || !strings.Contains(a.Body, "1 person will be tried again") || len(l.woken) == 0 {
		t.Errorf("%d %v %s", a.Status, l.woken, a.Body)
	}
}

func TestBrokenConnectionPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	row := l.registry.Config().Connections["crm"].Connection
	row.Settings = `{"base_url":"wrong ` + `<b>"}`
	if _, err := l.store.SaveConnection(t.Context(), row, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := l.get("/connections/crm"); a.Status != 200 || !strings.Contains(a.Body, "not working") || !strings.Contains(a.Body, "is wrong too") || strings.Contains(a.Body, "<b>") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := l.api("POST", "/connections/crm/check", ""); a.Status != 422 {
		t.Errorf("check of what cannot be opened: %d %s", a.Status, a.Body)
	}
	// It is mended by the form.
	if a := l.post("/connections/crm/edit", "setting.mode", "slow"); a.Status != 303 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	_, err := l.admin.Update(t.Context(), jobs.ConnectionInput{ID: "crm", Secrets: map[string]secret.Text{"token": secret.New("n")}})
	if err != nil {
		t.Error(err)
	}
}

// TestPanicsAreAnswered: a mistake in the program ends one request, without
// telling what it was.
func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.Admin = &jobs.Admin{Works: o.Admin.Works} }) // nobody forgets the registry but here
	a := l.api("POST", "/inbox/replay", `{}`)
	if a.Status != 500 || !strings.Contains(a.Body, `"status":500`) || strings.Contains(a.Body, "nil pointer") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if !strings.Contains(l.log.String(), "nil pointer") {
		t.Error("the log does not tell")
	}
	if a := l.api("GET", "/inbox", ""); a.Status != 200 {
		t.Errorf("afterwards: %d", a.Status)
	}
}

func TestEditors(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	plan := "name: mine\nstages:\n  - { name: A }\n"
	changed := strings.Replace(labRules, "type: order", "type: invoice", 1)
	for _, c := range []struct {
		name, path string
		pairs      []string
		status     int
		has        string
	}{
		{"rules tried", "/connections/crm/rules", []string{"version", "0", "source", strings.ReplaceAll(changed, "\n", "\r\n")}, 200, "Against the last 1 event: <strong>1 would change"},
		{"rules with mistakes", "/connections/crm/rules", []string{"version", "0", "source", "rules:\n  - { nam: <b> }\n", "publish", "yes"}, 422, "rules/crm.yaml:2"},
		{"rules published", "/connections/crm/rules", []string{"version", "0", "source", changed, "publish", "yes"}, 200, "Published as version 1"},
		{"a version", "/connections/crm/rules/1", nil, 200, "This version is in force"},
		{"a part of the page", "/connections/crm/rules", []string{"version", "1", "source", labRules, "fragment", "yes"}, 200, "<div data-trial>"},
		{"a part of the page, with mistakes", "/connections/crm/rules", []string{"version", "1", "source", "rules: 7\n", "fragment", "yes"}, 200, "data-line=\"1\""},
		{"rules again", "/connections/crm/rules", []string{"version", "1", "source", labRules, "publish", "yes", "note", "a reason"}, 200, "a reason"},
		{"what differs", "/connections/crm/rules/1", nil, 200, "&#43;5     type: order"},
		{"back", "/connections/crm/rules/1", []string{}, 303, ""},
		{"no version", "/connections/crm/rules/99", nil, 404, ""},
		{"rules of an old version", "/connections/crm/rules", []string{"version", "0", "source", changed, "publish", "yes"}, 422, "Somebody else published"},
		{"rules without a version", "/connections/crm/rules", []string{"source", changed}, 400, "version"},
		{"rules of nothing", "/connections/none/rules", []string{"version", "0", "source", changed}, 404, "nothing under this name"},
		{"plan checked", "/plan", []string{"version", "0", "source", plan}, 200, "There is no mistake in it"},
		{"plan previewed", "/plan", []string{"version", "0", "source", plan, "preview", "yes"}, 303, ""},
		{"its dry run", "/plan?job=1", nil, 200, "What publishing would do"},
		{"plan with mistakes, previewed", "/plan", []string{"version", "0", "source", "name: x\nstages: 7\n", "preview", "yes"}, 422, "plan.yaml:2"},
		{"plan with mistakes", "/plan", []string{"version", "0", "source", "name: x\nstages: 7\n", "publish", "yes"}, 422, "plan.yaml:2"},
		{"plan published", "/plan", []string{"version", "0", "source", plan, "publish", "yes"}, 303, ""},
		{"what was published", "/plan?published=1", nil, 200, "Published as version 1"},
		{"a version of the plan", "/plan/versions/1", nil, 200, "This version is in force"},
	} {
		ask := func() answer { return l.post(c.path, c.pairs...) }
		if c.pairs == nil {
			ask = func() answer { return l.get(c.path) }
		}
		if a := ask(); a.Status != c.status || !strings.Contains(a.Body, c.has) || strings.Contains(a.Body, "<b>") {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	if v, err := l.admin.Rules(t.Context(), "crm"); err != nil || v.Source != changed || v.Author != "admin" {
		t.Errorf("rules in force: %+v, %v", v, err)
	}
	if got := l.registry.Config().Plan.Name(); got != "mine" {
		t.Errorf("plan in force: %s", got)
	}
}
