package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestInboxFilter narrows the inbox by time, type, connection and status, counts
// before it replays, and shows that the replay is under way.
func TestInboxFilter(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.connect("shop", nil)
	begun := l.now
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.process()
	l.now = begun.Add(2 * time.Hour)
	l.tell("shop", "news", `{"email":"bo@example.com"}`)
	l.tell("shop", "odd", `{}`)
	l.process()
	l.now = begun.Add(3 * time.Hour)
	const form = "2006-01-02T15:04"
	middle := begun.UTC().Add(time.Hour).Format(form)
	rows := func(query string, want int) {
		t.Helper()
		page := l.read("/inbox?" + query)
		if n := strings.Count(page, `<td><a href="/inbox/`); n != want {
			t.Errorf("%s: %d rows, want %d", query, n, want)
		}
	}
	rows("", 3)
	rows("since="+middle, 2)
	rows("until="+middle, 1)
	rows("until="+middle+":30", 1)
	rows("since="+escape(begun.UTC().Add(time.Hour).Format(time.RFC3339)), 2)
	rows("since="+middle+"&connection=shop&type=news&status=done", 1)
	rows("since="+middle+"&until="+middle, 0)
	l.wants("/inbox?since="+middle, fmt.Sprintf(`name="since" value="%s"`, middle))
	l.wants("/inbox?reason=unmatched&step=map", `name="reason" value="unmatched"`, `name="step" value="map"`)
	for _, query := range []string{"since=yesterday", "until=2026-13-01T00:00", "status=odd"} {
		if a := l.get("/inbox?" + query); a.Status != 400 {
			t.Errorf("%s: %d", query, a.Status)
		}
	}
	filter := []string{"connection", "shop", "type", "news", "since", middle}
	counted := l.post("/inbox/replay", filter...)
	if counted.Status != 200 || !strings.Contains(counted.Body, "Process 1 raw event again") || !strings.Contains(counted.Body, `value="`+middle) {
		t.Errorf("counted: %d %s", counted.Status, counted.Body)
	}
	if works, err := l.admin.Replaying(t.Context()); err != nil || len(works) != 0 {
		t.Errorf("counting began %v: %v", works, err)
	}
	if a := l.post("/inbox/replay", append(filter, "confirm", "yes")...); a.Status != 200 || !strings.Contains(a.Body, "1 raw event is being processed again") || !strings.Contains(a.Body, `<a href="/work`) {
		t.Errorf("begun: %d %s", a.Status, a.Body)
	}
	if a := l.post("/inbox/replay", "type", "none"); !strings.Contains(a.Body, "Nothing would be processed again") {
		t.Errorf("nothing to replay: %d", a.Status)
	}
}
