package mailchimpsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serve starts a vendor.
func serve(t *testing.T, o Options) (*Sim, string) {
	t.Helper()
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Cleanup(s.Close)
	return s, server.URL
}

// ask makes a call below the audience and gives the status and the answer.
func ask(t *testing.T, base, method, path, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+"/3.0/lists/a1b2c3d4e5"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("anybody", "simulated-us0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	if res.Header.Get(SimulatedHeader) != "mailchimp" {
		t.Errorf("%s %s: the answer is not labelled as simulated", method, path)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if len(text) > 0 && json.Unmarshal(text, &answer) != nil {
		t.Errorf("%s %s: %q is no JSON object", method, path, text)
	}
	return res.StatusCode, answer
}

func TestCalls(t *testing.T) {
	t.Parallel()
	s, base := serve(t, Options{})
	s.AddField("MUST", "text", true)
	s.AddField("COUNT", "number", false)
	s.AddField("PLAN", "dropdown", false, "free", "paid")
	s.AddMember("out@example.com", "unsubscribed", nil)
	s.AddMember("cleaned@example.com", "cleaned", nil)
	s.AddMember("here@example.com", "", map[string]any{"FNAME": "Here"})
	s.AddMember("erased@example.com", "", nil, "old")
	if err := s.Forget("erased@example.com"); err != nil {
		t.Fatal(err)
	}
	const skip = "?skip_merge_validation=true"
	id := func(email string) string { return "/members/" + hash(email) }
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		title                    string
	}{
		{"create", "PUT", id("New@example.com") + skip, `{"email_address":"New@example.com","status_if_new":"transactional"}`, 200, ""},
		{"create without a status", "PUT", id("x@example.com") + skip, `{"email_address":"x@example.com"}`, 400, "Invalid Resource"},
		{"create without an address", "PUT", id("x@example.com") + skip, `{"status_if_new":"pending"}`, 400, "Invalid Resource"},
		{"create with a bad address", "PUT", id("x") + skip, `{"email_address":"x","status_if_new":"pending"}`, 400, "Invalid Resource"},
		{"create without a required field", "PUT", id("x@example.com"), `{"email_address":"x@example.com","status_if_new":"pending"}`, 400, "Invalid Resource"},
		{"text for a number", "PATCH", id("here@example.com") + skip, `{"merge_fields":{"COUNT":"many"}}`, 400, "Invalid Resource"},
		{"no such choice", "PATCH", id("here@example.com") + skip, `{"merge_fields":{"PLAN":"gold"}}`, 400, "Invalid Resource"},
		{"a choice", "PATCH", id("here@example.com") + skip, `{"merge_fields":{"PLAN":"paid","UNKNOWN":"x"}}`, 200, ""},
		{"by address", "PATCH", "/members/HERE@example.com" + skip, `{"merge_fields":{"FNAME":"Now"}}`, 200, ""},
		{"nobody", "PATCH", id("nobody@example.com") + skip, `{}`, 404, "Resource Not Found"},
		{"opt somebody in again", "PATCH", id("out@example.com") + skip, `{"status":"subscribed"}`, 400, "Member In Compliance State"},
		{"opt somebody in again by PUT", "PUT", id("cleaned@example.com") + skip, `{"email_address":"cleaned@example.com","status":"subscribed"}`, 400, "Member In Compliance State"},
		{"write to somebody who left", "PUT", id("out@example.com") + skip, `{"email_address":"out@example.com","status_if_new":"subscribed","merge_fields":{"FNAME":"Out"}}`, 200, ""},
		{"move somebody who left", "PATCH", id("out@example.com") + skip, `{"email_address":"out2@example.com"}`, 400, "Member In Compliance State"},
		{"move onto another", "PATCH", id("here@example.com") + skip, `{"email_address":"out@example.com"}`, 400, "Invalid Resource"},
		{"the erased", "PUT", id("erased@example.com") + skip, `{"email_address":"erased@example.com","status_if_new":"pending"}`, 400, "Forgotten Email Not Subscribed"},
		{"read the erased", "GET", id("erased@example.com"), "", 404, "Resource Not Found"},
		{"no JSON", "PATCH", id("here@example.com"), `{"merge_fields":`, 400, "JSON Parse Error"},
		{"tags", "POST", id("here@example.com") + "/tags", `{"tags":[{"name":"VIP","status":"active"},{"name":"none","status":"inactive"}]}`, 204, ""},
		{"tag without a state", "POST", id("here@example.com") + "/tags", `{"tags":[{"name":"VIP"}]}`, 400, "Invalid Resource"},
		{"tags of nobody", "POST", id("nobody@example.com") + "/tags", `{"tags":[]}`, 404, "Resource Not Found"},
		{"a tag twice", "POST", "/segments", `{"name":"vip","static_segment":[]}`, 400, "Bad Request"},
		{"a tag that is no segment", "POST", "/segments", `{"name":"x"}`, 400, "Invalid Resource"},
		{"no such segment", "POST", "/segments/999999", `{"members_to_add":[]}`, 404, "Resource Not Found"},
		{"a field twice", "POST", "/merge-fields", `{"tag":"FNAME","name":"x","type":"text"}`, 400, "Invalid Resource"},
		{"a field without a name", "POST", "/merge-fields", `{"tag":"X"}`, 400, "Invalid Resource"},
		{"a webhook without an address", "POST", "/webhooks", `{"url":"here"}`, 400, "Invalid Resource"},
		{"no such webhook", "PATCH", "/webhooks/x", `{}`, 404, "Resource Not Found"},
		{"no such call", "POST", "", `{"members":[]}`, 404, "Resource Not Found"},
		{"archive", "DELETE", id("new@example.com"), "", 204, ""},
	} {
		status, answer := ask(t, base, tt.method, tt.path, tt.body)
		title, _ := answer["title"].(string)
		if status != tt.status || title != tt.title {
			t.Errorf("%s: %d %q, want %d %q (%v)", tt.name, status, title, tt.status, tt.title, answer)
		}
	}
	want := map[string]Held{
		"New@example.com":     {Email: "New@example.com", Status: "archived", Merge: map[string]any{}},
		"out@example.com":     {Email: "out@example.com", Status: "unsubscribed", Merge: map[string]any{"FNAME": "Out"}},
		"cleaned@example.com": {Email: "cleaned@example.com", Status: "cleaned", Merge: map[string]any{}},
		"here@example.com":    {Email: "here@example.com", Status: "subscribed", Merge: map[string]any{"FNAME": "Now", "PLAN": "paid"}, Tags: []string{"VIP"}},
		"erased@example.com":  {Email: "erased@example.com", Status: "forgotten", Merge: map[string]any{}},
	}
	if diff := cmp.Diff(want, s.Members()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if c := s.Counts(); c.Members != 5 || c.Created != 1 || c.Tags != 1 || c.StatusChanges != 0 || c.Writes() != 6 {
		t.Errorf("counts %+v", c)
	}
}

func TestKeyAudienceAndRoot(t *testing.T) {
	t.Parallel()
	_, base := serve(t, Options{})
	for _, tt := range []struct {
		path, authorization string
		status              int
	}{
		{"/3.0/ping", "Bearer simulated-us0", 200},
		{"/3.0/lists", "Bearer simulated-us0", 200},
		{"/3.0/ping", "Bearer guess", 401},
		{"/3.0/ping", "", 401},
		{"/3.0/lists/ffffffffff/members/x", "Bearer simulated-us0", 404},
		{"/", "", 200},
		{"/2.0/ping", "Bearer simulated-us0", 404},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+tt.path, nil)
		req.Header.Set("Authorization", tt.authorization)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%s with %q: %d, want %d", tt.path, tt.authorization, res.StatusCode, tt.status)
		}
	}
}

func TestSegmentsOfMany(t *testing.T) {
	t.Parallel()
	s, base := serve(t, Options{})
	for i := range 3 {
		s.AddMember(fmt.Sprintf("p%d@example.com", i), "", nil)
	}
	_, made := ask(t, base, "POST", "/segments", `{"name":"sb:x","static_segment":["p0@example.com"]}`)
	path := fmt.Sprintf("/segments/%d", int(made["id"].(float64)))
	_, answer := ask(t, base, "POST", path, `{"members_to_add":["P1@example.com","p0@example.com","nobody@example.com"],"members_to_remove":["p2@example.com"]}`)
	if answer["total_added"] != 1.0 || answer["total_removed"] != 0.0 {
		t.Errorf("answer %v", answer)
	}
	many, _ := json.Marshal(map[string]any{"members_to_add": make([]string, 501)})
	if status, _ := ask(t, base, "POST", path, string(many)); status != 400 {
		t.Errorf("501 at once: %d", status)
	}
	for i := range 4 {
		ask(t, base, "POST", "/segments", fmt.Sprintf(`{"name":"t%d","static_segment":[]}`, i))
	}
	_, page := ask(t, base, "GET", "/segments?count=2&offset=4", "")
	if list := page["segments"].([]any); len(list) != 1 || page["total_items"] != 5.0 {
		t.Errorf("the last page: %v", page)
	}
	if held, _ := s.Member("p1@example.com"); !slices.Equal(held.Tags, []string{"sb:x"}) {
		t.Errorf("tags %v", held.Tags)
	}
}

// TestTooManyAtOnce: an eleventh request is refused while ten are under way.
func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	s, base := serve(t, Options{})
	s.busy.Add(10)
	if status, answer := ask(t, base, "GET", "/merge-fields", ""); status != http.StatusTooManyRequests {
		t.Errorf("the eleventh: %d %v", status, answer)
	}
	s.busy.Add(-1)
	if status, _ := ask(t, base, "GET", "/merge-fields", ""); status != http.StatusOK {
		t.Errorf("the tenth: %d", status)
	}
}

// TestSilence: a request that is never answered ends with its caller.
func TestSilence(t *testing.T) {
	t.Parallel()
	s, base := serve(t, Options{})
	s.Silent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+"/3.0/ping", nil)
	req.Header.Set("Authorization", "Bearer simulated-us0")
	if res, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("an answer: %d", res.StatusCode)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s, base := serve(t, Options{})
	s.Fail(Fault{Method: "GET", Path: "/merge", Status: 503, Header: http.Header{"Retry-After": {"7"}}, Body: `{}`})
	if status, _ := ask(t, base, "GET", "/segments", ""); status != 200 {
		t.Errorf("another path: %d", status)
	}
	if status, _ := ask(t, base, "GET", "/merge-fields", ""); status != 503 {
		t.Errorf("the fault: %d", status)
	}
	if status, _ := ask(t, base, "GET", "/merge-fields", ""); status != 200 {
		t.Errorf("after its one time: %d", status)
	}
	s.Slow(time.Millisecond)
	if status, _ := ask(t, base, "GET", "/merge-fields", ""); status != 200 {
		t.Errorf("slow: %d", status)
	}
	s.Recover()
	s.Fail(Fault{Method: "PUT", Status: 504, After: true})
	body := `{"email_address":"late@example.com","status_if_new":"transactional"}`
	if status, _ := ask(t, base, "PUT", "/members/"+hash("late@example.com"), body); status != 504 {
		t.Errorf("an answer lost: %d", status)
	}
	if _, ok := s.Member("late@example.com"); !ok {
		t.Error("the write whose answer was lost did not take effect")
	}
	s.Fail(Fault{Reset: true, Times: -1})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/3.0/ping", nil)
	if res, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("a reset gave %d", res.StatusCode)
	}
}

// TestWebhooks: changes by people are told to those who asked, changes by API
// only where the source is on or the vendor was told to echo.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options Options
		sources string
		want    []string
	}{
		{"people only", Options{}, `{"user":true,"admin":true,"api":false}`, []string{"subscribe", "profile", "unsubscribe"}},
		{"with API", Options{}, `{"user":true,"admin":true,"api":true}`, []string{"subscribe", "profile", "profile", "unsubscribe"}},
		{"told to echo", Options{Echo: true}, `{"user":true,"admin":true}`, []string{"subscribe", "profile", "profile", "unsubscribe"}},
		{"nobody", Options{}, `{}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, base := serve(t, tt.options)
			_, made := ask(t, base, "POST", "/webhooks", `{"url":"https://bridge.example.com/","events":{"subscribe":true,"profile":true,"unsubscribe":true},"sources":`+tt.sources+`}`)
			if secret, _ := made["signing_secret"].(string); secret == "" {
				t.Errorf("created %v", made)
			}
			_, listed := ask(t, base, "GET", "/webhooks", "")
			if hook := listed["webhooks"].([]any)[0].(map[string]any); hook["signing_secret"] != nil || hook["signing_enabled"] != true {
				t.Errorf("listed %v", hook)
			}
			s.Subscribe("dana@example.com", nil)
			for range 2 { // the second changes nothing
				ask(t, base, "PATCH", "/members/dana@example.com", `{"merge_fields":{"FNAME":"Dana"}}`)
			}
			errs := []error{
				s.Edit("dana@example.com", map[string]any{"LNAME": "Reed"}), s.ChangeEmail("dana@example.com", "dana.new@example.com"),
				s.Unsubscribe("dana.new@example.com", "manual"),
			}
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			if err := s.Edit("nobody@example.com", nil); !errors.Is(err, ErrNoMember) {
				t.Errorf("an edit of nobody: %v", err)
			}
			var got []string
			for _, d := range s.Take() {
				got = append(got, d.Type)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("webhooks (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDeliver: what is not taken stays at the front of the queue.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(receiver.Close)
	s, _ := serve(t, Options{Unsigned: true})
	if secret := s.AddWebhook(receiver.URL, "x"); secret != "" {
		t.Errorf("a webhook of old has the secret %q", secret)
	}
	for i := range 3 {
		s.Subscribe(fmt.Sprintf("p%d@example.com", i), nil)
	}
	if n, err := s.Deliver(t.Context()); n != 1 || err == nil || s.Pending() != 2 {
		t.Errorf("delivered %d, %v; %d wait", n, err, s.Pending())
	}
	if n, err := s.Deliver(t.Context()); n != 2 || err != nil || s.Pending() != 0 {
		t.Errorf("delivered %d, %v; %d wait", n, err, s.Pending())
	}
	if c := s.Counts(); c.Sent != 3 {
		t.Errorf("counts %+v", c)
	}
}

// TestRunTriesAgain: a webhook that is not taken is sent again, signed anew.
func TestRunTriesAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	done := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		done <- r.Header.Get("X-Mailchimp-Signature")
	}))
	t.Cleanup(receiver.Close)
	s, _ := serve(t, Options{})
	s.AddWebhook(receiver.URL, "s3cret")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ended := make(chan struct{})
	go func() { s.Run(ctx); close(ended) }()
	s.Subscribe("dana@example.com", nil)
	select {
	case signature := <-done:
		if !strings.HasPrefix(signature, "t=") || len(signature) < 70 {
			t.Errorf("signature %q", signature)
		}
	case <-ctx.Done():
		t.Fatal("nothing arrived")
	}
	s.Close()
	<-ended
	if n := calls.Load(); n != 3 {
		t.Errorf("%d tries", n)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s, base := serve(t, Options{MaxConcurrent: 100})
	s.AddWebhook("https://bridge.example.com/", "")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			email := fmt.Sprintf("p%d@example.com", i)
			for range 20 {
				ask(t, base, "PUT", "/members/"+hash(email)+"?skip_merge_validation=true", `{"email_address":"`+email+`","status_if_new":"transactional","merge_fields":{"FNAME":"x"}}`)
				ask(t, base, "POST", "/members/"+email+"/tags", `{"tags":[{"name":"sb:x","status":"active"}]}`)
				s.Subscribe(email, nil)
				s.Members()
				s.Counts()
				s.Take()
			}
		})
	}
	all.Wait()
	if c := s.Counts(); c.Members != 160 || c.Created != 8 || c.Tags != 160 {
		t.Errorf("counts %+v", c)
	}
}
