package web_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestFunnelOfLately compares two periods on the overview, and opens the people
// behind a number.
func TestFunnelOfLately(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.post("/plan", "version", "0", "source", "name: mine\nstages:\n  - { name: Visit }\n  - { name: Subscriber, when: 'seen(\"Newsletter:Subscribed\")' }\n  - { name: Customer, when: 'seen(\"Order:Completed\")' }\n", "publish", "yes")
	l.work()
	l.connect("crm", nil)
	today := l.now
	l.now = today.AddDate(0, 0, -40)
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.process()
	l.now = today.AddDate(0, 0, -3)
	l.tell("crm", "news", `{"email":"ben@example.com"}`)
	l.tell("crm", "news", `{"email":"cay@example.com"}`)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.process()
	l.now = today
	var page answer
	for deadline := time.Now().Add(30 * time.Second); ; {
		page = l.get("/")
		if strings.Contains(page.Body, "Went on: those of them") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the comparison does not come: %s", page.Body)
		}
	}
	l.has("overview", page, "Entered, last 30 days", ">2</a> <span class=\"soft\">&#43;100 %</span>", "33.3 %</strong>", "95 % interval 6.1 % to 79.2 %", "0.0 %</strong>")
	links := regexp.MustCompile(`href="(/funnel\?[^"]*stage=Subscriber[^"]*)"`).FindAllStringSubmatch(page.Body, -1)
	if len(links) != 6 {
		t.Fatalf("links to people: %v", links)
	}
	for i, want := range []struct {
		has, not string
	}{
		{"ben@example.com", "ann@example.com"}, // entered lately
		{"ann@example.com", "ben@example.com"}, // entered before
		{"ann@example.com", "ben@example.com"}, // went on lately
		{"cay@example.com", "nobody"},          // were there lately
		{"Nobody.", "@example.com"},            // went on before
		{"ann@example.com", "cay@example.com"}, // were there before
	} {
		a := l.get(html.UnescapeString(links[i][1]))
		if a.Status != 200 || !strings.Contains(a.Body, want.has) || strings.Contains(a.Body, want.not) {
			t.Errorf("%s: %d, want %q and not %q: %s", links[i][1], a.Status, want.has, want.not, a.Body)
		}
	}
	l.has("the first stage", l.get("/funnel"), "People who were in the stage Visit", "Nobody.")
	for path, status := range map[string]int{"/funnel?stage=Subscriber&who=all": 400, "/funnel?stage=None&who=there": 404, "/funnel?stage=Visit&who=there&next=x": 400, "/funnel?stage=Visit&who=there&from=x": 400} {
		if a := l.get(path); a.Status != status {
			t.Errorf("%s: %d, want %d", path, a.Status, status)
		}
	}
}
