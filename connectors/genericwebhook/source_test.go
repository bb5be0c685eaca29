package genericwebhook

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Keys of the tests; the first is the specification's own.
const (
	specKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherKey = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// connect opens a connection with settings and live values of source_secret.
func connect(t testing.TB, settings map[string]string, now time.Time, keys ...string) *Connector {
	t.Helper()
	conn, err := Vendor().Open(config(settings, now, keys...))
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*Connector)
}

func config(settings map[string]string, now time.Time, keys ...string) connectors.Config {
	c := connectors.Config{
		ID: "test", Instance: "inst1", PublicURL: "https://bridge.example.com/hooks/test",
		Settings: map[string]string{"type": "path:type", "time": "path:timestamp", "tolerance": "300"},
		Secrets:  map[string][]secret.Text{}, Now: func() time.Time { return now },
	}
	for name, value := range settings {
		c.Settings[name] = value
	}
	for _, k := range keys {
		c.Secrets["source_secret"] = append(c.Secrets["source_secret"], secret.New(k))
	}
	return c
}

// deliver makes a request out of pairs of header name and value.
func deliver(body string, header ...string) *connectors.Request {
	r := &connectors.Request{Method: http.MethodPost, URL: "https://bridge.example.com/hooks/test", Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// verdict gives the sentinel of a refusal, or nil.
func verdict(err error) error {
	for _, sentinel := range []error{connectors.ErrSignature, connectors.ErrUnsigned, connectors.ErrStale, connectors.ErrMalformed, connectors.ErrUnsupported, connectors.ErrUnconfigured} {
		if errors.Is(err, sentinel) {
			return sentinel
		}
	}
	return err
}

func TestProbesAndChallenges(t *testing.T) {
	t.Parallel()
	silent := connect(t, map[string]string{"profile": "token"}, time.Now(), "topsecret")
	echo := connect(t, map[string]string{"profile": "token", "challenge": "echo"}, time.Now(), "topsecret")
	challenge := `{"type":"url_verification","challenge":"<b>x</b>"}`
	tests := []struct {
		name   string
		c      *Connector
		method string
		query  string
		body   string
		want   string
		events int
	}{
		{"GET", silent, "GET", "challenge=abc", "", "", 0},
		{"HEAD", silent, "HEAD", "", "", "", 0},
		{"GET, echo", echo, "GET", "challenge=abc", "", "abc", 0},
		{"GET, echo, nothing to send", echo, "GET", "x=%zz", "", "", 0},
		{"GET, echo, too long", echo, "GET", "challenge=" + strings.Repeat("x", 2000), "", "", 0},
		{"POST", silent, "POST", "", challenge, "", 1},
		{"POST, echo", echo, "POST", "", challenge, "<b>x</b>", 0},
		{"POST, echo, an event that mentions one", echo, "POST", "", `{"type":"a","data":{"challenge":"x"}}`, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := deliver(tt.body)
			r.Method, r.Query = tt.method, tt.query
			if tt.method == "POST" {
				r.Header.Set("Authorization", "Bearer topsecret")
			}
			rc, err := tt.c.Receive(r)
			if err != nil {
				t.Fatal(err)
			}
			if string(rc.Reply.Body) != tt.want || len(rc.Events) != tt.events {
				t.Errorf("reply %q and %d events, want %q and %d", rc.Reply.Body, len(rc.Events), tt.want, tt.events)
			}
			if tt.want != "" && rc.Reply.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("the reply is %q", rc.Reply.Header.Get("Content-Type"))
			}
		})
	}
	if _, err := echo.Receive(deliver(challenge)); !errors.Is(verdict(err), connectors.ErrUnsigned) {
		t.Errorf("an unsigned challenge by POST: %v", err)
	}
	r := deliver("{}", "Authorization", "Bearer topsecret")
	r.Method = "DELETE"
	if _, err := silent.Receive(r); !errors.Is(verdict(err), connectors.ErrUnsupported) {
		t.Errorf("DELETE: %v", err)
	}
}

// event is what one raw event is compared by.
type event struct{ Type, At, Format, Body, Echo, Broken string }

func received(t *testing.T, settings map[string]string, body string, header ...string) ([]event, []connectors.RawEvent) {
	t.Helper()
	all := map[string]string{"profile": "token"}
	for name, value := range settings {
		all[name] = value
	}
	c := connect(t, all, time.Now(), "topsecret")
	rc, err := c.Receive(deliver(body, append(header, "Authorization", "Bearer topsecret")...))
	if err != nil {
		t.Fatal(err)
	}
	var got []event
	for _, e := range rc.Events {
		at := ""
		if e.At != 0 {
			at = e.At.Time().Format(time.RFC3339Nano)
		}
		got = append(got, event{e.Type, at, e.Format, string(e.Body), e.Echo, e.Broken})
	}
	return got, rc.Events
}

func TestEventsOfABody(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	tests := []struct {
		name     string
		settings map[string]string
		body     string
		header   []string
		want     []event
	}{
		{"type and time first", nil, `{"type":"a.b","timestamp":"2026-01-10T09:15:00.5Z","data":{`, nil,
			[]event{{Type: "a.b", At: "2026-01-10T09:15:00.5Z", Format: "json", Body: `{"type":"a.b","timestamp":"2026-01-10T09:15:00.5Z","data":{`}}},
		{"type last", nil, `{"data":{"type":"no"},"timestamp":1767225600,"type":"a.b"}`, nil,
			[]event{{Type: "a.b", At: "2026-01-01T00:00:00Z", Format: "json", Body: `{"data":{"type":"no"},"timestamp":1767225600,"type":"a.b"}`}}},
		{"escaped name and value", nil, `{"t\u0079pe":"a\u002eb"}`, nil, []event{{Type: "a.b", Format: "json", Body: `{"t\u0079pe":"a\u002eb"}`}}},
		{"no type", nil, `{"a":1}`, nil, []event{{Type: "untyped", Format: "json", Body: `{"a":1}`}}},
		{"type is an object", nil, `{"type":{"a":1}}`, nil, []event{{Type: "untyped", Format: "json", Body: `{"type":{"a":1}}`}}},
		{"type is a number", nil, `{"type":7}`, nil, []event{{Type: "7", Format: "json", Body: `{"type":7}`}}},
		{"nested paths", map[string]string{"type": "path:meta.kind", "time": "path:meta.at"}, `{"kind":"no","meta":{"x":{"kind":"no"},"kind":"yes","at":1767225600123},"z":1}`, nil,
			[]event{{Type: "yes", At: "2026-01-01T00:00:00.123Z", Format: "json", Body: `{"kind":"no","meta":{"x":{"kind":"no"},"kind":"yes","at":1767225600123},"z":1}`}}},
		{"paths side by side", map[string]string{"type": "path:a.k", "time": "path:b.t"}, `{"a":{"k":"x","z":[1]},"b":{"y":1,"t":"2026-01-01T00:00:00Z"}}`, nil,
			[]event{{Type: "x", At: "2026-01-01T00:00:00Z", Format: "json", Body: `{"a":{"k":"x","z":[1]},"b":{"y":1,"t":"2026-01-01T00:00:00Z"}}`}}},
		{"type in a header", map[string]string{"type": "header:x-event", "time": "header:x-at"}, `{`, []string{"X-Event", "push", "X-At", "2026-01-01"},
			[]event{{Type: "push", At: "2026-01-01T00:00:00Z", Format: "json", Body: `{`}}},
		{"byte order mark", nil, "\xef\xbb\xbf{\"type\":\"a\"}", nil, []event{{Type: "a", Format: "json", Body: `{"type":"a"}`}}},
		{"form", nil, "timestamp=2026-01-10+09%3A15%3A00&type=sub%2Escribe&data%5Bemail%5D=ann%40example.com", []string{"Content-Type", form},
			[]event{{Type: "sub.scribe", At: "2026-01-10T09:15:00Z", Format: "form", Body: "timestamp=2026-01-10+09%3A15%3A00&type=sub%2Escribe&data%5Bemail%5D=ann%40example.com"}}},
		{"form with brackets", map[string]string{"type": "path:data.kind"}, "a=1&data[kind]=x", []string{"Content-Type", form}, []event{{Type: "x", Format: "form", Body: "a=1&data[kind]=x"}}},
		{"form labelled JSON inside", nil, `{"type":"a"}`, []string{"Content-Type", form}, []event{{Type: "a", Format: "json", Body: `{"type":"a"}`}}},
		{"broken form", nil, "a=1&%zz=2", []string{"Content-Type", form}, []event{{Type: "untyped", Format: "form", Body: "a=1&%zz=2", Broken: "not a form: it holds a wrong escape"}}},
		{"empty", nil, " \n", nil, []event{{Type: "untyped", Body: " \n", Broken: "the body is empty"}}},
		{"list unsplit", nil, `[{"type":"a"}]`, nil, []event{{Type: "untyped", Format: "json", Body: `[{"type":"a"}]`}}},
		{"list split", map[string]string{"split": "."}, ` [{"type":"a"}, {"type":"b"}, 7]`, nil,
			[]event{{Type: "a", Format: "json", Body: `{"type":"a"}`}, {Type: "b", Format: "json", Body: `{"type":"b"}`}, {Type: "untyped", Format: "json", Body: "7"}}},
		{"inner list split", map[string]string{"split": "data.items"}, `{"data":{"n":1,"items":[{"type":"a"}],"m":2}}`, nil, []event{{Type: "a", Format: "json", Body: `{"type":"a"}`}}},
		{"nothing to split", map[string]string{"split": "data.items"}, `{"type":"a","data":{}}`, nil, []event{{Type: "a", Format: "json", Body: `{"type":"a","data":{}}`}}},
		{"empty list", map[string]string{"split": "."}, `[]`, nil, nil},
		{"our own", nil, `{"type":"a","data":{"source":"stagebridge","source_instance":"inst1"}}`, nil,
			[]event{{Type: "a", Format: "json", Echo: "data.source_instance", Body: `{"type":"a","data":{"source":"stagebridge","source_instance":"inst1"}}`}}},
		{"another instance's", nil, `{"type":"a","data":{"source":"stagebridge","source_instance":"inst2","note":"inst1"}}`, nil,
			[]event{{Type: "a", Format: "json", Body: `{"type":"a","data":{"source":"stagebridge","source_instance":"inst2","note":"inst1"}}`}}},
		{"another source's", nil, `{"type":"a","data":{"source":"shop","source_instance":"inst1"}}`, nil,
			[]event{{Type: "a", Format: "json", Body: `{"type":"a","data":{"source":"shop","source_instance":"inst1"}}`}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, _ := received(t, tt.settings, tt.body, tt.header...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"truncated": `{"type":"a","data":`, "no JSON": "hello", "xml": "<a/>", "not UTF-8": "{\"type\":\"\xff\"}",
		"two values": `{"type":"a"} {}`, "deep": strings.Repeat("[", 20000), "truncated in the list": `[{"type":"a"},{"ty`, "cut off behind the list": `{"items":[{"type":"a"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			split := map[string]string{"truncated in the list": ".", "cut off behind the list": "items"}[name]
			got, _ := received(t, map[string]string{"split": split}, body)
			if len(got) != 1 || got[0].Broken == "" || got[0].Body != body {
				t.Errorf("events = %+v, want the bytes in one that is broken", got)
			}
		})
	}
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	keyOf := func(settings map[string]string, body string, header ...string) [32]byte {
		_, events := received(t, settings, body, header...)
		return events[0].Dedupe
	}
	byHeader := map[string]string{"dedupe": "header:X-Id"}
	byPath := map[string]string{"dedupe": "path:id"}
	same := []struct{ a, b [32]byte }{
		{keyOf(byHeader, `{"n":1}`, "X-Id", "1"), keyOf(byHeader, `{"n":2}`, "X-Id", "1")},
		{keyOf(byPath, `{"id":"1","n":1}`), keyOf(byPath, `{"id":"1","n":2}`)},
		{keyOf(nil, `{"n":1}`), keyOf(nil, `{"n":1}`)},
	}
	for i, p := range same {
		if p.a != p.b {
			t.Errorf("pair %d of the same event differs", i)
		}
	}
	other := []struct{ a, b [32]byte }{
		{keyOf(byHeader, `{"n":1}`, "X-Id", "1"), keyOf(byHeader, `{"n":1}`, "X-Id", "2")},
		{keyOf(byPath, `{"id":"1"}`), keyOf(byPath, `{"id":"2"}`)},
		{keyOf(nil, `{"n":1}`), keyOf(nil, `{"n":2}`)},
		{keyOf(byHeader, `{"n":1}`), keyOf(byHeader, `{"n":2}`)}, // the header is missing
		{keyOf(byPath, `{"n":1}`), keyOf(byPath, `{"n":2}`)},
		{keyOf(byHeader, `{}`, "X-Id", "1"), keyOf(byPath, `{"id":"1"}`)},
	}
	for i, p := range other {
		if p.a == p.b {
			t.Errorf("pair %d of different events is the same", i)
		}
	}
	_, items := received(t, map[string]string{"split": ".", "dedupe": "header:X-Id"}, `[{"n":1},{"n":1}]`, "X-Id", "1")
	if items[0].Dedupe == items[1].Dedupe {
		t.Error("two items of one delivery are the same")
	}
}

func TestKeptHeaders(t *testing.T) {
	t.Parallel()
	_, events := received(t, map[string]string{"keep_headers": "x-topic X-None"}, `{}`, "X-Topic", "a", "X-Other", "b")
	if diff := cmp.Diff(map[string]string{"x-topic": "a"}, events[0].Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestEchoByID: a receiver that sends our message back under its own id is
// told by the id, whatever became of the body.
func TestEchoByID(t *testing.T) {
	t.Parallel()
	now := time.Unix(1767225600, 0)
	c := connect(t, nil, now, specKey)
	send := func(id string) string {
		r := deliver(`{"type":"a"}`, "webhook-id", id, "webhook-timestamp", "1767225600")
		r.Header.Set("webhook-signature", c.source.keys[0].sign(id, "1767225600", r.Body))
		rc, err := c.Receive(r)
		if err != nil {
			t.Fatal(err)
		}
		return rc.Events[0].Echo
	}
	for id, want := range map[string]string{"msg_sb_inst1_m1": "webhook-id", "msg_sb_inst2_m1": "", "msg_sb_inst11_m1": "", "msg_1": ""} {
		if got := send(id); got != want {
			t.Errorf("%s: echo %q, want %q", id, got, want)
		}
	}
	if echoID("a_b") == echoID("a")+"b_" || strings.HasPrefix(echoID("a_b"), echoID("a")) {
		t.Error("one instance's mark begins another's")
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"type":"a","timestamp":"2026-01-01T00:00:00Z","data":{"source":"stagebridge","source_instance":"inst1"}}`), "application/json")
	f.Add([]byte("type=a&data[x]=1"), "application/x-www-form-urlencoded")
	f.Add([]byte(`[{"type":"a"},{"type":`), "")
	now := time.Unix(1767225600, 0)
	whole := connect(f, map[string]string{"profile": "token"}, now, "topsecret")
	split := connect(f, map[string]string{"profile": "token", "split": "data.items", "type": "path:a.b", "dedupe": "path:a.c"}, now, "topsecret")
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		for _, c := range []*Connector{whole, split} {
			before := string(body)
			rc, err := c.Receive(&connectors.Request{Method: "POST", Header: http.Header{"Authorization": {"Bearer topsecret"}, "Content-Type": {kind}}, Body: body})
			if err != nil {
				t.Fatal(err)
			}
			if string(body) != before {
				t.Fatal("the body was changed")
			}
			for _, e := range rc.Events {
				if e.Type == "" || e.Dedupe == [32]byte{} {
					t.Fatalf("event %+v", e)
				}
			}
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	now := time.Unix(1767225600, 0)
	c := connect(b, nil, now, specKey)
	body := `{"type":"subscription.started","timestamp":"2026-01-10T09:15:00.000Z","data":{"user_id":"u-1001","email":"ada@example.com","plan":"team","amount":49.0,"currency":"EUR"}}`
	r := deliver(body, "webhook-id", "msg_1", "webhook-timestamp", "1767225600")
	r.Received = now
	r.Header.Set("webhook-signature", c.source.keys[0].sign("msg_1", "1767225600", r.Body))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Receive(r); err != nil {
			b.Fatal(err)
		}
	}
}
