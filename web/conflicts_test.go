package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/store"
)

// TestConflicts lists what did not have its way, by connection and by person,
// and explains a person with visits and what leads out of a stage.
func TestConflicts(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	if a := l.api("PUT", "/plan", `
name: claims
zone: Europe/Berlin
stages:
  - { name: Lead }
  - { name: Customer, when: 'seen("Order:Completed")' }
  - { name: Paused, side: true, when: 'traits.paused', until: 'seen("Subscription:Resumed")', stay: 3d }
segments:
  due: days_until(traits.due_at) <= 3
claims: { crm: advance }
`, "Content-Type: application/yaml", "If-None-Match: *"); a.Status != http.StatusOK {
		t.Fatalf("plan: %d %s", a.Status, a.Body)
	}
	if _, err := l.store.PublishRules(t.Context(), "crm", 0, store.Versioned{Source: `
rules:
  - { name: order, type: order, emit: { event: "Order:Completed", at: fromUnixMilli(body.at), identity: { email: body.email }, traits: { paused: body.paused, due_at: body.due } } }
  - { name: claim, type: claim, emit: { event: "Stage:Claimed", at: fromUnixMilli(body.at), identity: { email: body.email }, stage: body.stage } }
`}); err != nil {
		t.Fatal(err)
	}
	if err := l.registry.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(-time.Hour).UnixMilli()
	for i, e := range [][2]string{{"order", ""}, {"claim", `,"stage":"Lead"`}, {"claim", `,"stage":"<b>"`}, {"order", `,"paused":true,"due":"soon"`}} {
		l.tell("crm", e[0], fmt.Sprintf(`{"email":"ann@example.com","at":%d%s}`, start+int64(i), e[1]))
	}
	l.process()
	for _, path := range []string{"/conflicts?connection=crm", "/profiles/1/conflicts"} {
		var page struct {
			Items []struct {
				Profile, Connection, Stage, At, Event, Reason, Why, Won string
				WonBy                                                   string `json:"won_by"`
			}
			Next string
		}
		a := l.api("GET", path, "")
		if err := json.Unmarshal([]byte(a.Body), &page); err != nil || a.Status != http.StatusOK || len(page.Items) != 2 {
			t.Fatalf("%s: %d %s, %v", path, a.Status, a.Body, err)
		}
		reasons := page.Items[0].Reason + " " + page.Items[1].Reason
		if !strings.Contains(reasons, "unknown_stage") || !strings.Contains(reasons, "not_ahead") {
			t.Errorf("%s: reasons %s", path, reasons)
		}
		for _, c := range page.Items {
			if c.Profile != "1" || c.Connection != "crm" || c.Won != "Customer" || c.WonBy != "path" || c.Why == "" || c.At == "" || len(c.Event) != 32 {
				t.Errorf("%s: %+v", path, c)
			}
		}
	}
	first := l.api("GET", "/conflicts?connection=crm&limit=1", "")
	var page struct{ Next string }
	if err := json.Unmarshal([]byte(first.Body), &page); err != nil || page.Next == "" {
		t.Fatalf("first page: %s, %v", first.Body, err)
	}
	for _, c := range []struct {
		path   string
		status int
		has    string
	}{
		{"/conflicts?connection=crm&limit=1&next=" + page.Next, 200, `"next":""`},
		{"/conflicts?connection=nobody", 200, `"items":[]`},
		{"/conflicts", 400, "whose claims"},
		{"/conflicts?connection=crm&next=x", 400, ""},
		{"/profiles/77/conflicts", 404, ""},
		{"/profiles/1/explain", 200, `"leave":"seen(\"Subscription:Resumed\")"`},
		{"/profiles/1/explain", 200, `"stays_until":"`},
		{"/profiles/1/explain", 200, `"stage":"Customer","count":1,`},
		{"/profiles/1/explain", 200, `"note":"cannot be read as a date`},
	} {
		if a := l.api("GET", c.path, ""); a.Status != c.status || !strings.Contains(a.Body, c.has) {
			t.Errorf("%s: %d %s, want %d with %s", c.path, a.Status, a.Body, c.status, c.has)
		}
	}
}
