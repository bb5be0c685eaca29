package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// TestSyncPage groups failures, counts before it retries, and pauses and sends
// in full by connection.
func TestSyncPage(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	fillHostile(t, l)
	l.connect("quiet", nil)
	l.now = l.now.Add(time.Minute) // counts are kept for some seconds
	l.wants("/sync", "Failed, by what the vendor says", `formaction="/sync/crm/resync"`, "pushes nothing", "Try these again…")
	l.wants("/sync?connection=quiet&state=failed", "nobody in this list", "Nobody would be tried again")
	message := "&message=" + escape(hostile)
	l.wants("/sync?state=failed&reason=invalid"+message, `data-label="State" class="status-failed"`, "Try these again…")
	l.wants("/sync?state=failed&message=other", "nobody in this list")

	has := func(a answer, texts ...string) {
		t.Helper()
		body := strings.Join(strings.Fields(a.Body), " ")
		for _, text := range texts {
			if a.Status != 200 || !strings.Contains(body, text) {
				t.Errorf("%d, %q is not in %.2000s", a.Status, text, body)
			}
		}
		if strings.Contains(body, "<script>alert") {
			t.Error("a text came through as markup")
		}
	}
	l.woken = nil
	has(l.post("/sync/retry", "connection", "crm", "state", "failed", "reason", "invalid", "message", hostile, "look", "yes"), "Try 1 person again")
	if len(l.woken) > 0 {
		t.Errorf("looking woke %v", l.woken)
	}
	has(l.post("/sync/retry", "connection", "crm", "state", "failed", "message", "other", "look", "yes"), "Nobody would be tried again")
	has(l.post("/sync/crm/resync"), "for 1 person, within", "Send 1 person in full")
	if len(l.woken) > 0 {
		t.Errorf("asking woke %v", l.woken)
	}
	has(l.post("/sync/crm/resync", "confirm", "yes"), "1 person will be sent to crm in full")
	if len(l.woken) == 0 {
		t.Error("sending in full woke nobody")
	}
	if a := l.post("/sync/crm/pause"); a.Status != 303 || !l.registry.Config().Connections["crm"].Paused {
		t.Errorf("pause: %d", a.Status)
	}
	l.wants("/sync", `action="/sync/crm/resume"`)
	if a := l.post("/sync/crm/resume"); a.Status != 303 || l.registry.Config().Connections["crm"].Paused {
		t.Errorf("resume: %d", a.Status)
	}
	for path, want := range map[string]int{"/sync/none/pause": 404, "/sync/none/resync": 404, "/sync/crm/explode": 404, "/sync/quiet/resync": 400} {
		if a := l.post(path, "confirm", "yes"); a.Status != want {
			t.Errorf("%s: %d, want %d", path, a.Status, want)
		}
	}
	viewer := append(l.as("viewer"), "Content-Type: application/x-www-form-urlencoded")
	for _, path := range []string{"/sync/crm/pause", "/sync/crm/resync", "/sync/retry"} {
		if a := l.send("POST", path, "confirm=yes", viewer...); a.Status != 403 {
			t.Errorf("a viewer at %s: %d", path, a.Status)
		}
	}
	l.connect("more", &connectors.PushConfig{Enabled: true})
	if a := l.api("POST", "/sync/retry", `{"message":"other","dry_run":true}`); a.Status != 200 || !strings.Contains(a.Body, `"count":0`) {
		t.Errorf("the API: %d %s", a.Status, a.Body)
	}
}
