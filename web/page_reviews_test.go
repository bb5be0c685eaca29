package web_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestReviewPages shows a join before it is made, and decides what the guards
// kept apart.
func TestReviewPages(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.wants("/people/reviews", "Nothing waits")
	for _, user := range []string{"ann", "bo", "cy"} {
		l.tell("crm", "news", fmt.Sprintf(`{"email":"%s@example.com","company":"C"}`, user))
	}
	l.process()
	preview := l.post("/people/1/join", "join", "email:bo@example.com", "reason", hostile)
	body := strings.Join(strings.Fields(preview.Body), " ")
	for _, text := range []string{"Nothing is done yet", "<dt>Events that move</dt><dd>1</dd>", `name="join" value="email:bo@example.com"`, "<dt>company</dt><dd>C</dd>"} {
		if preview.Status != 200 || !strings.Contains(body, text) {
			t.Errorf("preview: %d, %q is not in %s", preview.Status, text, body)
		}
	}
	if strings.Contains(body, "<script>alert") {
		t.Error("a reason came through as markup")
	}
	l.wants("/people/2", "bo@example.com") // nothing was done
	if a := l.post("/people/1/join", "join", "email:none@example.com"); a.Status != 422 {
		t.Errorf("a join with nobody: %d", a.Status)
	}
	if a := l.send("POST", "/people/1/join", "join=email%3Abo%40example.com", append(l.as("viewer"), "Content-Type: application/x-www-form-urlencoded")...); a.Status != 403 {
		t.Errorf("a viewer's preview: %d", a.Status)
	}
	l.tell("crm", "news", `{"email":["a1@example.com","a2@example.com","a3@example.com","a4@example.com","a5@example.com","a6@example.com"],"company":"Acme"}`)
	l.process()
	l.wants("/people/reviews", "limit:email", "a6@example.com", "a1@example.com", "nobody has it")
	id := regexp.MustCompile(`/people/reviews/([\w-]+)/reject`).FindStringSubmatch(l.get("/people/reviews").Body)
	if id == nil {
		t.Fatal("no form to decide by")
	}
	if a := l.post("/people/reviews/"+id[1]+"/reject", "reason", hostile); a.Status != 303 {
		t.Errorf("rejected: %d %s", a.Status, a.Body)
	}
	l.wants("/people/reviews", "Nothing waits")
	l.wants("/people/reviews?state=rejected", "rejected", "by admin: &lt;script&gt;")
	if a := l.post("/people/reviews/"+id[1]+"/approve", "reason", "one desk"); a.Status != 303 || !strings.HasPrefix(a.Header.Get("Location"), "/people/") {
		t.Errorf("approved after all: %d %v", a.Status, a.Header)
	}
	l.wants("/people/reviews?state=all", "Nothing waits")
	if a := l.post("/people/reviews/none/approve"); a.Status != 404 {
		t.Errorf("a review that is none: %d", a.Status)
	}
}
