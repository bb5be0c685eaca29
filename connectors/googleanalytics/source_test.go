package googleanalytics_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/googleanalytics"
	"github.com/stagebridge/stagebridge/secret"
)

func open(t testing.TB, cfg connectors.Config) *googleanalytics.Connector {
	t.Helper()
	if cfg.Instance == "" {
		cfg.Instance = "instance-1"
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return connectortest.Now }
	}
	c, err := googleanalytics.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*googleanalytics.Connector)
}

// both is a connection that servers and pages send to.
func both() connectors.Config {
	cfg := conforming()
	cfg.Secrets["collect_key"] = []secret.Text{secret.New("collect-key-now")}
	return cfg
}

// TestDoors: who is let in, and as what.
func TestDoors(t *testing.T) {
	t.Parallel()
	c := open(t, both())
	for _, tt := range []struct {
		name, method, path, query, header string
		public                            bool
		want                              error
	}{
		{"a server", "POST", "", "", "collect-secret-now", false, nil},
		{"a server with both", "POST", "/", "key=collect-key-now", "collect-secret-now", false, nil},
		{"a wrong header is not mended by a key", "POST", "", "key=collect-key-now", "wrong", false, connectors.ErrSignature},
		{"the public key is no secret", "POST", "", "", "collect-key-now", false, connectors.ErrSignature},
		{"the secret is no public key", "POST", "", "key=collect-secret-now", "", false, connectors.ErrSignature},
		{"a page", "POST", "/mp/collect", "key=collect-key-now", "", true, nil},
		{"two keys", "POST", "", "key=collect-key-now&key=collect-key-now", "", false, connectors.ErrSignature},
		{"neither", "POST", "", "", "", false, connectors.ErrUnsigned},
		{"a query that is none", "POST", "", "key=%zz", "", false, connectors.ErrSignature},
		{"the tag", "GET", "/g/collect", "tid=G-SIMULATED&cid=1.2&en=page_view", "", true, nil},
		{"a tag without an id", "POST", "/g/collect", "cid=1.2&en=page_view", "", false, connectors.ErrUnsigned},
		{"a tag that cannot be read", "POST", "/g/collect", "tid=%zz", "", false, connectors.ErrMalformed},
		{"a tag without end", "POST", "/g/collect", "tid=G-SIMULATED" + strings.Repeat("&a=b", 600), "", false, connectors.ErrMalformed},
		{"a tag that deletes", "DELETE", "/g/collect", "tid=G-SIMULATED", "", false, connectors.ErrUnsupported},
		{"reading", "GET", "", "", "collect-secret-now", false, connectors.ErrUnsupported},
		{"another path", "POST", "/collect/more", "", "collect-secret-now", false, connectors.ErrUnsupported},
	} {
		r := &connectors.Request{Method: tt.method, Path: tt.path, Query: tt.query, Header: http.Header{}}
		if tt.header != "" {
			r.Header.Set("X-Stagebridge-Secret", tt.header)
		}
		if tt.path != "/g/collect" {
			r.Body = []byte(`{"event_name":"page_view","client_id":"1.2"}`)
		}
		rc, err := c.Receive(r)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			continue
		}
		if err == nil && (len(rc.Events) != 1 || rc.Events[0].Type != "page_view" || rc.Events[0].Public != tt.public || rc.Events[0].Broken != "") {
			t.Errorf("%s: %+v", tt.name, rc.Events)
		}
	}
	bare := both()
	bare.Settings["measurement_id"] = ""
	_, err := open(t, bare).Receive(&connectors.Request{Method: "GET", Path: "/g/collect", Query: "tid=G-SIMULATED", Header: http.Header{}})
	if !errors.Is(err, connectors.ErrUnconfigured) {
		t.Errorf("a tag without a measurement id to compare: %v", err)
	}
}

// TestDedupe: what makes two deliveries one event.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := open(t, both())
	of := func(body, query string, received time.Time) [32]byte {
		h := http.Header{}
		if query == "" {
			h.Set("X-Stagebridge-Secret", "collect-secret-now")
		}
		rc, err := c.Receive(&connectors.Request{Method: "POST", Query: query, Header: h, Body: []byte(body), Received: received})
		if err != nil {
			t.Fatal(err)
		}
		return rc.Events[0].Dedupe
	}
	now, later := connectortest.Now, connectortest.Now.Add(time.Minute)
	const withID = `{"event_id":"e-1","event_name":"login","client_id":"1.2"}`
	const timed = `{"event_name":"login","client_id":"1.2","timestamp_micros":1767950100123456}`
	const bare = `{"event_name":"login","client_id":"1.2"}`
	for body, want := range map[string]bool{withID: true, timed: true, bare: false} {
		if got := of(body, "", now) == of(body, "", later); got != want {
			t.Errorf("%s: the same again is one event: %v", body, got)
		}
	}
	if of(withID, "", now) == of(withID, "key=collect-key-now", now) {
		t.Error("a public event takes the place of a proven one")
	}
	if of(timed, "", now) == of(strings.Replace(timed, "1.2", "1.3", 1), "", now) {
		t.Error("two people's events at one time are one")
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	c := open(t, both())
	deliver := func(path, body string) []connectors.RawEvent {
		rc, err := c.Receive(&connectors.Request{
			Method: "POST", Path: path, Query: "tid=G-SIMULATED&cid=1.2", Body: []byte(body), Header: http.Header{"X-Stagebridge-Secret": {"collect-secret-now"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return rc.Events
	}
	for path, body := range map[string]string{
		"":           "[" + strings.Repeat("{},", 1000) + "{}]",
		"/g/collect": strings.Repeat("en=a\n", 1000) + "en=a",
	} {
		if events := deliver(path, body); len(events) != 1 || !strings.Contains(events[0].Broken, "1000") || len(events[0].Body) != len(body) {
			t.Errorf("%q: %d events", path, len(events))
		}
	}
	if events := deliver("", `{"client_id":"`+strings.Repeat("x", 5000)+`","events":[{"name":"login"}]}`); len(events[0].Body) > 100 {
		t.Errorf("a long id was copied: %d bytes", len(events[0].Body))
	}
	if events := deliver("", `{"event_name":"`+strings.Repeat("é", 200)+` a\u0000b","client_id":"1.2"}`); len(events[0].Type) > 100 || !utf8.ValidString(events[0].Type) {
		t.Errorf("type %q", events[0].Type)
	}
}

// TestSettings: mistakes that a person makes in the form.
func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"measurement_id: is \"UA-1\"":              func(c *connectors.Config) { c.Settings["measurement_id"] = "UA-1" },
		"measurement_id: is required":              func(c *connectors.Config) { c.Settings["measurement_id"], c.Push.Enabled = "", true },
		"firebase_app_id: ":                        func(c *connectors.Config) { c.Settings["firebase_app_id"] = "a b" },
		"stage_property: ":                         func(c *connectors.Config) { c.Settings["stage_property"] = "ga_stage" },
		"segment_prefix: ":                         func(c *connectors.Config) { c.Settings["segment_prefix"] = "a_prefix_that_is_long" },
		"base_url: ":                               func(c *connectors.Config) { c.Settings["base_url"] = "google" },
		"collect_key: ":                            func(c *connectors.Config) { c.Secrets["collect_key"] = c.Secrets["collect_secret"] },
		"push.traits: \"user_id\"":                 func(c *connectors.Config) { c.Push.Traits = map[string]string{"user_id": "plan"} },
		"push.traits: \"allow_personalized_ads\"":  func(c *connectors.Config) { c.Push.Traits = map[string]string{"allow_personalized_ads": "plan"} },
		"push.traits.ad_consent: ":                 func(c *connectors.Config) { c.Push.Traits = map[string]string{"ad_consent": "plan"} },
		"push.traits: the trait email is personal": func(c *connectors.Config) { c.Push.Traits = map[string]string{"mail": "email"} },
	} {
		cfg := conforming()
		change(&cfg)
		if _, err := googleanalytics.Vendor().Open(cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// FuzzReceive gives admitted bytes to both readers: a request that is admitted
// is always a receipt, and every raw event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"event_name":"login","client_id":"1.2","timestamp_micros":1767950100123456,"params":{"a":1}}`,
		`{"client_id":"1.2","events":[{"name":"login"},{"name":1},null],"user_properties":{"a":{"value":1},"b":2}}`,
		`[{},[],1]`, `[[`, `null`, "en=login\r\nen=a&ep.b=c&epn.d=1e9&up.e=f\n%zz", "\xff", `{"events":[`,
	} {
		f.Add([]byte(seed), "cid=1.2&_p=1&_s=2&_ss=1", false)
		f.Add([]byte(seed), "", true)
	}
	c := open(f, both())
	f.Fuzz(func(t *testing.T, body []byte, query string, tag bool) {
		r := &connectors.Request{Method: "POST", Body: body, Header: http.Header{"X-Stagebridge-Secret": {"collect-secret-now"}}}
		if tag {
			r.Path, r.Query = "/g/collect", "tid=G-SIMULATED&"+query
		}
		receipt, err := c.Receive(r)
		if err != nil {
			if !tag {
				t.Fatalf("a proven request was refused: %v", err)
			}
			return
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > 100 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || e.Public != tag {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
