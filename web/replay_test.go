package web_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/stagebridge/stagebridge/jobs"
)

// answeredReplay is what a tool reads of a replay.
type answeredReplay struct {
	Count   int64 `json:"count"`
	DryRun  bool  `json:"dry_run"`
	Version int64 `json:"version"`
	Job     *struct {
		ID     string        `json:"id"`
		State  string        `json:"state"`
		Result jobs.Replayed `json:"result"`
	} `json:"job"`
}

func (l *lab) readReplay(a answer) answeredReplay {
	l.Helper()
	var x answeredReplay
	if err := json.Unmarshal([]byte(a.Body), &x); err != nil || a.Status != 200 {
		l.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	return x
}

// TestReplay: the page counts before it begins; the API counts, begins long
// work, and takes every filter of the list.
func TestReplay(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.connect("shop", nil)
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "order", `{"email":"ann@example.com","amount":"1"}`)
	l.tell("shop", "order", `{"email":"ben@example.com","amount":"many"}`)
	l.tell("shop", "other", `{}`)
	l.process()
	if a := l.get("/inbox?status=failed&connection=shop"); !strings.Contains(a.Body, "Process these again") {
		t.Errorf("no button: %s", a.Body)
	}
	ask := l.post("/inbox/replay", "connection", "shop", "status", "failed", "step", "map", "since", "2020-01-01T00:00:00Z")
	if ask.Status != 200 || !strings.Contains(ask.Body, "Process 1 raw event again") {
		t.Errorf("the count comes first: %d %s", ask.Status, ask.Body)
	}
	if a := l.post("/inbox/replay", "connection", "shop", "status", "failed", "confirm", "yes"); !strings.Contains(a.Body, "1 raw event is being processed again, as job 1.") {
		t.Errorf("%s", a.Body)
	}
	if a := l.api("GET", "/inbox/stats", ""); !strings.Contains(a.Body, `"replaying":1`) {
		t.Errorf("what is to be processed again does not wait: %s", a.Body)
	}
	for filter, want := range map[string]int64{
		`"connection":"crm"`: 2, `"status":"ignored"`: 1, `"type":"order"`: 2, `"step":"map"`: 1, `"reason":"unmatched"`: 1, `"rule":"order"`: 1,
		`"rule":"orde"`: 0, `"person":"email:Ann@example.com"`: 2, `"person":"1","type":"news"`: 1, `"until":"2020-01-01T00:00:00Z"`: 0,
	} {
		got := l.readReplay(l.api("POST", "/inbox/replay", `{"dry_run":true,`+filter+`}`))
		if got.Count != want || !got.DryRun || got.Job != nil {
			t.Errorf("%s: %+v, want %d", filter, got, want)
		}
		begun := l.readReplay(l.api("POST", "/inbox/replay?wait=0", `{`+filter+`}`))
		if begun.Count != want || begun.DryRun || begun.Job == nil || begun.Job.State != "queued" {
			t.Errorf("%s: %+v, want %d", filter, begun, want)
			continue
		}
		if err := l.admin.Works.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var over struct {
			State  string
			Result jobs.Replayed
		}
		if err := json.Unmarshal([]byte(l.api("GET", "/jobs/"+begun.Job.ID, "").Body), &over); err != nil {
			t.Fatal(err)
		}
		if over.State != "done" || over.Result.RawEvents != want || over.Result.Changed != 0 || !strings.HasSuffix(over.Result.Summary, "than before") {
			t.Errorf("%s: %+v", filter, over)
		}
	}
	for _, body := range []string{`{"status":"lost"}`, `{"person":"77"}`, `{"person":"ann"}`} {
		if a := l.api("POST", "/inbox/replay", body); a.Status != 400 {
			t.Errorf("%s: %d", body, a.Status)
		}
	}
	if a := l.api("POST", "/inbox/replay?wait=often", `{}`); a.Status != 400 {
		t.Errorf("wait: %d", a.Status)
	}
}

// TestReplayIsWaitedFor: the answer to a small replay says what came of it.
func TestReplayIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.process()
	var serving sync.WaitGroup
	serving.Go(func() { l.admin.Works.Serve(t.Context()) })
	t.Cleanup(serving.Wait)
	got := l.readReplay(l.api("POST", "/inbox/replay?wait=20", `{"connection":"crm"}`))
	if got.Job == nil || got.Job.State != "done" || got.Job.Result.RawEvents != 1 {
		t.Errorf("%+v", got)
	}
}

// TestPublishRulesAndReplay: rules and the replay under them begin as one.
func TestPublishRulesAndReplay(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.connect("crm", nil)
	l.tell("crm", "news", `{"email":"ann@example.com"}`)
	l.tell("crm", "other", `{"email":"ben@example.com"}`)
	l.process()
	more := labRules + "  - { name: other, type: other, emit: { event: \"Newsletter:Subscribed\", identity: { email: body.email } } }\n"
	body, err := json.Marshal(map[string]any{"rules": more, "note": "others too", "replay": map[string]string{"status": "ignored"}})
	if err != nil {
		t.Fatal(err)
	}
	finish := func() {
		t.Helper()
		if err := l.admin.Works.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := l.readReplay(l.api("POST", "/connections/crm/rules/publish?wait=0", string(body)))
	finish()
	if a := l.api("GET", "/profiles?key=email:ben@example.com", ""); got.Version != 1 || got.Count != 1 || !strings.Contains(a.Body, "ben@example.com") {
		t.Errorf("%+v %s", got, a.Body)
	}
	fewer := strings.Replace(more, "type: news", "type: old", 1)
	got = l.readReplay(l.api("PUT", "/connections/crm/rules?replay=all&wait=0", fewer))
	finish()
	if a := l.api("GET", "/profiles?key=email:ann@example.com", ""); got.Version != 2 || got.Count != 2 || !strings.Contains(a.Body, `"items":[]`) {
		t.Errorf("%+v %s", got, a.Body)
	}
	for path, status := range map[string]int{"PUT /rules?replay=pending": 400, "POST /rules/publish": 422, "POST /rules/publish?stale": 412} {
		method, rest, _ := strings.Cut(path, " ")
		text := `{"rules":"rules: [","replay":{}}`
		headers := []string{}
		if strings.HasSuffix(path, "stale") {
			text, headers = string(body), []string{`If-Match: "v1"`}
		}
		if a := l.api(method, "/connections/crm"+rest, text, headers...); a.Status != status {
			t.Errorf("%s: %d %s, want %d", path, a.Status, a.Body, status)
		}
	}
	if a := l.api("GET", "/connections/crm/rules/versions", ""); strings.Count(a.Body, `"version":`) != 2 {
		t.Errorf("what was refused was published: %s", a.Body)
	}
}
