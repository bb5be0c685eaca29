package web_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
	"github.com/stagebridge/stagebridge/web/access"
)

// as gives the headers of a browser in which a user of a role is logged in.
func (l *lab) as(role string) []string {
	l.Helper()
	name, token := "a-"+role, "session-of-"+role
	if err := l.store.AddUser(l.Context(), store.User{Name: name, Password: "none", Role: role}); err != nil {
		l.Fatal(err)
	}
	if err := l.store.StartSession(l.Context(), access.Hash(token), name, 0); err != nil {
		l.Fatal(err)
	}
	return []string{"Accept: text/html", "Cookie: __Host-stagebridge=" + token, "Sec-Fetch-Site: same-origin"}
}

// open are the routes that ask for no login; each knows its senders by other
// means, or gives nothing away.
func open(route string) bool {
	for _, prefix := range []string{"/healthz", "/readyz", "/metrics", "/assets/", "/login", "/logout", "/setup", "/hooks/", "/v1/", "/mp/", "/g/", "/debug/mp/"} {
		if strings.HasPrefix(route, prefix) {
			return true
		}
	}
	return false
}

// TestRolesCannotBeCrossed asks every route with every role.
func TestRolesCannotBeCrossed(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	pages := map[string][]string{}
	tokens := map[string][]string{}
	a := &access.Access{Store: l.store}
	for _, role := range []string{"viewer", "editor", "admin"} {
		pages[role] = l.as(role)
		text, _, err := a.AddToken(t.Context(), access.TokenInput{ID: role, Role: access.Role(role)})
		if err != nil {
			t.Fatal(err)
		}
		tokens[role] = []string{"Authorization: Bearer " + text.Reveal()}
	}
	asked := 0
	for _, r := range l.web.Routes() {
		if r.Method == echo.RouteNotFound {
			continue
		}
		least := access.Least(r.Method, r.Path)
		headers := pages
		if strings.HasPrefix(r.Path, "/api/v1/") {
			headers = tokens
		} else if open(r.Path) {
			continue
		}
		path := strings.NewReplacer(":id", "1", ":name", "nobody", ":action", "pause", ":from", "1", ":to", "2", "*", "").Replace(r.Path)
		for _, role := range []string{"viewer", "editor"} { // who may less than an admin
			if access.Role(role).May(least) {
				continue
			}
			asked++
			if got := l.send(r.Method, path, "", headers[role]...); got.Status != 403 {
				t.Errorf("%s %s as %s: %d, want 403", r.Method, r.Path, role, got.Status)
			}
		}
		if got := l.send(r.Method, path, ""); got.Status != 401 && got.Status != 303 && got.Status != 403 {
			t.Errorf("%s %s without login: %d", r.Method, r.Path, got.Status)
		}
	}
	if asked < 40 {
		t.Errorf("only %d questions were asked; are the routes still found?", asked)
	}
}

// TestTokensReachTheirAreas asks with a token that was made for reports.
func TestTokensReachTheirAreas(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	made := l.api("POST", "/tokens", `{"id":"bi","role":"viewer","areas":["reports"],"days":30}`)
	var token struct {
		Token, Author string
		Areas         []string
	}
	if err := json.Unmarshal([]byte(made.Body), &token); err != nil || made.Status != 201 || token.Author != "api" {
		t.Fatalf("%d %s %v", made.Status, made.Body, err)
	}
	bearer := "Authorization: Bearer " + token.Token
	for path, want := range map[string]int{"/api/v1/reports": 200, "/api/v1/profiles": 403, "/api/v1/tokens": 403} {
		if got := l.send("GET", path, "", bearer); got.Status != want {
			t.Errorf("%s: %d, want %d: %s", path, got.Status, want, got.Body)
		}
	}
	if listed := l.api("GET", "/tokens", ""); strings.Contains(listed.Body, token.Token) || !strings.Contains(listed.Body, `"last_used":"2`) {
		t.Errorf("the list: %s", listed.Body)
	}
	if got := l.api("DELETE", "/tokens/bi", ""); got.Status != 204 {
		t.Errorf("removing: %d", got.Status)
	}
	if got := l.send("GET", "/api/v1/reports", "", bearer); got.Status != 401 {
		t.Errorf("after it was removed: %d", got.Status)
	}
}

// TestSomebodyIsInvited goes the whole way of a second user.
func TestSomebodyIsInvited(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	made := l.api("POST", "/users", `{"name":"bo@example.com","role":"editor"}`)
	var link struct{ Path string }
	if err := json.Unmarshal([]byte(made.Body), &link); err != nil || made.Status != 201 {
		t.Fatalf("%d %s %v", made.Status, made.Body, err)
	}
	if got := l.send("GET", link.Path, "", "Accept: text/html"); got.Status != 200 || !strings.Contains(got.Body, "bo@example.com") {
		t.Fatalf("the link: %d %s", got.Status, got.Body)
	}
	at, err := url.Parse(link.Path)
	if err != nil {
		t.Fatal(err)
	}
	token := at.Query().Get("token")
	same := "Sec-Fetch-Site: same-origin"
	set := func(password string) answer {
		return l.send("POST", "/setup", form("token", token, "password", password, "again", password), formType, same)
	}
	if got := set("short"); got.Status != 422 {
		t.Errorf("a short password: %d", got.Status)
	}
	if got := set("battery staple"); got.Status != 303 || got.Header.Get("Set-Cookie") == "" {
		t.Fatalf("setting the password: %d %s", got.Status, got.Body)
	}
	if got := set("another one again"); got.Status != 404 {
		t.Errorf("the link a second time: %d", got.Status)
	}
	if got := l.send("POST", "/login", form("name", "bo@example.com", "password", "battery staple"), formType, same); got.Status != 303 {
		t.Errorf("logging in: %d", got.Status)
	}
	for body, want := range map[string]int{`{"role":"viewer"}`: 200, `{"role":"king"}`: 400} {
		if got := l.api("PUT", "/users/bo@example.com", body); got.Status != want {
			t.Errorf("%s: %d, want %d: %s", body, got.Status, want, got.Body)
		}
	}
	if got := l.api("PUT", "/users/admin", `{"role":"viewer"}`); got.Status != 409 {
		t.Errorf("the last admin: %d %s", got.Status, got.Body)
	}
	if got := l.api("DELETE", "/users/bo@example.com", ""); got.Status != 204 {
		t.Errorf("removing: %d", got.Status)
	}
	if got := l.api("GET", "/users", ""); got.Status != 200 || strings.Contains(got.Body, "bo@example.com") || strings.Contains(got.Body, "argon2") {
		t.Errorf("the list: %d %s", got.Status, fmt.Sprintf("%.300s", got.Body))
	}
}
