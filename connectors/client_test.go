package connectors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagebridge/stagebridge/secret"
)

// openClient may call the loopback servers of these tests.
func openClient(o ClientOptions) *Client {
	o.AllowPrivate = true
	return NewClient(o)
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// pushError asserts the type that Do promises.
func pushError(t *testing.T, err error) *PushError {
	t.Helper()
	var e *PushError
	if !errors.As(err, &e) {
		t.Fatalf("error is %T (%v), want *PushError", err, err)
	}
	return e
}

var clock = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestClientSendsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	type seen struct{ Method, Path, Body, Kind, Agent, Extra string }
	got := make(chan seen, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- seen{r.Method, r.URL.RequestURI(), string(b), r.Header.Get("Content-Type"), r.Header.Get("User-Agent"), r.Header.Get("X-Extra")}
		w.Header().Set("X-Answer", "1")
		io.WriteString(w, `{"id":12345678901234567890}`)
	})
	c := openClient(ClientOptions{})
	header := http.Header{"X-Extra": {"yes"}}
	a, err := c.Do(t.Context(), Call{Act: "test: send", URL: url + "/a?b=c", Header: header, JSON: map[string]int{"n": 1}})
	if err != nil {
		t.Fatal(err)
	}
	want := seen{"POST", "/a?b=c", `{"n":1}`, "application/json", "stagebridge/dev", "yes"}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if len(header) != 1 {
		t.Errorf("the caller's header was changed: %v", header)
	}
	var body map[string]any
	if err := a.JSON("test: send", &body); err != nil || fmt.Sprint(body["id"]) != "12345678901234567890" {
		t.Errorf("body = %v, %v", body, err)
	}
	if a.Status != 200 || a.Header.Get("X-Answer") != "1" {
		t.Errorf("answer = %d %v", a.Status, a.Header)
	}
}

// TestStatusTable is the fault list: every answer a vendor may give and what
// becomes of it.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	date := clock.Add(90 * time.Second).Format(http.TimeFormat)
	problem := `{"title":"Invalid Resource","detail":"The address looks fake"}`
	tests := []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   PushError
	}{
		{"301", 301, map[string]string{"Location": "https://login.example.com/a?token=abc"}, "", PushError{Reason: ReasonRedirect, Message: "redirects are not followed; this one leads to login.example.com"}},
		{"307 without host", 307, map[string]string{"Location": "/elsewhere"}, "", PushError{Reason: ReasonRedirect, Message: "redirects are not followed"}},
		{"400", 400, nil, problem, PushError{Reason: ReasonInvalid, Message: "Invalid Resource: The address looks fake"}},
		{"401", 401, nil, `{"message":"bad token"}`, PushError{Reason: ReasonAuth, Message: "bad token"}},
		{"402", 402, nil, "", PushError{Reason: ReasonForbidden}},
		{"403", 403, nil, `{"error":"no scope"}`, PushError{Reason: ReasonForbidden, Message: "no scope"}},
		{"404", 404, nil, `{"error":{"message":"no such contact"}}`, PushError{Reason: ReasonNotFound, Message: "no such contact"}},
		{"408", 408, nil, "", PushError{Reason: ReasonServer, Retryable: true}},
		{"409", 409, nil, `{"errors":[{"message":"exists"}]}`, PushError{Reason: ReasonConflict, Message: "exists"}},
		{"410", 410, nil, "", PushError{Reason: ReasonGone}},
		{"413", 413, nil, "<html><h1>too\n\nlarge</h1>", PushError{Reason: ReasonTooLarge, Message: "<html><h1>too large</h1>"}},
		{"414", 414, nil, "", PushError{Reason: ReasonTooLarge}},
		{"418", 418, nil, "", PushError{Reason: ReasonInvalid}},
		{"422", 422, nil, `["first","second"]`, PushError{Reason: ReasonInvalid, Message: "first"}},
		{"423", 423, nil, "", PushError{Reason: ReasonServer, Retryable: true}},
		{"425", 425, nil, "", PushError{Reason: ReasonServer, Retryable: true}},
		{"429 without pause", 429, nil, "slow down", PushError{Reason: ReasonRateLimit, Retryable: true, Message: "slow down"}},
		{"429 seconds", 429, map[string]string{"Retry-After": "7"}, "", PushError{Reason: ReasonRateLimit, Retryable: true, RetryAfter: 7 * time.Second}},
		{"429 date", 429, map[string]string{"Retry-After": date}, "", PushError{Reason: ReasonRateLimit, Retryable: true, RetryAfter: 90 * time.Second}},
		{"429 nonsense", 429, map[string]string{"Retry-After": "soon"}, "", PushError{Reason: ReasonRateLimit, Retryable: true}},
		{"429 vendor header", 429, map[string]string{"X-Interval-Ms": "2500"}, "", PushError{Reason: ReasonRateLimit, Retryable: true, RetryAfter: 2500 * time.Millisecond}},
		{"500", 500, nil, "{not json", PushError{Reason: ReasonServer, Retryable: true, Message: "{not json"}},
		{"502", 502, nil, "", PushError{Reason: ReasonServer, Retryable: true}},
		{"503 seconds", 503, map[string]string{"Retry-After": "30"}, "", PushError{Reason: ReasonServer, Retryable: true, RetryAfter: 30 * time.Second}},
		{"504", 504, nil, "", PushError{Reason: ReasonServer, Retryable: true}},
		{"599", 599, nil, "", PushError{Reason: ReasonServer, Retryable: true}},
	}
	c := openClient(ClientOptions{Now: func() time.Time { return clock }})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			a, err := c.Do(t.Context(), Call{Act: "test: call", URL: url, Pause: func(a *Answer) time.Duration {
				ms, _ := time.ParseDuration(a.Header.Get("X-Interval-Ms") + "ms")
				return ms
			}})
			tt.want.Act, tt.want.Status = "test: call", tt.status
			if diff := cmp.Diff(tt.want, *pushError(t, err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if a == nil || a.Status != tt.status || string(a.Body) != tt.body {
				t.Errorf("answer = %+v", a)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	errorBody := func(a *Answer) *PushError {
		if strings.Contains(string(a.Body), `"ok":false`) {
			return &PushError{Reason: ReasonInvalid, Message: "refused with key s3cret-key"}
		}
		return nil
	}
	tests := []struct {
		name   string
		status int
		body   string
		judge  func(*Answer) *PushError
		want   *PushError
	}{
		{"200 with error body", 200, `{"ok":false}`, errorBody, &PushError{Reason: ReasonInvalid, Status: 200, Message: "refused with key [redacted]"}},
		{"200 without", 200, `{"ok":true}`, errorBody, nil},
		{"207 is the caller's to read", 207, `{"errors":[]}`, nil, nil},
		{"207 judged", 207, `{"ok":false}`, errorBody, &PushError{Reason: ReasonInvalid, Status: 207, Message: "refused with key [redacted]"}},
		{"204", 204, ``, errorBody, nil},
		{"silent judge leaves the table", 401, `{}`, errorBody, &PushError{Reason: ReasonAuth, Status: 401, Message: "{}"}},
		{"judge overrides the table", 403, ``, func(*Answer) *PushError { return &PushError{Reason: ReasonRateLimit, Retryable: true} },
			&PushError{Reason: ReasonRateLimit, Status: 403, Retryable: true, RetryAfter: 5 * time.Second}},
	}
	c := openClient(ClientOptions{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.status == 403 {
					w.Header().Set("Retry-After", "5")
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			a, err := c.Do(t.Context(), Call{Act: "test: call", URL: url, Judge: tt.judge, Secrets: []secret.Text{secret.New("s3cret-key")}})
			if a == nil {
				t.Fatal("no answer")
			}
			if tt.want == nil {
				if err != nil {
					t.Fatalf("error = %v", err)
				}
				return
			}
			tt.want.Act = "test: call"
			if diff := cmp.Diff(tt.want, pushError(t, err), cmpopts.IgnoreFields(PushError{}, "Err")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// hijack ends the connection after an optional piece of an answer.
func hijack(t *testing.T, piece string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, piece)
		conn.(*net.TCPConn).SetLinger(0) // a reset instead of an orderly end
		conn.Close()
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	refused := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "http://" + l.Addr().String()
	}()
	tests := []struct {
		name   string
		url    string
		reason Reason
	}{
		{"reset", serve(t, hijack(t, "")), ReasonConnection},
		{"reset within the body", serve(t, hijack(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")), ReasonConnection},
		{"not HTTP", serve(t, hijack(t, "SSH-2.0-OpenSSH\r\n")), ReasonConnection},
		{"refused", refused, ReasonConnection},
		{"unknown host", "http://nobody.invalid", ReasonConnection},
		{"silence", serve(t, func(http.ResponseWriter, *http.Request) { <-silent }), ReasonTimeout},
		{"silence within the body", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			<-silent
		}), ReasonTimeout},
	}
	t.Cleanup(func() { close(silent) }) // before the servers close, which wait for their handlers
	c := openClient(ClientOptions{Timeout: 300 * time.Millisecond})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := c.Do(t.Context(), Call{Act: "test: call", URL: tt.url, Body: []byte("{}")})
			e := pushError(t, err)
			if e.Reason != tt.reason || !e.Retryable || e.Status != 0 || e.Message == "" || e.Err == nil {
				t.Errorf("error = %+v, want reason %q, retryable, with words and cause", e, tt.reason)
			}
			if a != nil {
				t.Errorf("answer = %+v, want none", a)
			}
			if r := e.Result(); r.Outcome != Retry || r.Reason != tt.reason {
				t.Errorf("result = %+v", r)
			}
		})
	}
}

func TestBrokenOffByTheCaller(t *testing.T) {
	t.Parallel()
	started, silent := make(chan struct{}), make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) { close(started); <-silent })
	t.Cleanup(func() { close(silent) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	_, err := openClient(ClientOptions{}).Do(ctx, Call{Act: "test: call", URL: url})
	if e := pushError(t, err); e.Reason != ReasonTimeout || !e.Retryable || !errors.Is(err, context.Canceled) {
		t.Errorf("error = %+v", e)
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty": "", "truncated": `{"a":`, "html": "<html>", "two values": `{} {}`, "wrong type": `{"a":"x"}`,
		"deep": strings.Repeat("[", 20000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var v struct{ A int }
			err := (&Answer{Status: 200, Body: []byte(body)}).JSON("test: read", &v)
			if e := pushError(t, err); e.Reason != ReasonBadAnswer || !e.Retryable || e.Act != "test: read" {
				t.Errorf("error = %+v", e)
			}
		})
	}
	t.Run("longer than the limit", func(t *testing.T) {
		t.Parallel()
		for _, known := range []bool{true, false} {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if known {
					w.Header().Set("Content-Length", "5000")
				}
				io.WriteString(w, strings.Repeat("x", 5000))
			})
			a, err := openClient(ClientOptions{MaxAnswer: 1000}).Do(t.Context(), Call{Act: "test: call", URL: url})
			if e := pushError(t, err); e.Reason != ReasonBadAnswer || !e.Retryable || len(a.Body) != 1000 {
				t.Errorf("error = %+v, %d bytes", e, len(a.Body))
			}
		}
	})
}

func TestRedirectToPrivateAddressIsNotFollowed(t *testing.T) {
	t.Parallel()
	inner := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	outer := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner, http.StatusFound) })
	_, err := openClient(ClientOptions{}).Do(t.Context(), Call{Act: "test: call", URL: outer, Body: []byte("{}")})
	if e := pushError(t, err); e.Reason != ReasonRedirect || e.Retryable {
		t.Errorf("error = %+v", e)
	}
}

func TestUnusableCalls(t *testing.T) {
	t.Parallel()
	c := openClient(ClientOptions{})
	closed := NewClient(ClientOptions{})
	tests := []struct {
		name   string
		client *Client
		call   Call
		reason Reason
	}{
		{"no host", c, Call{URL: "/path"}, ReasonSettings},
		{"not an address", c, Call{URL: "http://[::1?key=s3cret"}, ReasonSettings},
		{"other scheme", c, Call{URL: "file:///etc/passwd"}, ReasonSettings},
		{"bad method", c, Call{URL: "https://example.com", Method: "A B"}, ReasonSettings},
		{"no JSON", c, Call{URL: "https://example.com", JSON: func() {}}, ReasonInvalid},
		{"plain http", closed, Call{URL: "http://example.com"}, ReasonBlocked},
		{"loopback", closed, Call{URL: "https://127.0.0.1:9"}, ReasonBlocked},
		{"loopback by name", closed, Call{URL: "https://localhost:9"}, ReasonBlocked},
		{"metadata", closed, Call{URL: "https://169.254.169.254/latest"}, ReasonBlocked},
		{"mapped", closed, Call{URL: "https://[::ffff:10.0.0.1]"}, ReasonBlocked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.call.Act = "test: call"
			_, err := tt.client.Do(t.Context(), tt.call)
			e := pushError(t, err)
			if e.Reason != tt.reason || e.Retryable || strings.Contains(e.Error(), "s3cret") {
				t.Errorf("error = %+v, want %q", e, tt.reason)
			}
		})
	}
}

func TestProxyFromEnvironmentIsNotUsed(t *testing.T) {
	t.Parallel()
	if c := NewClient(ClientOptions{}); c.transport.Proxy != nil {
		t.Error("a proxy function is set")
	}
}

func TestUserinfoBecomesBasicAuth(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.WriteHeader(400)
		fmt.Fprintf(w, "got %s with %s and header %s", user, password, r.Header.Get("Authorization"))
	})
	url = strings.Replace(url, "http://", "http://ann:pass-word-1@", 1)
	_, err := openClient(ClientOptions{}).Do(t.Context(), Call{Act: "test: call", URL: url})
	if e := pushError(t, err); strings.Contains(e.Message, "pass-word-1") || !strings.HasPrefix(e.Message, "got ann with [redacted]") {
		t.Errorf("message = %q", e.Message)
	}
}
