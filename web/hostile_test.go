package web_test

import (
	"fmt"
	"html"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
	"github.com/stagebridge/stagebridge/web/access"
)

// hostileRules name a rule and a property as nobody should.
const hostileRules = `
rules:
  - name: '` + hostile + `'
    type: news
    emit:
      event: Odd:Thing
      identity: { email: body.email, user: body.user }
      traits: { company: body.company }
      properties: { '` + hostile + `': body.company }
  - { name: usual, type: news, emit: { event: "Newsletter:Subscribed", identity: { email: body.email, user: body.user } } }
`

const hostilePlan = `name: '` + hostile + `'
stages:
  - { name: A }
  - { name: '` + hostile + `', when: seen("Newsletter:Subscribed") }
segments:
  '` + hostile + `': seen("Newsletter:Subscribed") && traits.company != "x"
accounts:
  by: [trait:company]
  stages:
    - { name: '` + hostile + `' }
  segments:
    '` + hostile + `': people >= 1
`

// fillEverything brings a hostile text to whatever shows one: people, keys,
// traits, segments, stages, rules, types, users, tokens, reasons and notes.
func fillEverything(t *testing.T, l *lab) {
	t.Helper()
	ctx := t.Context()
	l.connect("crm", &connectors.PushConfig{Enabled: true, Stages: map[string]string{hostile: hostile}})
	for version := range int64(2) {
		if _, err := l.admin.PublishPlan(ctx, version, store.Versioned{Source: hostilePlan + strings.Repeat("\n", int(version)), Author: hostile, Note: hostile}); err != nil {
			t.Fatal(err)
		}
		if _, err := l.admin.PublishRules(ctx, "crm", version, store.Versioned{Source: hostileRules + strings.Repeat("\n", int(version)), Author: hostile, Note: hostile}); err != nil {
			t.Fatal(err)
		}
	}
	l.tell("crm", "news", fmt.Sprintf(`{"email":"ann@example.com","user":%q,"company":%q}`, hostile, hostile))
	l.tell("crm", "news", fmt.Sprintf(`{"email":["a1@example.com","a2@example.com","a3@example.com","a4@example.com","a5@example.com","a6@example.com"],"company":%q}`, hostile))
	l.tell("crm", hostile, fmt.Sprintf(`{%q:%q}`, hostile, hostile))
	l.process()
	l.store.NoteRejection("crm", store.Rejection{At: lifecycle.At(l.now), Reason: "bad_signature", Detail: hostile, Method: hostile, Address: hostile, Agent: hostile})
	if err := l.store.FlushRejections(ctx); err != nil {
		t.Fatal(err)
	}
	leased, err := l.store.Lease(ctx, "crm", 10, 1<<60, false)
	if err != nil || len(leased) != 2 {
		t.Fatal(leased, err)
	}
	leased[0].State, leased[0].Reason, leased[0].Message = store.SyncFailed, "invalid", hostile
	if err := l.store.WriteBackAll(ctx, []store.WriteBack{{Sync: leased[0].Sync}}, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.store.AddUser(ctx, store.User{Name: hostile, Role: "viewer"}); err != nil {
		t.Fatal(err)
	}
	if err := l.store.AddToken(ctx, store.Token{ID: hostile, Role: "viewer", Areas: []string{hostile}, Author: hostile}, access.Hash("a token")); err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		path  string
		pairs []string
	}{
		{"/people/1/pin", []string{"stage", hostile, "reason", hostile}},
		{"/people/erasures", []string{"person", "1", "reason", hostile}},
		{"/inbox/replay", []string{"connection", "crm", "confirm", "yes"}},
	} {
		if a := l.post(form.path, form.pairs...); a.Status != 303 && a.Status != 200 {
			t.Fatalf("%s: %d %s", form.path, a.Status, a.Body)
		}
	}
	l.now = l.now.Add(time.Minute) // counts are kept for some seconds
}

// pageAddresses gives an address for every route of a page, and whether a text
// from outside must be shown there.
func pageAddresses() map[string]struct {
	path  string
	shows bool
} {
	return map[string]struct {
		path  string
		shows bool
	}{
		"/":                               {"/", true},
		"/account":                        {"/account", false},
		"/login":                          {"/login?next=" + escape("/"+hostile), false},
		"/setup":                          {"/setup?token=" + escape(hostile), false},
		"/connections":                    {"/connections", false},
		"/connections/new":                {"/connections/new?connector=lab", false},
		"/connections/:id":                {"/connections/crm", true},
		"/connections/:id/edit":           {"/connections/crm/edit", true},
		"/connections/:id/rules":          {"/connections/crm/rules", true},
		"/connections/:id/rules/:version": {"/connections/crm/rules/1", true},
		"/funnel":                         {"/funnel?who=there&stage=" + escape(hostile), true},
		"/plan":                           {"/plan", true},
		"/plan/versions/:version":         {"/plan/versions/1", true},
		"/plan/docs":                      {"/plan/docs", true},
		"/plan/governance":                {"/plan/governance", false},
		"/people":                         {"/people?q=" + escape(hostile), true},
		"/people/:id":                     {"/people/1", true},
		"/people/:id/keys":                {"/people/2/keys", true},
		"/people/reviews":                 {"/people/reviews", false},
		"/people/erasures":                {"/people/erasures", true},
		"/people/erasures/:id":            {"/people/erasures/1", true},
		"/accounts":                       {"/accounts?q=" + escape(hostile), true},
		"/accounts/:key":                  {"/accounts/" + escape("trait:company:"+hostile), true},
		"/segments":                       {"/segments", true},
		"/work":                           {"/work", false},
		"/inbox":                          {"/inbox?type=" + escape(hostile), true},
		"/inbox/:id":                      {"/inbox/3", true},
		"/reports":                        {"/reports", false},
		"/reports/:name":                  {"/reports/funnel?segment=" + escape(hostile), true},
		"/sync":                           {"/sync?reason=" + escape(hostile), true},
		"/settings":                       {"/settings", true},
		"/settings/notifications":         {"/settings/notifications", false},
		"/api/docs":                       {"/api/docs", false},
		"/api/docs/:chapter":              {"/api/docs/connections", false},
		"/settings/audit":                 {"/settings/audit?author=" + escape(hostile), true},
	}
}

// noPage tells routes that give no page: parts of pages that a script asks
// for, downloads, machines' routes, and asynq's pages, which have a policy of
// their own.
func noPage(route string) bool {
	for _, part := range []string{"/api/v1", "/live/", "/assets/", "/jobs", "/hooks", "/v1/", "/mp/", "/g/", "/debug/", "/healthz", "/readyz", "/metrics"} {
		if strings.HasPrefix(route, part) {
			return true
		}
	}
	return strings.HasSuffix(route, ".csv") || strings.HasSuffix(route, ".json") || strings.HasSuffix(route, "/export")
}

// anyElement matches what begins like an element.
var anyElement = regexp.MustCompile(`<(script|img)\b[^>]*>`)

// TestHostileTexts opens every page there is while everything that comes from
// outside is an attempt to run something: it is shown as a text, nothing is
// inline, and the policy forbids it besides.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) {
		o.Notices = &jobs.Notices{Store: o.Store, Registry: o.Registry, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	})
	fillEverything(t, l)
	addresses := pageAddresses()
	opened := map[string]bool{}
	for _, r := range l.web.Routes() {
		if r.Method != "GET" || noPage(r.Path) || opened[r.Path] {
			continue
		}
		opened[r.Path] = true
		page, known := addresses[r.Path]
		if !known {
			t.Errorf("%s: no test opens this page; add an address", r.Path)
			continue
		}
		a := l.get(page.path)
		if r.Path == "/login" || r.Path == "/setup" {
			a = l.send("GET", page.path, "", "Accept: text/html")
		}
		if a.Status != 200 && r.Path != "/setup" { // which opens once
			t.Errorf("%s: %d %.500s", page.path, a.Status, a.Body)
			continue
		}
		for _, e := range anyElement.FindAllString(a.Body, -1) {
			if !strings.HasPrefix(e, `<script type="module" src="/assets/`) {
				t.Errorf("%s: %s", page.path, e)
			}
		}
		if found := inlineCode.FindString(strings.ReplaceAll(a.Body, "onerror=alert", "")); found != "" {
			t.Errorf("%s: inline code: %q", page.path, found)
		}
		if page.shows && !strings.Contains(a.Body, html.EscapeString(hostile)) {
			t.Errorf("%s: shows no text from outside", page.path)
		}
		if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", page.path, policy)
		}
	}
	for route := range addresses {
		if !opened[route] {
			t.Errorf("%s: there is no such page any more", route)
		}
	}
}
