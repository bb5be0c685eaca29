package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	provider "github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// groupStorage adds the claim groups to what a real provider tells of people.
type groupStorage struct {
	*provider.Storage
	mu     sync.Mutex
	groups []string
}

func (g *groupStorage) set(groups ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups = groups
}

// SetUserinfoFromToken implements op.Storage.
func (g *groupStorage) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	g.mu.Lock()
	info.AppendClaims("groups", g.groups)
	g.mu.Unlock()
	return g.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin)
}

// newProvider starts an identity provider that knows this server's address.
func newProvider(t *testing.T, callback string) (string, *groupStorage) {
	t.Helper()
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	clients := map[string]*provider.Client{"bridge": provider.WebClient("bridge", "secret of the client", callback)}
	g := &groupStorage{Storage: provider.NewStorageWithClients(provider.NewUserStore(srv.URL), clients)}
	handler = exampleop.SetupServer(srv.URL, g, slog.New(slog.NewTextHandler(io.Discard, nil)), false, op.WithAllowInsecure())
	return srv.URL, g
}

// newBrowser follows redirects and keeps cookies.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// signOn logs in through the provider and gives the last answer.
func signOn(t *testing.T, browser *http.Client, s *serving, issuer string) (int, string) {
	t.Helper()
	res, err := browser.Get(s.url + "/login/oidc")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if !strings.HasPrefix(res.Request.URL.String(), issuer) {
		t.Fatalf("the browser was sent to %s", res.Request.URL)
	}
	form := url.Values{"username": {"test-user2"}, "password": {"verysecure"}, "id": {res.Request.URL.Query().Get("authRequestID")}}
	res, err = browser.PostForm(issuer+"/login/username", form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// TestSingleSignOn logs in through a provider as it is used elsewhere.
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	env := settings(t, map[string]string{prefix + "ADMIN_PASSWORD": "correct horse"})
	issuer, groups := newProvider(t, "http://"+env[prefix+"ADDR"]+"/login/oidc/callback")
	env[prefix+"OIDC_ISSUER"], env[prefix+"OIDC_CLIENT_ID"], env[prefix+"OIDC_CLIENT_SECRET"] = issuer, "bridge", "secret of the client"
	env[prefix+"OIDC_ROLES"] = "marketing:editor,everybody:viewer"
	s := serve(t, env)
	browser := newBrowser(t)

	groups.set("strangers")
	if status, body := signOn(t, browser, s, issuer); status != http.StatusUnauthorized || !strings.Contains(body, "gives no role") {
		t.Errorf("without a group that counts: %d %.300s", status, body)
	}
	groups.set("everybody", "marketing")
	if status, body := signOn(t, browser, s, issuer); status != http.StatusOK || !strings.Contains(body, "test-user2@zitadel.ch") {
		t.Fatalf("with a group: %d %.600s", status, body)
	}
	if code, out := runCommand(t, env, "user", "list"); code != exitOK || !strings.Contains(out, "test-user2@zitadel.ch  editor") {
		t.Errorf("users: %s", out)
	}
	// Another role at the next login ends the session with the old one.
	groups.set("everybody")
	second := newBrowser(t)
	if status, _ := signOn(t, second, s, issuer); status != http.StatusOK {
		t.Errorf("the second login: %d", status)
	}
	if _, out := runCommand(t, env, "user", "list"); !strings.Contains(out, "test-user2@zitadel.ch  viewer") {
		t.Errorf("users: %s", out)
	}
	res, err := browser.Get(s.url + "/people")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the session with the old role still reads %s: %s", res.Request.URL, res.Status)
	}
	// A callback that this browser did not begin.
	res, err = newBrowser(t).Get(s.url + "/login/oidc/callback?code=stolen&state=guessed")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a callback from elsewhere: %s", res.Status)
	}
}
