package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/store"
)

// TestReviewsByAPI lists, rejects and approves what the guards kept apart, tells
// where keys come from, and foretells a join.
func TestReviewsByAPI(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "news", `{"email":["a1@example.com","a2@example.com","a3@example.com","a4@example.com","a5@example.com","a6@example.com"],"company":"Acme"}`)
	l.tell("crm", "order", `{"email":"bo@example.com","amount":"1"}`)
	l.process()
	listed := l.api("GET", "/merges", "")
	var page struct {
		Items []struct {
			ID, Key, With, Reason, State string
			Person                       struct{ ID string }
			Other                        *struct{ ID string }
			Evidence                     struct{ Name, Connection, Inbox string }
		}
	}
	if err := json.Unmarshal([]byte(listed.Body), &page); err != nil || len(page.Items) != 1 {
		t.Fatalf("%d %s: %v", listed.Status, listed.Body, err)
	}
	r := page.Items[0]
	if r.Key != "email:a6@example.com" || r.With != "email:a1@example.com" || r.Reason != "limit:email" || r.State != "open" || r.Person.ID != "1" || r.Other != nil ||
		r.Evidence.Name != "Newsletter:Subscribed" || r.Evidence.Connection != "crm" || r.Evidence.Inbox != "1" {
		t.Errorf("review: %+v", r)
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"another state", "GET", "/merges?state=later", "", 400, "want open, rejected or all"},
		{"no review", "POST", "/merges/AAAA/reject", "", 404, ""},
		{"no id", "POST", "/merges/%25%25/approve", "", 404, ""},
		{"rejected", "POST", "/merges/" + r.ID + "/reject", `{"reason":"a list"}`, 200, `"state":"rejected"`},
		{"not asked again", "GET", "/merges", "", 200, `"items":[]`},
		{"kept", "GET", "/merges?state=rejected", "", 200, `"note":"a list"`},
		{"approved after all", "POST", "/merges/" + r.ID + "/approve", `{"reason":"one desk"}`, 200, `"id":"1"`},
		{"gone from the list", "GET", "/merges?state=all", "", 200, `"items":[]`},
		{"where keys come from", "GET", "/profiles/1/identity", "", 200, `"class":"decided"`},
		{"by which webhook", "GET", "/profiles/1/identity", "", 200, `{"key":"email:a1@example.com","class":"medium","at":"`},
		{"a join foretold", "POST", "/profiles/1/join/preview", `{"key":"email:bo@example.com"}`, 200, `"stage":"Customer"`},
		{"with itself", "POST", "/profiles/1/join/preview", `{"key":"email:a2@example.com"}`, 422, "own already"},
		{"nothing happened", "GET", "/profiles/1", "", 200, `"stage":"Subscriber"`},
	} {
		if a := l.api(c.method, c.path, c.body); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
}

// TestDoubtsByAPI lists a join by a browser with what holds it, and confirms it.
func TestDoubtsByAPI(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	rules := "rules:\n  - { name: all, type: news, emit: { event: \"Newsletter:Subscribed\", at: fromUnixMilli(body.at), identity: { email: body.email, user: body.user, anonymous: body.device } } }\n"
	if _, err := l.admin.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: rules}); err != nil {
		t.Fatal(err)
	}
	l.tell("crm", "news", `{"at":1700000000000,"email":"ann@example.com","device":"d1"}`)
	l.tell("crm", "news", `{"at":1700000001000,"user":"u1"}`)
	l.tell("crm", "news", `{"at":1700000002000,"user":"u1","device":"d1"}`)
	l.process()
	const confirm = "/merges/doubtful/confirm"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"listed", "GET", "/merges/doubtful", "", 200, `"state":"open","reason":"weak","key":"anonymous:d1","with":"user:u1","class":"weak","evidence":{"at":"`},
		{"what a split would part", "GET", "/merges/doubtful", "", 200, `"apart":["email:ann@example.com","anonymous:d1"],"events":1,"reach":[`},
		{"another state", "GET", "/merges/doubtful?state=later", "", 400, "want open or all"},
		{"no cursor", "GET", "/merges/doubtful?next=x", "", 400, ""},
		{"no such join", "POST", confirm, `{"key":"user:u1","with":"anonymous:d1"}`, 404, ""},
		{"no key", "POST", confirm, `{"key":"anonymous","with":"user:u1"}`, 400, "namespace:value"},
		{"confirmed", "POST", confirm, `{"key":"anonymous:d1","with":"user:u1","reason":"asked her"}`, 200, `"state":"confirmed"`},
		{"not asked again", "GET", "/merges/doubtful", "", 200, `"items":[]`},
		{"kept", "GET", "/merges/doubtful?state=all", "", 200, `"note":"asked her"`},
	} {
		if a := l.api(c.method, c.path, c.body); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
}
