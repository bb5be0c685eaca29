package web_test

import (
	"strings"
	"testing"
)

// TestSettings gives access and takes it by the page's forms.
func TestSettings(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, c := range []struct {
		name, path string
		pairs      []string
		status     int
		has        string
	}{
		{"a user", "/settings/users", []string{"act", "add", "name", "vera", "role", "viewer"}, 200, "/setup?token="},
		{"a user twice", "/settings/users", []string{"act", "add", "name", "vera", "role", "viewer"}, 0, "nothing was changed"},
		{"a role there is not", "/settings/users", []string{"act", "add", "name", "<b>", "role", "king"}, 400, "nothing was changed"},
		{"another role", "/settings/users", []string{"act", "role", "name", "vera", "role", "editor"}, 200, "vera has the role editor now"},
		{"another link", "/settings/users", []string{"act", "link", "name", "vera"}, 200, "/setup?token="},
		{"taken away", "/settings/users", []string{"act", "remove", "name", "vera"}, 200, "vera is taken away"},
		{"nobody", "/settings/users", []string{"act", "remove", "name", "vera"}, 404, ""},
		{"the last admin", "/settings/users", []string{"act", "role", "name", "admin", "role", "viewer"}, 409, "make somebody else admin first"},
		{"nothing", "/settings/users", []string{"act", "dance"}, 404, ""},
		{"a token", "/settings/tokens", []string{"act", "add", "id", "reader", "role", "viewer", "days", "5"}, 200, "sbt_"},
		{"days that are none", "/settings/tokens", []string{"act", "add", "id", "other", "role", "viewer", "days", "many"}, 400, "nothing was changed"},
		{"a token ends", "/settings/tokens", []string{"act", "remove", "id", "reader"}, 200, "opens nothing any more"},
	} {
		a := l.post(c.path, c.pairs...)
		if c.status != 0 && a.Status != c.status || a.Status >= 500 || !strings.Contains(a.Body, c.has) || strings.Contains(a.Body, "<b>") {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	if a := l.get("/settings/audit?action=user.add"); !strings.Contains(a.Body, "vera") {
		t.Errorf("the log: %s", a.Body)
	}
}
