package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/web"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

func TestLogin(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	if l.web.SetupPath() != "" {
		t.Error("a link for the first password although one is set")
	}
	away := l.send("GET", "/people?q=ann", "", "Accept: text/html")
	if away.Status != 303 || away.Header.Get("Location") != "/login?next=%2Fpeople%3Fq%3Dann" {
		t.Errorf("not logged in: %d %v", away.Status, away.Header)
	}
	if a := l.send("GET", "/people", ""); a.Status != 401 {
		t.Errorf("not logged in, not a browser: %d", a.Status)
	}
	same := "Sec-Fetch-Site: same-origin"
	for _, c := range []struct{ name, password string }{{"admin", "wrong"}, {"nobody", "correct horse"}, {"", ""}} {
		a := l.send("POST", "/login", form("name", c.name, "password", c.password), formType, same)
		if a.Status != 401 || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v: %d %v", c, a.Status, a.Header)
		}
	}
	in := l.send("POST", "/login", form("name", "admin", "password", "correct horse", "next", "/inbox?status=failed"), formType, same)
	if in.Status != 303 || in.Header.Get("Location") != "/inbox?status=failed" {
		t.Fatalf("%d %s", in.Status, in.Body)
	}
	cookie := in.Header.Get("Set-Cookie")
	for _, part := range []string{"__Host-stagebridge=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie lacks %s: %s", part, cookie)
		}
	}
	session, _, _ := strings.Cut(cookie, ";")
	browser := []string{"Accept: text/html", "Cookie: " + session}
	if a := l.send("GET", "/", "", browser...); a.Status != 200 || !strings.Contains(a.Body, "Log out admin") {
		t.Errorf("logged in: %d", a.Status)
	}
	if a := l.send("GET", "/login?next=/sync", "", browser...); a.Status != 303 || a.Header.Get("Location") != "/sync" {
		t.Errorf("login page while logged in: %d", a.Status)
	}
	if a := l.send("POST", "/logout", "", append(browser, same)...); a.Status != 303 || !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %d %v", a.Status, a.Header)
	}
	if a := l.send("GET", "/", "", browser...); a.Status != 303 {
		t.Errorf("after the logout: %d", a.Status)
	}
	for _, next := range []string{"https://evil.example.com/", "//evil.example.com", `/\evil.example.com`, "javascript:alert(1)", "x"} {
		a := l.send("POST", "/login", form("name", "admin", "password", "correct horse", "next", next), formType, same)
		if a.Status != 303 || a.Header.Get("Location") != "/" {
			t.Errorf("next %q leads to %q", next, a.Header.Get("Location"))
		}
	}
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, c := range []struct {
		name  string
		waits []time.Duration // between two uses
		want  int             // of the last use
	}{
		{"at once", []time.Duration{0}, 200},
		{"used again within the week", []time.Duration{6 * day, 6 * day, 6 * day}, 200},
		{"not used for longer", []time.Duration{8 * day}, 303},
		{"used all the time, for longer than a month", []time.Duration{6 * day, 6 * day, 6 * day, 6 * day, 5 * day, 2 * day}, 303},
	} {
		l := newLab(t, nil)
		browser := l.browser()
		status := 0
		for _, wait := range c.waits {
			l.now = l.now.Add(wait)
			a := l.send("GET", "/inbox", "", browser...)
			if cookie := cookieOf(a); cookie != "" {
				browser = []string{"Accept: text/html", "Cookie: " + cookie}
			}
			status = a.Status
		}
		if status != c.want {
			t.Errorf("%s: %d, want %d", c.name, status, c.want)
		}
	}
}

func TestLoginIsLimited(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) { o.AdminPassword = secret.New("correct horse") })
	login := func(password string) answer {
		return l.send("POST", "/login", form("name", "admin", "password", password), formType, "Sec-Fetch-Site: same-origin")
	}
	for i := range 5 {
		if a := login(fmt.Sprint("guess", i)); a.Status != 401 {
			t.Errorf("guess %d: %d", i, a.Status)
		}
	}
	if a := login("correct horse"); a.Status != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("after too many guesses: %d", a.Status)
	}
	l.now = l.now.Add(time.Minute)
	if a := login("correct horse"); a.Status != 303 {
		t.Errorf("a minute later: %d", a.Status)
	}
}

func TestCrossSiteIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	for _, c := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"another site", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"another site of the same domain", []string{"Sec-Fetch-Site: same-site"}, 403},
		{"another origin", []string{"Origin: https://evil.example.com"}, 403},
		{"no origin that can be read", []string{"Origin: null"}, 403},
		{"neither header", nil, 403},
		{"our own page", []string{"Sec-Fetch-Site: same-origin"}, 200},
		{"our own origin", []string{"Origin: https://" + pageHost}, 200},
	} {
		if a := l.send("POST", "/connections/crm/pause", "", append(l.browser(), c.headers...)...); a.Status != c.want {
			t.Errorf("%s: %d, want %d", c.name, a.Status, c.want)
		}
	}
	if a := l.send("POST", "/login", form("name", "admin", "password", "x"), formType, "Sec-Fetch-Site: cross-site"); a.Status != 403 {
		t.Errorf("login from another site: %d", a.Status)
	}
	if a := l.send("POST", "/api/v1/connections/crm/pause", "", l.browser()...); a.Status != 401 {
		t.Errorf("the API takes no session: %d", a.Status)
	}
}

func TestFirstPassword(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	path := l.web.SetupPath()
	token, ok := strings.CutPrefix(path, "/setup?token=")
	if !ok || len(token) < 20 {
		t.Fatalf("setup path %q", path)
	}
	if a := l.send("GET", "/setup?token=wrong", "", "Accept: text/html"); a.Status != 404 {
		t.Errorf("a wrong token: %d", a.Status)
	}
	if a := l.send("GET", path, "", "Accept: text/html"); a.Status != 200 || !strings.Contains(a.Body, token) {
		t.Errorf("the link: %d %s", a.Status, a.Body)
	}
	set := func(token, password, again string) answer {
		return l.send("POST", "/setup", form("token", token, "password", password, "again", again), formType, "Sec-Fetch-Site: same-origin", "Accept: text/html")
	}
	for _, c := range []struct {
		token, password, again string
		want                   int
	}{
		{token, "short", "short", 422}, {token, "long enough 1", "long enough 2", 422}, {"x", "long enough", "long enough", 404},
		{token, "long enough", "long enough", 303}, {token, "another one", "another one", 404},
	} {
		if a := set(c.token, c.password, c.again); a.Status != c.want {
			t.Errorf("%v: %d", c, a.Status)
		}
	}
	if a := l.send("GET", path, "", "Accept: text/html"); a.Status != 404 {
		t.Errorf("the link works twice: %d", a.Status)
	}
	in := l.send("POST", "/login", form("name", "admin", "password", "long enough"), formType, "Sec-Fetch-Site: same-origin")
	if in.Status != 303 {
		t.Errorf("login: %d", in.Status)
	}
	// The setting overrides what was set by hand, on the next start.
	next, err := web.New(t.Context(), web.Options{Store: l.store, Registry: l.registry, Admin: l.admin, AdminPassword: secret.New("from the settings")})
	if err != nil || next.SetupPath() != "" {
		t.Fatalf("%v %q", err, next.SetupPath())
	}
	if a := l.send("POST", "/login", form("name", "admin", "password", "long enough"), formType, "Sec-Fetch-Site: same-origin"); a.Status != 401 {
		t.Errorf("the old password: %d", a.Status)
	}
	if a := l.send("POST", "/login", form("name", "admin", "password", "from the settings"), formType, "Sec-Fetch-Site: same-origin"); a.Status != 303 {
		t.Errorf("the password of the settings: %d", a.Status)
	}
}

// TestPlainHTTP: without https the cookie has a plain name and no Secure, or
// browsers would not keep it.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *web.Options) {
		o.PublicURL, o.AdminPassword = "http://127.0.0.1:8080", secret.New("correct horse")
	})
	a := l.send("POST", "/login", form("name", "admin", "password", "correct horse"), formType, "Origin: http://127.0.0.1:8080")
	if cookie := a.Header.Get("Set-Cookie"); a.Status != 303 || !strings.HasPrefix(cookie, "stagebridge=") || strings.Contains(cookie, "Secure") {
		t.Errorf("%d %s", a.Status, cookie)
	}
	if a.Header.Get("Strict-Transport-Security") != "" {
		t.Error("https is asked for where there is none")
	}
}
