package web_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// TestErasuresByAPI opens, confirms, rejects and lists requests, and exports.
func TestErasuresByAPI(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	somebody := func(email string) string {
		t.Helper()
		l.tell("crm", "news", `{"email":"`+email+`"}`)
		l.process()
		p, err := l.store.PersonByKey(t.Context(), "email:"+email)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatInt(int64(p.ID), 10)
	}
	ann, bo := somebody("ann@example.com"), somebody("bo@example.com")
	for _, c := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"GET", "/profiles/" + ann + "/export", "", 200, "ann@example.com"},
		{"GET", "/profiles/99999999/export", "", 404, ""},
		{"GET", "/erasures", "", 200, `"items":[]`},
		{"POST", "/erasures", `{}`, 400, "name one"},
		{"POST", "/erasures", `{"profile":"x"}`, 400, "number"},
		{"POST", "/erasures", `{"key":"email:nobody@example.com"}`, 404, ""},
		{"POST", "/erasures", `{"key":"email:Ann@example.com","reason":"asked by phone"}`, 202, `"state":"open"`},
		{"DELETE", "/profiles/" + ann, "", 202, `"id":"1"`}, // the same request
		{"GET", "/profiles/" + ann, "", 200, "ann@example.com"},
		{"DELETE", "/profiles/" + bo, "", 202, `"id":"2"`},
		{"POST", "/erasures/2/reject", "", 200, `"state":"rejected"`},
		{"POST", "/erasures/2/confirm", "", 412, ""},
		{"POST", "/erasures/1/confirm", "", 202, `"job":"`},
		{"POST", "/erasures/77/confirm", "", 404, ""},
	} {
		got := l.api(c.method, c.path, c.body)
		if got.Status != c.status || !strings.Contains(got.Body, c.holds) {
			t.Fatalf("%s %s: %d %s, want %d with %s", c.method, c.path, got.Status, got.Body, c.status, c.holds)
		}
	}
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"GET", "/profiles/" + ann, "", 404, ""},
		{"GET", "/profiles/" + bo, "", 200, "bo@example.com"},
		{"GET", "/erasures?state=done", "", 200, `"raw_events":1`},
		{"GET", "/erasures/1", "", 200, `"certificates":[`},
		{"POST", "/erasures/1/retry", "", 202, `"state":"done"`},
		{"POST", "/erasures/import", `{"items":[{"hash":"00","until":"2026-01-01T00:00:00Z"}]}`, 422, "line 1"},
	} {
		got := l.api(c.method, c.path, c.body)
		if got.Status != c.status || !strings.Contains(got.Body, c.holds) {
			t.Errorf("%s %s: %d %s, want %d with %s", c.method, c.path, got.Status, got.Body, c.status, c.holds)
		}
	}
	var list struct {
		Items []struct{ Hash, Until string }
	}
	if got := l.api("GET", "/erasures/export", ""); json.Unmarshal([]byte(got.Body), &list) != nil || len(list.Items) == 0 || strings.Contains(got.Body, "ann") {
		t.Errorf("%s", got.Body)
	}
}
