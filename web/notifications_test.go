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
	"github.com/stagebridge/stagebridge/web/access"
)

func TestNotifications(t *testing.T) {
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
	})
	if a := l.api("GET", "/notifications", ""); a.Status != 200 || !strings.Contains(a.Body, `"channels":[]`) || !strings.Contains(a.Body, `"silent"`) {
		t.Errorf("at first: %d %s", a.Status, a.Body)
	}
	a := l.api("PUT", "/notifications", `{"channels":[{"name":"ops","kind":"slack","url":"`+hook.URL+`/hush","kinds":["failing"]}]}`)
	if a.Status != 200 || strings.Contains(a.Body, "hush") || !strings.Contains(a.Body, `"url_host":"127.0.0.1`) {
		t.Errorf("set: %d %s", a.Status, a.Body)
	}
	if a := l.api("PUT", "/notifications", `{"channels":[{"name":"ops","kind":"slack","kinds":["failing"]}]}`); a.Status != 200 {
		t.Errorf("set again without the address: %d %s", a.Status, a.Body)
	}
	if a := l.api("POST", "/notifications/test", `{"channel":"ops"}`); a.Status != 200 || <-called != "/hush" {
		t.Errorf("test: %d %s", a.Status, a.Body)
	}
	for body, want := range map[string]int{`{"channel":"nobody"}`: 404, `{`: 400} {
		if a := l.api("POST", "/notifications/test", body); a.Status != want {
			t.Errorf("test %s: %d %s", body, a.Status, a.Body)
		}
	}
	if a := l.api("PUT", "/notifications", `{"channels":[{"name":"Ops","kind":"pigeon","kinds":["x"]}]}`); a.Status != 422 || strings.Count(a.Body, `"field"`) != 3 {
		t.Errorf("mistakes: %d %s", a.Status, a.Body)
	}
	hook.Close()
	if a := l.api("POST", "/notifications/test", `{"channel":"ops"}`); a.Status != 502 || strings.Contains(a.Body, "hush") {
		t.Errorf("a hook that is away: %d %s", a.Status, a.Body)
	}
	if err := l.store.SaveNotice(t.Context(), store.Notice{Connection: "crm", Kind: jobs.NoticeFailing, Since: 1_700_000_000_000_000, Detail: "Nobody arrives.", Told: `{"ops":"begun"}`}); err != nil {
		t.Fatal(err)
	}
	if a := l.api("GET", "/notifications", ""); !strings.Contains(a.Body, `"since":"2023-11-14T22:13:20Z"`) || !strings.Contains(a.Body, `"told":{"ops":"begun"}`) {
		t.Errorf("a notice under way: %s", a.Body)
	}
	if len(l.audit("?subject=notifications")) != 2 {
		t.Error("the audit log does not tell both changes")
	}
	if access.Least("GET", "/api/v1/notifications") != access.Admin {
		t.Error("not for admins only")
	}
}
