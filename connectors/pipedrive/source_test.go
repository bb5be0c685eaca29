package pipedrive_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/pipedrive"
	"github.com/stagebridge/stagebridge/secret"
)

// delivery is an authentic request.
func delivery(body string) *connectors.Request {
	return &connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"Authorization": {basic("stagebridge", "webhook-password-now")}}}
}

func received(t *testing.T, body string, change ...func(*connectors.Config)) connectors.RawEvent {
	t.Helper()
	receipt, err := connect(t, &vendor{url: "https://acme.pipedrive.com"}, change...).Receive(delivery(body))
	if err != nil || len(receipt.Events) != 1 {
		t.Fatalf("receive: %v", err)
	}
	return receipt.Events[0]
}

func TestVerify(t *testing.T) {
	t.Parallel()
	c := connect(t, &vendor{url: "https://acme.pipedrive.com"})
	for name, v := range map[string]struct {
		header string
		want   error
	}{
		"good":              {basic("stagebridge", "webhook-password-now"), nil},
		"scheme in capital": {"BASIC " + strings.TrimPrefix(basic("stagebridge", "webhook-password-now"), "Basic "), nil},
		"another user":      {basic("somebody", "webhook-password-now"), connectors.ErrSignature},
		"one letter off":    {basic("stagebridge", "webhook-password-noW"), connectors.ErrSignature},
		"a longer password": {basic("stagebridge", "webhook-password-now2"), connectors.ErrSignature},
		"no password":       {basic("stagebridge", ""), connectors.ErrSignature},
		"a token":           {"Bearer webhook-password-now", connectors.ErrSignature},
		"not base64":        {"Basic %%%", connectors.ErrSignature},
		"no colon":          {"Basic c3RhZ2VicmlkZ2U=", connectors.ErrSignature},
		"nothing":           {"", connectors.ErrUnsigned},
	} {
		r := delivery(goodBody)
		r.Header.Set("Authorization", v.header)
		if _, err := c.Receive(r); !errors.Is(err, v.want) {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
	}
	for name, change := range map[string]func(*connectors.Request){
		"a path": func(r *connectors.Request) { r.Path = "/other" },
		"a GET":  func(r *connectors.Request) { r.Method = http.MethodGet },
	} {
		r := delivery(goodBody)
		change(r)
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDedupe: attempts of one change share a key, whatever else differs does not.
func TestDedupe(t *testing.T) {
	t.Parallel()
	first := received(t, goodBody).Dedupe
	if again := received(t, strings.Replace(goodBody, `"attempt":1`, `"attempt":4`, 1)).Dedupe; again != first {
		t.Error("another attempt has another key")
	}
	for _, change := range [][2]string{
		{"-000000000001", "-000000000002"}, {"15:00.321", "15:00.322"}, {`"change"`, `"delete"`}, {`"8801","company`, `"8802","company`},
	} {
		if other := received(t, strings.Replace(goodBody, change[0], change[1], 1)).Dedupe; other == first {
			t.Errorf("%s for %s has the same key", change[1], change[0])
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`"2026-01-10T09:15:00.321Z"`:  "2026-01-10T09:15:00.321Z",
		`"2026-01-10T10:15:00+01:00"`: "2026-01-10T09:15:00Z",
		`1768037400`:                  "2026-01-10T09:30:00Z",
		`"1768037400"`:                "2026-01-10T09:30:00Z",
		`1768037400123`:               "2026-01-10T09:30:00.123Z",
		`"yesterday"`:                 "",
		`-5`:                          "",
		`99999999999999999`:           "",
		`{"a":1}`:                     "",
	} {
		e := received(t, strings.Replace(goodBody, `"2026-01-10T09:15:00.321Z"`, given, 1))
		got := ""
		if e.At != 0 {
			got = e.At.Time().Format("2006-01-02T15:04:05.999Z07:00")
		}
		if got != want || e.Broken != "" {
			t.Errorf("%s is read as %q (broken %q), want %q", given, got, e.Broken, want)
		}
	}
}

// TestEcho: only our own user's changes by API are dropped, and only fields
// that changed alone are told to the ledger.
func TestEcho(t *testing.T) {
	t.Parallel()
	ours := strings.Replace(goodBody, `"change_source":"app"`, `"change_source":"api"`, 1)
	if e := received(t, ours); e.Echo == "" {
		t.Error("our own change is not recognised")
	}
	for name, body := range map[string]string{
		"by hand":      goodBody,
		"another user": strings.Replace(ours, `"user_id":"331"`, `"user_id":"332"`, 1),
		"a deletion":   strings.Replace(ours, `"action":"change"`, `"action":"delete"`, 1),
		"a deal":       strings.Replace(ours, `"entity":"person"`, `"entity":"deal"`, 1),
	} {
		if e := received(t, body); e.Echo != "" {
			t.Errorf("%s: echo %q", name, e.Echo)
		}
	}
	if e := received(t, ours, setting("user_id", "")); e.Echo != "" || e.Written != nil {
		t.Errorf("without a user: %+v", e)
	}
}

func TestNeedsRecord(t *testing.T) {
	t.Parallel()
	deal := `{"data":{"id":1,"person_id":5},"meta":{"action":"change","entity":"deal","entity_id":"1","id":"x","timestamp":"2026-01-10T09:15:00Z","version":"2.0"}}`
	if !received(t, deal).NeedsRecord {
		t.Error("a deal with a person wants it")
	}
	without := func(cfg *connectors.Config) { cfg.Push.Enabled, cfg.Secrets["api_token"] = false, nil }
	for name, e := range map[string]connectors.RawEvent{
		"no token":      received(t, deal, without),
		"no person":     received(t, strings.Replace(deal, `"person_id":5`, `"person_id":null`, 1)),
		"an odd person": received(t, strings.Replace(deal, `"person_id":5`, `"person_id":"../x"`, 1)),
		"a person":      received(t, goodBody),
	} {
		if e.NeedsRecord {
			t.Errorf("%s: a record is asked for", name)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"base_url":       setting("base_url", "acme.pipedrive.com"),
		"company_id":     setting("company_id", "acme"),
		"user_id":        setting("user_id", "ines"),
		"segments_field": setting("segments_field", "SB_STAGE"),
		"webhook_user":   setting("webhook_user", "a:b"),
		"stage_field":    setting("stage_field", strings.Repeat("x", 256)),
		"push.traits":    trait("marketing_status", "consent"),
		"create_fields":  setting("create_fields", "maybe"),
	} {
		cfg := conforming()
		change(&cfg)
		_, err := pipedrive.Vendor().Open(cfg)
		if err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	cfg := conforming()
	trait("E-mail opt-in", "consent")(&cfg)
	if _, err := pipedrive.Vendor().Open(cfg); err == nil {
		t.Error("a field of consent is written to")
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(goodBody))
	f.Add([]byte(`{"event":"updated.deal","meta":{"v":1,"id":501,"timestamp":1768037400}}`))
	f.Add([]byte(`{"meta":{"entity":"deal","action":"x","version":"2.0"},"data":{"person_id":{}},"previous":[]}`))
	f.Add([]byte(`{"meta":{"entity":"person","action":"change","version":2},"data":{"custom_fields":{"a":{"values":[{"id":[]}]}}},"previous":{"custom_fields":{"a":1}}}`))
	cfg := conforming()
	cfg.Secrets["webhook_password"] = []secret.Text{secret.New("webhook-password-now")}
	opened, err := pipedrive.Vendor().Open(cfg)
	if err != nil {
		f.Fatal(err)
	}
	c := opened.(*pipedrive.Connector)
	f.Fuzz(func(t *testing.T, body []byte) {
		receipt, err := c.Receive(delivery(string(body)))
		if err != nil || len(receipt.Events) != 1 {
			t.Fatalf("an authentic request gave %v, %v", receipt, err)
		}
		e := receipt.Events[0]
		if e.Type == "" || len(e.Type) > 100 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || string(e.Body) != string(body) || e.At < 0 {
			t.Errorf("raw event %+v", e)
		}
	})
}
