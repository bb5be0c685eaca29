package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestAccessFromTheCommandLine makes a user and a token while the server runs.
func TestAccessFromTheCommandLine(t *testing.T) {
	t.Parallel()
	s := serve(t, settings(t, map[string]string{prefix + "ADMIN_PASSWORD": "correct horse"}))
	code, out := runCommand(t, s.env, "user", "add", "bo@example.com", "editor")
	link, _, _ := strings.Cut(out, "\n")
	if code != exitOK || !strings.HasPrefix(link, s.url+"/setup?token=") {
		t.Fatalf("%d %s", code, out)
	}
	res, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the link: %s", res.Status)
	}
	code, token := runCommand(t, s.env, "token", "add", "-areas", "reports", "bi", "viewer")
	if code != exitOK {
		t.Fatal(token)
	}
	for path, want := range map[string]int{"reports": http.StatusOK, "profiles": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/v1/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, res.Status, want)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"user", "list"}, exitOK, "waits for the password"},
		{[]string{"token", "list"}, exitOK, "reports"},
		{[]string{"user", "add", "bo@example.com", "viewer"}, exitError, "already"},
		{[]string{"user", "add", "Bo", "viewer"}, exitError, "name"},
		{[]string{"user", "role", "bo@example.com", "king"}, exitError, "viewer, editor or admin"},
		{[]string{"user", "role", "admin", "viewer"}, exitError, "last admin"},
		{[]string{"user", "remove", "nobody"}, exitError, "no user nobody"},
		{[]string{"user", "remove", "bo@example.com"}, exitOK, ""},
		{[]string{"token", "remove", "bi"}, exitOK, ""},
		{[]string{"token", "remove", "bi"}, exitError, "no token bi"},
		{[]string{"audit", "-subject", "token:bi"}, exitOK, "token.remove"},
		{[]string{"audit", "-n", "0"}, exitUsage, "-n is 0"},
	} {
		if code, out := runCommand(t, s.env, c.args...); code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%v: %d %s", c.args, code, out)
		}
	}
}
