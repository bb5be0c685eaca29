package web_test

import (
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/store"
)

// TestDoubtsPage lists a join by a browser alone, and confirms it.
func TestDoubtsPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.wants("/people/reviews?state=doubtful", "No join is in doubt")
	rules := "rules:\n  - { name: all, type: news, emit: { event: \"Newsletter:Subscribed\", at: fromUnixMilli(body.at), identity: { email: body.email, user: body.user, anonymous: body.device } } }\n"
	if _, err := l.admin.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: rules}); err != nil {
		t.Fatal(err)
	}
	l.tell("crm", "news", `{"at":1700000000000,"email":"ann@example.com","device":"d1"}`)
	l.tell("crm", "news", `{"at":1700000001000,"user":"u1"}`)
	l.tell("crm", "news", `{"at":1700000002000,"user":"u1","device":"d1"}`)
	l.process()
	l.wants("/people/reviews?state=doubtful", "<code>anonymous:d1</code> with <code>user:u1</code>", "weak", `name="keys" value="email:ann@example.com"`, "Part them")
	for _, c := range []struct {
		key, with string
		want      int
	}{{"d1", "user:u1", 400}, {"anonymous:d1", "u1", 400}, {"user:u1", "anonymous:d1", 404}, {"anonymous:d1", "user:u1", 303}} {
		if a := l.post("/people/reviews/joins", "key", c.key, "with", c.with, "reason", "asked her"); a.Status != c.want {
			t.Errorf("%s with %s: %d, want %d: %s", c.key, c.with, a.Status, c.want, a.Body)
		}
	}
	l.wants("/people/reviews?state=doubtful", "No join is in doubt")
	if a := l.get("/people/reviews?state=doubtful&next=x"); a.Status != 400 {
		t.Errorf("a wrong cursor: %d", a.Status)
	}
	if a := l.send("POST", "/people/reviews/joins", "", append(l.as("viewer"), "Content-Type: application/x-www-form-urlencoded")...); a.Status != 403 || !strings.Contains(a.Body, "editor") {
		t.Errorf("a viewer: %d", a.Status)
	}
}
