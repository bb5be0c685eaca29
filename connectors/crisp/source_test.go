package crisp_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/crisp"
	"github.com/stagebridge/stagebridge/secret"
)

func received(t *testing.T, body string, change ...func(*connectors.Config)) connectors.RawEvent {
	t.Helper()
	receipt, err := connect(t, "https://api.crisp.chat", change...).Receive(signed("signing-secret-now", "1795166100000", []byte(body)))
	if err != nil || len(receipt.Events) != 1 {
		t.Fatalf("receive: %v", err)
	}
	return receipt.Events[0]
}

// TestSignatureVector was computed outside of this program:
//
//	printf '[%s;%s]' "$stamp" "$body" | openssl dgst -sha256 -hmac lb-test-secret-crisp
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	const (
		body      = `{"website_id":"w-1","event":"session:set_email","data":{"email":"dana@example.com"},"timestamp":1795166100000}`
		stamp     = "1795166100000"
		signature = "715cd15aade2b868a1b46927672d9d2669339e436911f67aa6bd60c19abebf11"
	)
	c := connect(t, "https://api.crisp.chat", setting("website_id", "w-1"), func(cfg *connectors.Config) {
		cfg.Secrets["signing_secret"] = []secret.Text{secret.New("lb-test-secret-crisp")}
	})
	deliver := func(stamp, signature, body string) error {
		_, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{
			"X-Crisp-Signature": {signature}, "X-Crisp-Request-Timestamp": {stamp},
		}})
		return err
	}
	if err := deliver(stamp, signature, body); err != nil {
		t.Errorf("the vector is refused: %v", err)
	}
	if err := deliver(stamp, strings.ToUpper(signature), body); err != nil {
		t.Errorf("in capitals: %v", err)
	}
	for name, err := range map[string]error{
		"a changed body":      deliver(stamp, signature, strings.Replace(body, "dana", "dans", 1)),
		"a changed time":      deliver("1795166100001", signature, body),
		"a changed signature": deliver(stamp, "8"+signature[1:], body),
		"no hex":              deliver(stamp, "signature", body),
	} {
		if !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSignatureTime: the unit of the header is not documented, so both count.
func TestSignatureTime(t *testing.T) {
	t.Parallel()
	c := connect(t, "https://api.crisp.chat", setting("signature_minutes", "5"))
	for stamp, want := range map[string]error{
		"1795166100":    nil,
		"1795166100000": nil,
		"1795165000":    connectors.ErrStale,
		"1795165000000": connectors.ErrStale,
		"yesterday":     connectors.ErrStale,
		"-1":            connectors.ErrStale,
		"":              connectors.ErrUnsigned,
	} {
		if _, err := c.Receive(signed("signing-secret-now", stamp, []byte(goodBody))); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", stamp, err, want)
		}
	}
}

func TestURLSecret(t *testing.T) {
	t.Parallel()
	c := connect(t, "https://api.crisp.chat", func(cfg *connectors.Config) {
		delete(cfg.Secrets, "signing_secret")
		cfg.Secrets["webhook_secret"] = []secret.Text{secret.New("url-secret-now"), {}}
	})
	for query, want := range map[string]error{
		"key=url-secret-now":     nil,
		"key=url-secret-no":      connectors.ErrSignature,
		"key=a&key=b":            connectors.ErrSignature,
		"key=url-secret-now&%zz": connectors.ErrSignature,
		"key=":                   connectors.ErrUnsigned,
		"":                       connectors.ErrUnsigned,
	} {
		if _, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(goodBody), Query: query}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", query, err, want)
		}
	}
	for _, r := range []*connectors.Request{{Method: http.MethodGet}, {Method: http.MethodPost, Path: "/x"}} {
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s %s: %v", r.Method, r.Path, err)
		}
	}
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	message := `{"website_id":"` + "5d0c1f7e-1111-4222-8333-444455556666" + `","event":"message:send","data":{"session_id":"session_1","fingerprint":1795,"content":"a"},"timestamp":1795166100500}`
	first := received(t, message).Dedupe
	if received(t, strings.Replace(message, `"a"`, `"b"`, 1)).Dedupe != first {
		t.Error("a message is known by its fingerprint")
	}
	for _, change := range [][2]string{{"1795,", "1796,"}, {"session_1", "session_2"}, {"message:send", "message:received"}} {
		if received(t, strings.Replace(message, change[0], change[1], 1)).Dedupe == first {
			t.Errorf("%s has the same key", change[1])
		}
	}
	other := received(t, goodBody).Dedupe
	if received(t, goodBody).Dedupe != other {
		t.Error("the same event has another key")
	}
	for _, change := range [][2]string{{"100000}", "100001}"}, {"+15550100", "+15550101"}} {
		if received(t, strings.Replace(goodBody, change[0], change[1], 1)).Dedupe == other {
			t.Errorf("%s has the same key", change[1])
		}
	}
}

func TestNeedsRecord(t *testing.T) {
	t.Parallel()
	message := strings.Replace(goodBody, "session:set_phone", "message:send", 1)
	if !received(t, message).NeedsRecord {
		t.Error("a message wants its person")
	}
	for name, e := range map[string]connectors.RawEvent{
		"switched off": received(t, message, setting("look_up_sessions", "false")),
		"no token":     received(t, message, func(cfg *connectors.Config) { cfg.Push.Enabled = false; delete(cfg.Secrets, "token_key") }),
		"an odd id":    received(t, strings.Replace(message, "session_9a1b2c3d", "../session", 1)),
		"a set phone":  received(t, goodBody),
	} {
		if e.NeedsRecord {
			t.Errorf("%s: a record is asked for", name)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*connectors.Config){
		"website_id":        setting("website_id", "acme.example.com/x"),
		"token_identifier":  setting("token_identifier", "a b"),
		"stage_key":         setting("stage_key", "life cycle"),
		"signature_minutes": setting("signature_minutes", "0"),
		"base_url":          setting("base_url", "api.crisp.chat"),
		"tier":              setting("tier", "user"),
		"push.traits":       func(cfg *connectors.Config) { cfg.Push.Traits = map[string]string{"email": "email"} },
	} {
		cfg := conforming()
		change(&cfg)
		_, err := crisp.Vendor().Open(cfg)
		if err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(goodBody))
	f.Add([]byte(`{"event":"people:profile:updated","data":{"people_id":"p","update":{"person":{"a":[],"b":1}}},"timestamp":"x"}`))
	f.Add([]byte(`{"event":"message:send","data":[1],"timestamp":{}}`))
	cfg := conforming()
	cfg.Now = func() time.Time { return time.UnixMilli(1795166100000) }
	opened, err := crisp.Vendor().Open(cfg)
	if err != nil {
		f.Fatal(err)
	}
	c := opened.(*crisp.Connector)
	f.Fuzz(func(t *testing.T, body []byte) {
		receipt, err := c.Receive(signed("signing-secret-now", "1795166100", body))
		if err != nil || len(receipt.Events) != 1 {
			t.Fatalf("an authentic request gave %v, %v", receipt, err)
		}
		e := receipt.Events[0]
		if e.Type == "" || len(e.Type) > 100 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || string(e.Body) != string(body) || e.At < 0 {
			t.Errorf("raw event %+v", e)
		}
	})
}
