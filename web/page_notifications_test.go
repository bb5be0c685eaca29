package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/notify"
	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
)

// TestNotificationsPage adds a channel, tries it, silences it and takes it away,
// and never shows a secret.
func TestNotificationsPage(t *testing.T) {
	t.Parallel()
	called := make(chan string, 4)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.URL.Path }))
	t.Cleanup(hook.Close)
	l := newLab(t, func(o *web.Options) {
		vault, err := secret.NewVault(secret.New("0123456789abcdef0123"))
		if err != nil {
			t.Fatal(err)
		}
		o.Notices = &jobs.Notices{Store: o.Store, Registry: o.Registry, Vault: vault, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Sender: &notify.Sender{HTTP: connectors.NewClient(connectors.ClientOptions{AllowPrivate: true}), Now: time.Now}}
		o.Kept = []web.Kept{{What: "The audit log", Setting: "AUDIT", Days: 0}, {What: "Samples", Setting: "SAMPLES", Days: 1234}}
	})
	if err := l.store.SaveNotice(t.Context(), store.Notice{Connection: "crm", Kind: jobs.NoticeFailing, Since: 1_700_000_000_000_000, Detail: hostile, Told: `{}`}); err != nil {
		t.Fatal(err)
	}
	l.wants("/settings/notifications", "Nobody is told yet", "&lt;script&gt;")
	const path = "/settings/notifications"
	has := func(a answer, status int, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if a.Status != status || !strings.Contains(a.Body, text) || strings.Contains(a.Body, "hush") {
				t.Errorf("%d, want %d with %q in %s", a.Status, status, text, a.Body)
			}
		}
	}
	has(l.post(path, "act", "add", "name", "Ops", "kind", "slack", "url", hook.URL+"/hush"), 422, "small letters", `value="Ops"`)
	has(l.post(path, "act", "add", "name", "ops", "kind", "slack", "url", hook.URL+"/hush", "kinds", jobs.NoticeFailing), 200, "Send it a test", "127.0.0.1", "<td>ops</td>")
	has(l.post(path, "act", "add", "name", "desk", "kind", "email", "smtp", "smtp.example.com:587", "from", "sb@example.com", "to", "a@example.com, b@example.com", "password", "hush"), 200, "a@example.com b@example.com")
	has(l.post(path, "act", "add", "name", "ops", "kind", "slack", "url", hook.URL), 422, "each name once")
	has(l.post(path, "act", "test", "name", "ops"), 200, "A message was sent to ops")
	if got := <-called; got != "/hush" {
		t.Errorf("called %s", got)
	}
	has(l.post(path, "act", "switch", "name", "ops"), 200, "Tell it again")
	has(l.post(path, "act", "switch", "name", "ops"), 200, "Silence it")
	has(l.post(path, "act", "test", "name", "ops"), 200, "A message was sent") // its address is still known
	hook.Close()
	has(l.post(path, "act", "test", "name", "ops"), 502, `role="alert"`)
	has(l.post(path, "act", "remove", "name", "ops"), 200, "told nothing any more")
	has(l.post(path, "act", "remove", "name", "ops"), 404, "nothing under this name")
	has(l.post(path, "act", "explode"), 404, "nothing at this address")
	l.wants("/settings", "1 234", "The audit log", `<td data-label="Days" class="num">kept</td>`, `href="/settings/notifications"`)
	if a := l.get("/settings/erased/export"); a.Status != 200 || !strings.Contains(a.Body, `"items":[]`) || !strings.Contains(a.Header.Get("Content-Disposition"), "erased.json") {
		t.Errorf("the list of what was erased: %d %s", a.Status, a.Body)
	}
	editor := l.as("editor")
	for _, path := range []string{"/settings/notifications", "/settings/erased/export", "/settings"} {
		if a := l.send("GET", path, "", editor...); a.Status != 403 {
			t.Errorf("an editor at %s: %d", path, a.Status)
		}
	}
}

// TestBlockedValues: the settings name what the plan blocks beside the usual.
func TestBlockedValues(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.wants("/settings", "which names none")
	plan := "name: mine\nstages:\n  - { name: A }\nidentity:\n  blocked: [ \"4711\", \"user:/^qa-/\", \"<b>x\" ]\n"
	if _, err := l.admin.PublishPlan(t.Context(), 0, store.Versioned{Source: plan, Author: "bo"}); err != nil {
		t.Fatal(err)
	}
	l.wants("/settings", "<code>4711</code>", "<code>user:/^qa-/</code>", "<code>&lt;b&gt;x</code>")
}
