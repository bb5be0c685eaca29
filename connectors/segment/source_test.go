package segment_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/segment"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

func open(t testing.TB, cfg connectors.Config) *segment.Connector {
	t.Helper()
	if cfg.Instance == "" {
		cfg.Instance = "instance-1"
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return connectortest.Now }
	}
	c, err := segment.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*segment.Connector)
}

func basic(user string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(user)) }

// TestSignatureVectors: the first is of a delivery as Segment documents it, the
// second was computed with openssl dgst -sha1 -hmac.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	cfg.Secrets["shared_secret"] = []secret.Text{secret.New("seg-shared-secret")}
	c := open(t, cfg)
	for body, signature := range map[string]string{
		`{"type":"track","event":"Trial Started","userId":"u-1001","messageId":"m-1"}`: "a981f9c576a68b817e20e3f7f556ae4846bf0f24",
		`{"type":"track","event":"Ärger: 100 %","userId":"u-1001","messageId":"m-9"}`:  "ce57df9ef72c86e500d4528c2469bb7c837d5eb2",
	} {
		deliver := func(body string, method string) (*connectors.Receipt, error) {
			return c.Receive(&connectors.Request{Method: method, Body: []byte(body), Header: http.Header{"X-Signature": {signature}}})
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch} {
			if rc, err := deliver(body, method); err != nil || len(rc.Events) != 1 || rc.Events[0].Public {
				t.Errorf("%s %s: %+v, %v", method, body, rc, err)
			}
		}
		if _, err := deliver(strings.Replace(body, "u-1001", "u-1002", 1), http.MethodPost); !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("one byte changed: %v", err)
		}
		if rc, err := deliver("["+body+`,{"type":"identify","userId":"u-2"}]`, http.MethodPost); err != nil || rc.Events[0].Public || !rc.Events[1].Public {
			t.Errorf("in a batch: %+v, %v", rc, err)
		}
		if _, err := deliver(body, http.MethodGet); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("GET: %v", err)
		}
	}
}

// TestBothProofs: with both secrets both must be right, and then a batch is
// proven to its end.
func TestBothProofs(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	cfg.Secrets["header_secret"] = []secret.Text{secret.New("header-secret-now")}
	c := open(t, cfg)
	body := []byte(`[{"type":"identify","userId":"u-1"},{"type":"delete","userId":"u-2"}]`)
	for _, tt := range []struct {
		name, signature, header string
		want                    error
	}{
		{"both", sign("shared-secret-now", body), "header-secret-now", nil},
		{"wrong header", sign("shared-secret-now", body), "header-secret-bad", connectors.ErrSignature},
		{"no header", sign("shared-secret-now", body), "", connectors.ErrUnsigned},
		{"wrong signature", sign("shared-secret-bad", body), "header-secret-now", connectors.ErrSignature},
		{"no signature", "", "header-secret-now", connectors.ErrUnsigned},
	} {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Signature": {tt.signature}, "X-Stagebridge-Secret": {tt.header}}})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err == nil {
			for _, e := range rc.Events {
				if e.Public || e.Broken != "" {
					t.Errorf("%s: %+v", tt.name, e)
				}
			}
		}
	}
}

// TestWriteKeys: where the key may stand, and what it proves.
func TestWriteKeys(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	const server, browser = "server-write-key-now", "browser-key-now"
	event := func(key string) string { return `{"userId":"u-1","messageId":"m-1","writeKey":"` + key + `"}` }
	for _, tt := range []struct {
		name, path, auth, body string
		public                 bool
		want                   error
	}{
		{"user of basic authentication", "/v1/identify", basic(server + ":"), `{"userId":"u-1"}`, false, nil},
		{"without the colon", "/v1/i", basic(server), `{"userId":"u-1"}`, false, nil},
		{"scheme in lower case", "/v1/i", strings.Replace(basic(server), "Basic", "basic", 1), `{"userId":"u-1"}`, false, nil},
		{"in the body", "/v1/page/", "", event(server), false, nil},
		{"in a batch", "/v1/import", "", `{"batch":[{"type":"page","userId":"u-1"}],"writeKey":"` + server + `"}`, false, nil},
		{"in each event of a batch", "/v1/b", "", `{"batch":[` + strings.Replace(event(browser), "{", `{"type":"screen",`, 1) + `]}`, true, nil},
		{"public", "/v1/g", basic(browser + ":"), `{"userId":"u-1","groupId":"acme"}`, true, nil},
		{"the header counts first", "/v1/i", basic(browser + ":"), event(server), true, nil},
		{"wrong in the header", "/v1/i", basic("other:"), event(server), false, connectors.ErrSignature},
		{"wrong in the body", "/v1/i", "", event("other"), false, connectors.ErrSignature},
		{"none", "/v1/i", "", `{"userId":"u-1"}`, false, connectors.ErrUnsigned},
		{"none that can be read", "/v1/i", "", `{"userId":`, false, connectors.ErrUnsigned},
		{"bearer", "/v1/i", "Bearer " + server, event(server), false, connectors.ErrSignature},
		{"no base64", "/v1/i", "Basic %", event(server), false, connectors.ErrSignature},
		{"another secret of the connection", "/v1/i", basic("shared-secret-now:"), `{}`, false, connectors.ErrSignature},
		{"GET", "/v1/i", basic(server), ``, false, connectors.ErrUnsupported},
		{"outside", "/v2/i", basic(server), `{}`, false, connectors.ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &connectors.Request{Method: http.MethodPost, Path: tt.path, Body: []byte(tt.body), Header: http.Header{}}
			if tt.name == "GET" {
				r.Method = http.MethodGet
			}
			if tt.auth != "" {
				r.Header.Set("Authorization", tt.auth)
			}
			rc, err := c.Receive(r)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error = %v, want %v", err, tt.want)
			}
			if accepts := c.Accepts(r); tt.want == nil && !accepts || accepts && errors.Is(tt.want, connectors.ErrSignature) {
				t.Errorf("accepts = %v", accepts)
			}
			if err != nil {
				return
			}
			e := rc.Events[0]
			if e.Public != tt.public || e.Broken != "" || string(rc.Reply.Body) != `{"success":true}` {
				t.Errorf("event = %+v, reply %s", e, rc.Reply.Body)
			}
			if bytes.Contains(e.Body, []byte(server)) {
				t.Error("the key for servers is kept with the event")
			}
		})
	}
}

func TestPublicEventsCannotTakeThePlaceOfProvenOnes(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	body := `{"userId":"u-1","messageId":"m-1"}`
	of := func(key string) [32]byte {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Path: "/v1/i", Body: []byte(body), Header: http.Header{"Authorization": {basic(key)}}})
		if err != nil {
			t.Fatal(err)
		}
		return rc.Events[0].Dedupe
	}
	if of("server-write-key-now") == of("browser-key-now") {
		t.Error("both have one dedupe key")
	}
	hook, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"X-Signature": {sign("shared-secret-now", []byte(body))}}})
	if err != nil || hook.Events[0].Dedupe != of("server-write-key-now") {
		t.Errorf("the same message by webhook is another event: %v", err)
	}
}

// TestDedupeWithoutMessageID: a call made twice by hand is two events, a
// delivery made twice is one.
func TestDedupeWithoutMessageID(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	of := func(body string, received time.Time) [32]byte {
		rc, err := c.Receive(&connectors.Request{
			Method: http.MethodPost, Path: "/v1/track", Body: []byte(body), Received: received,
			Header: http.Header{"Authorization": {basic("server-write-key-now:")}},
		})
		if err != nil || rc.Events[0].Broken != "" {
			t.Fatalf("%+v, %v", rc, err)
		}
		return rc.Events[0].Dedupe
	}
	now := connectortest.Now
	const bare, timed = `{"userId":"u","event":"Clicked"}`, `{"userId":"u","event":"Clicked","timestamp":"2026-11-20T08:00:00Z"}`
	if of(bare, now) == of(bare, now.Add(time.Second)) {
		t.Error("two calls without id and time are one event")
	}
	if of(timed, now) != of(timed, now.Add(time.Second)) {
		t.Error("one call with a time is two events")
	}
}

// TestTimes: what a client says about its clock corrects its times.
func TestTimes(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	for _, tt := range []struct{ name, fields, want string }{
		{"a clock that is right", `"timestamp":"2026-11-20T08:59:58Z","sentAt":"2026-11-20T09:00:00Z"`, "2026-11-20T08:59:58Z"},
		{"a clock of another year", `"timestamp":"2019-01-01T00:00:00.000Z","sentAt":"2019-01-01T00:00:10.500Z"`, "2026-11-20T08:59:49.5Z"},
		{"a past event of a server", `"timestamp":"2020-05-01T12:00:00+02:00"`, "2020-05-01T10:00:00Z"},
		{"python without a zone", `"timestamp":"2026-11-20T08:59:58.25"`, "2026-11-20T08:59:58.25Z"},
		{"none", `"sentAt":"2026-11-20T09:00:00Z"`, ""},
		{"nonsense", `"timestamp":"yesterday","sentAt":7`, ""},
		{"a number", `"timestamp":1700000000`, ""},
	} {
		rc, err := c.Receive(&connectors.Request{
			Method: http.MethodPost, Path: "/v1/i", Body: []byte(`{"userId":"u",` + tt.fields + `}`), Received: connectortest.Now,
			Header: http.Header{"Authorization": {basic("server-write-key-now:")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var want lifecycle.Instant
		if tt.want != "" {
			at, err := time.Parse(time.RFC3339Nano, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			want = lifecycle.At(at)
		}
		if rc.Events[0].At != want {
			t.Errorf("%s: %v, want %s", tt.name, rc.Events[0].At.Time(), tt.want)
		}
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	for event, want := range map[string]string{
		"Order Completed": "track.order_completed", "order-completed": "track.order_completed", "orderCompleted": "track.order_completed",
		"  ORDER   completed!": "track.order_completed", "Größe geändert": "track.größe_geändert", "!!": "track", "": "track",
		"NPS2 sent": "track.nps2_sent", strings.Repeat("é", 80): "track." + strings.Repeat("é", 50),
	} {
		name, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		rc, err := c.Receive(&connectors.Request{
			Method: http.MethodPost, Path: "/v1/t", Body: []byte(`{"userId":"u","event":` + string(name) + `}`),
			Header: http.Header{"Authorization": {basic("server-write-key-now")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if e := rc.Events[0]; e.Type != want || (e.Broken == "") != (want != "track") {
			t.Errorf("%q gives the type %q, broken %q", event, e.Type, e.Broken)
		}
	}
}

// TestBounds: neither many events nor a large shared context grow in memory.
func TestBounds(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	deliver := func(body string) []connectors.RawEvent {
		rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Path: "/v1/batch", Body: []byte(body), Header: http.Header{"Authorization": {basic("server-write-key-now:")}}})
		if err != nil {
			t.Fatal(err)
		}
		return rc.Events
	}
	if events := deliver(`{"batch":[` + strings.Repeat("{},", 5000) + `{}]}`); len(events) != 1 || !strings.Contains(events[0].Broken, "5000") {
		t.Errorf("%d events", len(events))
	}
	if events := deliver(`{"batch":[` + strings.Repeat("{},", 4999) + `{}]}`); len(events) != 5000 {
		t.Errorf("%d events", len(events))
	}
	const item = `{"type":"page","userId":"u"}`
	if events := deliver(`{"batch":[` + item + `],"context":{"a":"` + strings.Repeat("x", 5000) + `"}}`); string(events[0].Body) != item {
		t.Errorf("a large context was copied: %d bytes", len(events[0].Body))
	}
	want := []string{
		`{"context":{"a":1,"b":2},"type":"page","userId":"u"}`,
		`{"context":{"a":3,"b":2},"userId":"v"}`,
		`{"context":7,"userId":"w"}`,
	}
	var got []string
	for _, e := range deliver(`{"batch":[` + item + `,{"userId":"v","context":{"a":3}},{"context":7,"userId":"w"}],"context":{"a":1,"b":2}}`) {
		got = append(got, string(e.Body))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shared context (-want +got):\n%s", diff)
	}
}

// TestSettings: mistakes that a person makes in the form.
func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"base_url":                   func(c *connectors.Config) { c.Settings["base_url"] = "api.segment.io" },
		"public_api_url":             func(c *connectors.Config) { c.Settings["public_api_url"] = "https://user@x.example.com" },
		"browser_key":                func(c *connectors.Config) { c.Secrets["browser_key"] = c.Secrets["server_key"] },
		"server_key":                 func(c *connectors.Config) { c.Secrets["server_key"] = []secret.Text{secret.New("short")} },
		"group_trait":                func(c *connectors.Config) { c.Settings["group_trait"] = "team" },
		"push.traits: ":              func(c *connectors.Config) { c.Push.Traits["sb_segment_x"] = "x" },
		"push.traits.email_opt_in: ": func(c *connectors.Config) { c.Push.Traits["email_opt_in"] = "x" },
		"segment_prefix":             func(c *connectors.Config) { c.Settings["segment_prefix"] = "sb_" },
	} {
		cfg := conforming()
		change(&cfg)
		_, err := segment.Vendor().Open(cfg)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
