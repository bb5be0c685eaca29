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
	for _, path := range []string{"/jobs", "/jobs/", "/jobs/queues", "/jobs/api/queues", "/jobs/static/js/main.js"} {
		if a := l.send("GET", path, "", "Accept: text/html"); a.Status != 303 {
			t.Errorf("%s without a login: %d", path, a.Status)
		}
	}
	if a := l.send("POST", "/jobs/api/queues/push:crm:pause", "", "Sec-Fetch-Site: same-origin"); a.Status != 401 {
		t.Errorf("a change without a login: %d", a.Status)
	}
	page := l.get("/jobs/")
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
	for _, src := range regexp.MustCompile(`src="(/jobs/static/[^"]+)"`).FindAllStringSubmatch(page.Body, -1) {
		if a := l.get(src[1]); a.Status != 200 || !strings.Contains(a.Header.Get("Content-Type"), "javascript") {
			t.Errorf("%s: %d", src[1], a.Status)
		}
	}
	if a := l.get("/jobs/queues/push:crm"); a.Status != 200 || a.Body != page.Body {
		t.Errorf("a view of the one page: %d", a.Status)
	}
	if a := l.get("/jobs/api/queues"); a.Status != 200 || !strings.Contains(a.Body, "push:crm") {
		t.Errorf("queues: %d %s", a.Status, a.Body)
	}
	if a := l.send("POST", "/jobs/api/queues/push:crm:pause", "", append(l.browser(), "Origin: https://evil.example.com")...); a.Status != 403 {
		t.Errorf("a change asked for by another site: %d", a.Status)
	}
	if a := l.send("POST", "/jobs/api/queues/push:crm:pause", "", append(l.browser(), "Sec-Fetch-Site: same-origin")...); a.Status >= 300 {
		t.Errorf("pause: %d %s", a.Status, a.Body)
	}
	if a := l.get("/"); !strings.Contains(a.Body, `href="/jobs/"`) {
		t.Error("no link to the jobs")
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
