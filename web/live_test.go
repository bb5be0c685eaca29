package web_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLive opens the stream of a page, lets an event come in, and reads what
// the page is told.
func TestLive(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	server := httptest.NewServer(l.web)
	t.Cleanup(server.Close)
	for _, path := range []string{"/live/overview", "/live/connections/crm"} {
		ctx, end := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range l.browser() {
			name, value, _ := strings.Cut(header, ": ")
			r.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
			t.Fatalf("%s: %s %s", path, answer.Status, kind)
		}
		lines := bufio.NewScanner(answer.Body)
		told := false
		for lines.Scan() {
			if !told { // the first look is there
				l.tell("crm", "seen"+strings.ReplaceAll(path, "/", "-"), `{"email":"ann@example.com"}`)
				told = true
			}
			if strings.Contains(lines.Text(), "seen"+strings.ReplaceAll(path, "/", "-")) {
				end()
				break
			}
		}
		if ctx.Err() == nil {
			t.Errorf("%s ended without the event: %v", path, lines.Err())
		}
		end()
		answer.Body.Close()
	}
}

// TestLiveEnds: a server that stops does not wait for pages.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.web.StopLive()
	if a := l.get("/live/overview"); a.Status != 200 || !strings.HasPrefix(a.Body, "data: ") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := l.get("/live/connections/none"); a.Status != 404 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}
