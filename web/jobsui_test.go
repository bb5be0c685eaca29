package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/stagebridge/stagebridge/web"
)

func TestJobsPage(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	l := newLab(t, func(o *web.Options) { o.Redis = asynq.RedisClientOpt{Addr: redis.Addr()} })
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: redis.Addr()})
	defer client.Close()
	if _, err := client.Enqueue(asynq.NewTask("push:send", nil), asynq.Queue("push:crm")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/jobs", "/jobs/", "/jobs/ui/", "/jobs/ui/queues", "/jobs/ui/api/queues", "/jobs/ui/static/js/main.js"} {
		if a := l.send("GET", path, "", "Accept: text/html"); a.Status != 303 {
			t.Errorf("%s without a login: %d", path, a.Status)
		}
	}
	if a := l.send("POST", "/jobs/ui/api/queues/push:crm:pause", "", "Sec-Fetch-Site: same-origin"); a.Status != 401 {
		t.Errorf("a change without a login: %d", a.Status)
	}
	page := l.get("/jobs/ui/")
	if page.Status != 200 || strings.Contains(page.Body, "googleapis") || strings.Contains(page.Body, `href="https://`) {
		t.Fatalf("page: %d %s", page.Status, page.Body)
	}
	policy := page.Header.Get("Content-Security-Policy")
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page.Body, -1)
	if len(scripts) != 2 {
		t.Errorf("%d inline scripts", len(scripts))
	}
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s[1]))
		if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("the policy does not allow the script %.60s", s[1])
		}
	}
	if script := directive(policy, "script-src"); strings.Contains(script, "unsafe") || !strings.Contains(directive(policy, "default-src"), "'none'") {
		t.Errorf("policy: %s", policy)
	}
	for _, src := range regexp.MustCompile(`src="(/jobs/ui/static/[^"]+)"`).FindAllStringSubmatch(page.Body, -1) {
		if a := l.get(src[1]); a.Status != 200 || !strings.Contains(a.Header.Get("Content-Type"), "javascript") {
			t.Errorf("%s: %d", src[1], a.Status)
		}
	}
	if a := l.get("/jobs/ui/queues/push:crm"); a.Status != 200 || a.Body != page.Body {
		t.Errorf("a view of the one page: %d", a.Status)
	}
	if a := l.get("/jobs/ui/api/queues"); a.Status != 200 || !strings.Contains(a.Body, "push:crm") {
		t.Errorf("queues: %d %s", a.Status, a.Body)
	}
	if a := l.send("POST", "/jobs/ui/api/queues/push:crm:pause", "", append(l.browser(), "Origin: https://evil.example.com")...); a.Status != 403 {
		t.Errorf("a change asked for by another site: %d", a.Status)
	}
	if a := l.send("POST", "/jobs/ui/api/queues/push:crm:pause", "", append(l.browser(), "Sec-Fetch-Site: same-origin")...); a.Status >= 300 {
		t.Errorf("pause: %d %s", a.Status, a.Body)
	}
	if a := l.get("/"); !strings.Contains(a.Body, `href="/jobs/"`) {
		t.Error("no link to the jobs")
	}
	if directive(policy, "frame-ancestors") != "'self'" || page.Header.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("who may frame it: %s, %s", policy, page.Header.Get("X-Frame-Options"))
	}
}

// TestJobsFrame: asynq's pages stand in ours, which nobody else may frame, and
// a viewer gets those that change nothing.
func TestJobsFrame(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	l := newLab(t, func(o *web.Options) { o.Redis = asynq.RedisClientOpt{Addr: redis.Addr()} })
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: redis.Addr()})
	defer client.Close()
	if _, err := client.Enqueue(asynq.NewTask("push:send", nil), asynq.Queue("push:crm")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/jobs", "/jobs/"} {
		a := l.get(path)
		if a.Status != 200 || !strings.Contains(a.Body, `<iframe src="/jobs/ui/"`) || !strings.Contains(a.Body, `href="/jobs/" aria-current="page"`) {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		policy := a.Header.Get("Content-Security-Policy")
		if directive(policy, "frame-src") != "'self'" || directive(policy, "frame-ancestors") != "'none'" || strings.Contains(policy, "unsafe") {
			t.Errorf("policy: %s", policy)
		}
	}
	viewer, editor := l.as("viewer"), l.as("editor")
	for _, c := range []struct {
		name    string
		headers []string
		change  int
		shows   string
	}{{"viewer", viewer, 403, `READ_ONLY="true"`}, {"editor", editor, 204, `READ_ONLY="false"`}} {
		if a := l.send("GET", "/jobs/ui/api/queues", "", c.headers...); a.Status != 200 || !strings.Contains(a.Body, "push:crm") {
			t.Errorf("%s reads the queues: %d %s", c.name, a.Status, a.Body)
		}
		if a := l.send("POST", "/jobs/ui/api/queues/push:crm:pause", "", c.headers...); a.Status != c.change {
			t.Errorf("%s pauses a queue: %d, want %d", c.name, a.Status, c.change)
		}
		if a := l.send("GET", "/jobs/ui/", "", c.headers...); a.Status != 200 || !strings.Contains(strings.ReplaceAll(a.Body, " ", ""), c.shows) {
			t.Errorf("%s: %d, %s is not in %s", c.name, a.Status, c.shows, a.Body)
		}
	}
}

func directive(policy, name string) string {
	for part := range strings.SplitSeq(policy, ";") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(part), name+" "); ok {
			return rest
		}
	}
	return ""
}
