package mparticle_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/connectortest"
	"github.com/stagebridge/stagebridge/connectors/mparticle"
	"github.com/stagebridge/stagebridge/secret"
)

func open(t testing.TB, cfg connectors.Config) *mparticle.Connector {
	t.Helper()
	if cfg.Instance == "" {
		cfg.Instance = "instance-1"
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return connectortest.Now }
	}
	c, err := mparticle.Vendor().Open(cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c.(*mparticle.Connector)
}

func deliver(t testing.TB, c *mparticle.Connector, body string) []connectors.RawEvent {
	t.Helper()
	rc, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"Authorization": {"Bearer webhook-now"}}})
	if err != nil {
		t.Fatal(err)
	}
	return rc.Events
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	for name, tt := range map[string]struct {
		method, path, auth string
		want               error
	}{
		"GET":                 {http.MethodGet, "", "Bearer webhook-now", connectors.ErrUnsupported},
		"path":                {http.MethodPost, "/v2", "Bearer webhook-now", connectors.ErrUnsupported},
		"without the scheme":  {http.MethodPost, "", "webhook-now", connectors.ErrSignature},
		"empty":               {http.MethodPost, "", "", connectors.ErrUnsigned},
		"the key of the feed": {http.MethodPost, "", "simulated-feed-key", connectors.ErrSignature},
	} {
		_, err := c.Receive(&connectors.Request{Method: tt.method, Path: tt.path, Body: []byte("{}"), Header: http.Header{"Authorization": {tt.auth}}})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDedupe: the message id counts wherever it stands, and without one the
// bytes do.
func TestDedupe(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	keysOf := func(body string) (keys [][32]byte) {
		for _, e := range deliver(t, c, body) {
			keys = append(keys, e.Dedupe)
		}
		return keys
	}
	const inData = `{"mpid":1,"environment":"production","message_id":"b-1","events":[{"event_type":"uninstall","data":{"message_id":"m-1"}}]}`
	const beside = `{"mpid":1,"environment":"production","message_id":"b-2","events":[{"event_type":"uninstall","message_id":"m-1"}]}`
	if diff := cmp.Diff(keysOf(inData), keysOf(beside)); diff != "" {
		t.Error("one message id in two places is two events")
	}
	for _, different := range []string{
		`{"mpid":1,"message_id":"b-1","events":[{"event_type":"uninstall"},{"event_type":"uninstall"}]}`,
		`{"mpid":1,"batch_id":-5,"events":[{"event_type":"uninstall"},{"event_type":"uninstall"}]}`,
		`{"mpid":1,"batch_id":-5,"events":[{"event_type":"uninstall","data":{"source_message_id":"s-1"}},{"event_type":"uninstall","source_message_id":"s-2"}]}`,
	} {
		if k := keysOf(different); k[0] == k[1] {
			t.Errorf("%s: two events are one", different)
		}
		if diff := cmp.Diff(keysOf(different), keysOf(different)); diff != "" {
			t.Errorf("%s: the same again is another", different)
		}
	}
	alone := keysOf(`{"mpid":1,"batch_id":-5,"user_attributes":{"a":"b"}}`)
	if again := keysOf(`{"mpid":1,"batch_id":-5,"user_attributes":{"a":"b"},"timestamp_unixtime_ms":1767950101000}`); alone[0] != again[0] {
		t.Error("a batch replayed at another time is another")
	}
}

// TestLongIDs: an mpid beyond 2^53 keeps its digits.
func TestLongIDs(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	for _, mpid := range []string{`9223372036854775807`, `-9223372036854775807`, `"9007199254740993"`} {
		e := deliver(t, c, `{"mpid":`+mpid+`,"environment":"production","events":[{"event_type":"uninstall"}]}`)[0]
		if want := `"mpid":"` + strings.Trim(mpid, `"`) + `"`; !strings.Contains(string(e.Body), want) {
			t.Errorf("%s: %s", mpid, e.Body)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	if events := deliver(t, c, `{"mpid":1,"events":[`+strings.Repeat("{},", 1000)+`{}]}`); len(events) != 1 || !strings.Contains(events[0].Broken, "1000") {
		t.Errorf("%d events", len(events))
	}
	long := strings.Repeat("x", 20000)
	e := deliver(t, c, `{"mpid":1,"user_attributes":{"a":"`+long+`"},"user_identities":[{"identity_type":"other","identity":"`+long+`"}],"events":[{"event_type":"session_start"}]}`)[0]
	if len(e.Body) > 1000 || e.Broken != "" {
		t.Errorf("large attributes were copied: %d bytes, %s", len(e.Body), e.Broken)
	}
	for body, want := range map[string]string{
		`{"mpid":1,"environment":"!!","events":[{"event_type":"uninstall"}]}`:                          "unknown.uninstall",
		`{"mpid":1,"events":[{"event_type":"!!"}]}`:                                                    "unknown",
		`{"mpid":1,"events":[{"event_type":"commerce_event","data":{"product_action":null}}]}`:         "commerce_event",
		`{"mpid":1,"events":[{"event_type":"profile","data":{"profile_event_type":"signup"}}]}`:        "profile.signup",
		`{"mpid":1,"events":[{"event_type":"custom_event","data":{"event_name":"reportExported 2"}}]}`: "custom_event.report_exported_2",
	} {
		if got := deliver(t, c, body)[0].Type; got != want {
			t.Errorf("%s: type %q, want %q", body, got, want)
		}
	}
}

// TestSettings: mistakes that a person makes in the form.
func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"base_url":           func(c *connectors.Config) { c.Settings["base_url"] = "s2s.mparticle.com" },
		"token_url":          func(c *connectors.Config) { c.Settings["token_url"] = "https://x.example.com/?a=b" },
		"environment":        func(c *connectors.Config) { c.Settings["environment"] = "staging" },
		"segments_attribute": func(c *connectors.Config) { c.Settings["segments_attribute"] = "sb_stage" },
		"push.traits":        func(c *connectors.Config) { c.Push.Traits = map[string]string{"sb_stage_since": "x"} },
		"api_secret":         func(c *connectors.Config) { c.Push.Enabled = true; delete(c.Secrets, "api_secret") },
	} {
		cfg := conforming()
		change(&cfg)
		if _, err := mparticle.Vendor().Open(cfg); err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	cfg := conforming()
	delete(cfg.Secrets, "webhook_authorization")
	cfg.Secrets["webhook_authorization"] = []secret.Text{{}}
	if _, err := open(t, cfg).Receive(&connectors.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {""}}}); !errors.Is(err, connectors.ErrUnconfigured) {
		t.Errorf("an empty header: %v", err)
	}
}

// FuzzReceive gives authentic bytes: they are always a receipt, and every raw
// event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"mpid":-7342198765432109876,"environment":"production","events":[{"event_type":"custom_event","data":{"event_name":"Signed Up","message_id":"m-1"}},7,null]}`,
		`{"mpid":"1","user_identities":[{"identity_type":"email","identity":"a@example.com"},7],"user_attributes":[1]}`,
		`{"user_identities":{"email":1,"other":{}},"events":[{"event_type":"user_attribute_change","data":{"user_attribute_name":"x","new":[1,{}]}}]}`,
		`[]`, `null`, `{"events":`, "\xff", `{"environment":7,"events":[{"event_type":1,"data":[]}]}`,
	} {
		f.Add([]byte(seed))
	}
	c := open(f, conforming())
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, e := range deliver(t, c, string(body)) {
			if e.Type == "" || len(e.Type) > 400 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
