package web_test

import (
	"strings"
	"testing"
)

// read gives a page's words, with runs of space as one.
func (l *lab) read(path string) string {
	l.Helper()
	a := l.get(path)
	if a.Status != 200 {
		l.Errorf("%s: %d %.400s", path, a.Status, a.Body)
	}
	return strings.Join(strings.Fields(a.Body), " ")
}

// wants reports texts that a page lacks.
func (l *lab) wants(path string, texts ...string) {
	l.Helper()
	page := l.read(path)
	for _, text := range texts {
		if !strings.Contains(page, text) {
			l.Errorf("%s: %q is not in %.3000s", path, text, page)
		}
	}
}

// TestErasurePages goes from a person's page to the certificate.
func TestErasurePages(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "news", `{"email":"ann@example.com","company":"A"}`)
	l.tell("crm", "news", `{"email":"bo@example.com","company":"B"}`)
	l.process()
	l.wants("/people/1", `href="/people/1/export"`, "Erase…")
	if a := l.get("/people/1/export"); a.Status != 200 || !strings.Contains(a.Body, "ann@example.com") || !strings.Contains(a.Header.Get("Content-Disposition"), "person-1.json") {
		t.Errorf("the export: %d %v", a.Status, a.Header)
	}
	l.wants("/people/erasures", "There is no request")
	opened := l.post("/people/erasures", "person", "1", "reason", hostile)
	if opened.Status != 303 || opened.Header.Get("Location") != "/people/erasures/1" {
		t.Fatalf("opened: %d %s", opened.Status, opened.Body)
	}
	if a := l.post("/people/erasures", "person", "none"); a.Status != 400 {
		t.Errorf("opened for nobody: %d", a.Status)
	}
	l.wants("/people/1", "request to erase this person")
	l.wants("/people/erasures/1", "ann@example.com", "1 key", "1 event", "1 raw event", "By hand", "Type 1 to erase")
	if a := l.post("/people/erasures/1/confirm", "confirm", "ann"); a.Status != 400 || !strings.Contains(a.Body, "nothing was erased") {
		t.Errorf("confirmed without its number: %d", a.Status)
	}
	if a := l.post("/people/erasures/1/confirm", "confirm", "1"); a.Status != 303 {
		t.Fatalf("confirmed: %d %s", a.Status, a.Body)
	}
	l.wants("/people/erasures/1", "Being carried out", `data-live="/live/erasures/1"`)
	if err := l.admin.Works.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.wants("/people/erasures/1", "Certificate", "<dt>Events</dt><dd>1</dd>", "by hand", "asked by API")
	l.wants("/people/erasures?state=done", "1 of 1")
	if a := l.get("/people/1"); a.Status != 404 {
		t.Errorf("the person is still there: %d", a.Status)
	}
	if a := l.post("/people/erasures/1/retry"); a.Status != 200 || !strings.Contains(a.Body, "0 vendors are asked") {
		t.Errorf("asked again: %d", a.Status)
	}

	l.post("/people/erasures", "person", "2", "reason", "")
	if a := l.post("/people/erasures/2/reject"); a.Status != 303 {
		t.Errorf("rejected: %d %s", a.Status, a.Body)
	}
	l.wants("/people/erasures/2", "nothing was erased")
	for path, want := range map[string]int{"/people/erasures/77": 404, "/people/erasures?state=odd": 400, "/people/erasures?next=x": 400} {
		if a := l.get(path); a.Status != want {
			t.Errorf("%s: %d, want %d", path, a.Status, want)
		}
	}
	for _, action := range []string{"confirm", "explode"} {
		if a := l.post("/people/erasures/77/" + action); a.Status != 404 {
			t.Errorf("%s of none: %d", action, a.Status)
		}
	}
	editor := l.as("editor")
	for _, path := range []string{"/people/erasures", "/people/erasures/2/confirm"} {
		if a := l.send("POST", path, "person=2", append(editor, "Content-Type: application/x-www-form-urlencoded")...); a.Status != 403 {
			t.Errorf("an editor at %s: %d", path, a.Status)
		}
	}
	if a := l.send("GET", "/people/2/export", "", editor...); a.Status != 403 {
		t.Errorf("an editor's export: %d", a.Status)
	}
}
