package web_test

import (
	"encoding/json"
	"strings"
	"testing"
)

type auditEntry struct {
	Author, Address, Action, Subject string
	Before, After                    json.RawMessage
}

func (l *lab) audit(query string) []auditEntry {
	l.Helper()
	got := l.api("GET", "/audit"+query, "")
	var all struct {
		Items []auditEntry
		Next  string
	}
	if err := json.Unmarshal([]byte(got.Body), &all); err != nil || got.Status != 200 {
		l.Fatalf("%d %s %v", got.Status, got.Body, err)
	}
	if all.Next != "" {
		return append(all.Items, l.audit("?limit=2&after="+all.Next)...)
	}
	return all.Items
}

// TestChangesAreWrittenDown changes a connection, its rules, the plan, users
// and tokens, and reads who did what.
func TestChangesAreWrittenDown(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/connections", `{"id":"shop","connector":"lab","settings":{"mode":"slow"},"secrets":{"token":"the secret of the shop"}}`, 201},
		{"PUT", "/connections/shop", `{"id":"shop","connector":"lab","settings":{"mode":"fast"}}`, 200},
		{"PUT", "/connections/shop", `{"id":"shop","connector":"lab","secrets":{"token":"another secret of the shop"}}`, 200},
		{"POST", "/connections/shop/pause", "", 200},
		{"PUT", "/connections/shop/rules", labRules, 200},
		{"POST", "/users", `{"name":"bo","role":"editor"}`, 201},
		{"PUT", "/users/bo", `{"role":"king"}`, 400}, // what is refused leaves nothing
		{"POST", "/tokens", `{"id":"bi","role":"viewer"}`, 201},
		{"DELETE", "/tokens/bi", "", 204},
		{"DELETE", "/connections/shop", "", 204},
	} {
		if got := l.api(c.method, c.path, c.body); got.Status != c.status {
			t.Fatalf("%s %s: %d, want %d: %s", c.method, c.path, got.Status, c.status, got.Body)
		}
	}
	all := l.audit("?limit=2") // newest first, over several pages
	var actions []string
	text := ""
	for i := range all {
		e := all[len(all)-1-i]
		actions = append(actions, e.Action)
		if e.Author != "api" || e.Address == "" {
			t.Errorf("%s was done by %q from %q", e.Action, e.Author, e.Address)
		}
		text += string(e.Before) + string(e.After)
	}
	want := "connection.create connection.change connection.change connection.change rules.publish user.add user.link token.add token.remove connection.remove"
	if got := strings.Join(actions, " "); got != want {
		t.Errorf("actions\n%s, want\n%s", got, want)
	}
	for _, secret := range []string{"secret of the shop", "argon2"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	shop := l.audit("?subject=connection:shop&action=connection.change")
	if len(shop) != 3 {
		t.Fatalf("%d changes of the connection, want 3", len(shop))
	}
	first := shop[2]
	if !strings.Contains(string(first.Before), `"mode":"slow"`) || !strings.Contains(string(first.After), `"mode":"fast"`) || !strings.Contains(string(first.After), `"secrets":"the same"`) {
		t.Errorf("the first change: %s to %s", first.Before, first.After)
	}
	if !strings.Contains(string(shop[1].After), `"secrets":"changed"`) {
		t.Errorf("the second change: %s", shop[1].After)
	}
	if removed := l.audit("?action=connection.remove"); len(removed) != 1 || string(removed[0].After) != "null" {
		t.Errorf("the removal: %+v", removed)
	}
	if got := l.api("GET", "/audit?after=x", ""); got.Status != 400 {
		t.Errorf("a wrong cursor: %d", got.Status)
	}
}
