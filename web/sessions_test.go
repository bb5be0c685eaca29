package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/web"
	"github.com/stagebridge/stagebridge/web/access"
)

const fromOurPage = "Sec-Fetch-Site: same-origin"

// signIn logs in with a password and gives the cookie.
func (l *lab) signIn(name, password string, headers ...string) string {
	l.Helper()
	a := l.send("POST", "/login", form("name", name, "password", password), append(headers, formType, fromOurPage)...)
	if a.Status != http.StatusSeeOther {
		l.Fatalf("login of %s: %d", name, a.Status)
	}
	return cookieOf(a)
}

func cookieOf(a answer) string {
	cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	return cookie
}

// works tells whether a cookie opens pages.
func (l *lab) works(cookie string) bool {
	l.Helper()
	return l.send("GET", "/inbox", "", "Accept: text/html", "Cookie: "+cookie).Status == http.StatusOK
}

// TestSessionFixation: a token that somebody planted in the browser before the
// login is not the one after it, and does not go on beside it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	planted := "__Host-stagebridge=" + strings.Repeat("A", 43)
	if after := l.signIn("admin", "correct horse", "Cookie: "+planted); after == planted || l.works(planted) || !l.works(after) {
		t.Errorf("the cookie after the login is %s", after)
	}
	// Somebody else's session, in place of an invented one.
	first := l.signIn("admin", "correct horse")
	second := l.signIn("admin", "correct horse", "Cookie: "+first)
	if second == first || l.works(first) || !l.works(second) {
		t.Error("the session from before the login goes on")
	}
}

// TestSessionsTurn: a session that is used for long gets another token, and the
// one before goes on only for requests under way.
func TestSessionsTurn(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	first := l.signIn("admin", "correct horse")
	l.now = l.now.Add(13 * time.Hour)
	a := l.send("GET", "/inbox", "", "Accept: text/html", "Cookie: "+first)
	second := cookieOf(a)
	if a.Status != http.StatusOK || second == "" || second == first {
		t.Fatalf("%d, cookie %q", a.Status, second)
	}
	if !l.works(first) || !l.works(second) {
		t.Error("a request under way is refused")
	}
	l.now = l.now.Add(3 * time.Minute)
	if l.works(first) || !l.works(second) {
		t.Error("behind the grace the token before still opens, or the new one does not")
	}
	if again := l.send("GET", "/inbox", "", "Accept: text/html", "Cookie: "+second); strings.Contains(again.Header.Get("Set-Cookie"), first) {
		t.Error("the old token came back")
	}
}

// TestSessionsTurnOnce: of many requests at the same moment each is answered.
func TestSessionsTurnOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	first := l.signIn("admin", "correct horse")
	l.now = l.now.Add(13 * time.Hour)
	var wg sync.WaitGroup
	var mu sync.Mutex
	given := map[string]bool{}
	for range 10 {
		wg.Go(func() {
			a := l.send("GET", "/people", "", "Accept: text/html", "Cookie: "+first)
			mu.Lock()
			defer mu.Unlock()
			if a.Status != http.StatusOK {
				t.Errorf("status %d", a.Status)
			}
			if cookie := cookieOf(a); cookie != "" && cookie != first {
				given[cookie] = true
			}
		})
	}
	wg.Wait()
	if len(given) != 1 {
		t.Errorf("%d new tokens", len(given))
	}
}

// TestSessionsAreListedAndEnded over the API and on the page of the account.
func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	one := l.signIn("admin", "correct horse", "User-Agent: browser one <b>")
	two := l.signIn("admin", "correct horse", "User-Agent: browser two")
	three := l.signIn("admin", "correct horse", "User-Agent: browser three")
	listed := l.api("GET", "/users/admin/sessions", "")
	var all struct {
		Items []struct{ ID, Agent, Address, ExpiresAt string }
	}
	if err := json.Unmarshal([]byte(listed.Body), &all); err != nil || len(all.Items) != 3 {
		t.Fatalf("%s %v", listed.Body, err)
	}
	id := map[string]string{}
	for _, x := range all.Items {
		id[x.Agent] = x.ID
		if strings.Contains(one+two+three, x.ID) || x.Address == "" {
			t.Errorf("session %+v", x)
		}
	}
	if a := l.api("DELETE", "/users/admin/sessions/"+id["browser two"], ""); a.Status != http.StatusOK || l.works(two) || !l.works(one) {
		t.Errorf("ending one: %d %s", a.Status, a.Body)
	}
	if a := l.api("DELETE", "/users/admin/sessions/"+id["browser two"], ""); a.Status != http.StatusNotFound {
		t.Errorf("ending it again: %d", a.Status)
	}
	page := l.send("GET", "/account", "", "Accept: text/html", "Cookie: "+one)
	if page.Status != http.StatusOK || !strings.Contains(page.Body, "browser one &lt;b&gt;") || !strings.Contains(page.Body, "this browser") || strings.Contains(page.Body, id["browser one <b>"]) {
		t.Errorf("the page: %d %s", page.Status, page.Body)
	}
	form := func(path, body string, cookie string) answer {
		return l.send("POST", path, body, formType, fromOurPage, "Accept: text/html", "Cookie: "+cookie)
	}
	if a := form("/account/sessions", "", one); a.Status != http.StatusOK || l.works(three) || !l.works(one) {
		t.Errorf("ending all others: %d", a.Status)
	}
	if a := l.api("DELETE", "/users/admin/sessions", ""); a.Status != http.StatusOK || l.works(one) {
		t.Errorf("ending all: %d", a.Status)
	}
	if a := l.api("GET", "/users/nobody/sessions", ""); a.Status != http.StatusNotFound {
		t.Errorf("of nobody: %d", a.Status)
	}
	log, err := l.store.AuditLog(t.Context(), store.AuditFilter{Action: "user.logout", Limit: 10})
	if err != nil || len(log) != 3 {
		t.Errorf("audit log %+v, %v", log, err)
	}
}

func TestPasswordIsChanged(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	link, err := (&access.Access{Store: l.store}).AddUser(t.Context(), "bo", access.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	l.send("POST", "/setup", form("token", link.Token.Reveal(), "password", "first password", "again", "first password"), formType, fromOurPage)
	cookie, other := l.signIn("bo", "first password"), l.signIn("bo", "first password")
	change := func(old, password, again string) answer {
		return l.send("POST", "/account/password", form("old", old, "password", password, "again", again), formType, fromOurPage, "Accept: text/html", "Cookie: "+cookie)
	}
	for _, c := range []struct{ old, password, again string }{
		{"wrong", "second password", "second password"}, {"first password", "short", "short"}, {"first password", "second password", "another password"}, {"", "second password", "second password"},
	} {
		if a := change(c.old, c.password, c.again); a.Status != http.StatusUnprocessableEntity || !l.works(other) {
			t.Errorf("%v: %d", c, a.Status)
		}
	}
	a := change("first password", "second password", "second password")
	if a.Status != http.StatusSeeOther || l.works(cookie) || l.works(other) || !l.works(cookieOf(a)) {
		t.Errorf("changed: %d", a.Status)
	}
	l.signIn("bo", "second password")
	log, err := l.store.AuditLog(t.Context(), store.AuditFilter{Action: "user.password", Subject: "user:bo", Author: "bo", Limit: 10})
	if err != nil || len(log) != 2 {
		t.Errorf("audit log %+v, %v", log, err)
	}
}

// TestLoginIsLimitedPerAccount: many addresses guess no faster than one, and do
// not lock out whom they guess at where that user has been before.
func TestLoginIsLimitedPerAccount(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword, o.TrustedProxies = secret.New("correct horse"), everybody() })
	from := func(address, name, password string) answer {
		return l.send("POST", "/login", form("name", name, "password", password), formType, fromOurPage, "X-Forwarded-For: "+address)
	}
	if a := from("203.0.113.200", "admin", "correct horse"); a.Status != http.StatusSeeOther {
		t.Fatalf("the user: %d", a.Status)
	}
	refused := map[string]int{}
	for i := range 13 {
		l.now = l.now.Add(time.Second)
		for _, name := range []string{"admin", "nobody"} {
			a := from(fmt.Sprintf("198.51.100.%d", i), name, "guess")
			if a.Status == http.StatusTooManyRequests {
				refused[name]++
			} else if a.Status != http.StatusUnauthorized {
				t.Errorf("guess %d: %d", i, a.Status)
			}
		}
	}
	if refused["nobody"] < 2 || refused["admin"] != refused["nobody"]+1 { // the login counts as one
		t.Errorf("refused %v; want the same for whoever is there and not", refused)
	}
	if a := from("198.51.100.99", "admin", "correct horse"); a.Status != http.StatusTooManyRequests {
		t.Errorf("the right guess among too many: %d", a.Status)
	}
	if a := from("203.0.113.200", "admin", "correct horse"); a.Status != http.StatusSeeOther {
		t.Errorf("the user is locked out: %d", a.Status)
	}
	log, err := l.store.AuditLog(t.Context(), store.AuditFilter{Action: "user.login.refused", Limit: 50})
	if err != nil || len(log) < 9 || log[0].Subject != "user:admin" || log[0].Address == "" {
		t.Errorf("%d entries, %v", len(log), err)
	}
}

// TestFirstLinkIsForTheFirst: once somebody else may do everything, the link of
// the first start makes no second admin.
func TestFirstLinkIsForTheFirst(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	path := l.web.SetupPath()
	if _, err := l.store.ProviderUser(t.Context(), store.User{Name: "ann@example.com", Role: "admin", Subject: "provider ann"}); err != nil {
		t.Fatal(err)
	}
	if a := l.send("GET", path, "", "Accept: text/html"); a.Status != http.StatusNotFound {
		t.Errorf("the link opens: %d", a.Status)
	}
	next, err := web.New(t.Context(), web.Options{Store: l.store, Registry: l.registry, Admin: l.admin})
	if err != nil || next.SetupPath() != "" {
		t.Errorf("the next start prints %q, %v", next.SetupPath(), err)
	}
}
