package genericwebhook

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

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

// TestStandardVectors are the specification's published vector and one of our
// own making, under both sets of header names.
func TestStandardVectors(t *testing.T) {
	t.Parallel()
	vectors := []struct{ key, id, stamp, body, signature string }{
		{specKey, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{otherKey, "msg_lb_1", "1767225600", `{"type":"customer.stage_changed"}`, "v1,t1EEy0ICVUHEqGcPch+9mgniM9jc6DtyYgr9aK2A+yQ="},
	}
	for _, v := range vectors {
		seconds, err := strconv.ParseInt(v.stamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		c := connect(t, nil, time.Unix(seconds, 0), v.key)
		for _, names := range standardNames {
			good := func() *connectors.Request {
				return deliver(v.body, names.id, v.id, names.stamp, v.stamp, names.signature, v.signature)
			}
			rc, err := c.Receive(good())
			if err != nil || len(rc.Events) != 1 || string(rc.Events[0].Body) != v.body {
				t.Errorf("%s under %s: %+v, %v", v.id, names.id, rc, err)
			}
			// One byte changed anywhere fails.
			for i := range v.body {
				r := good()
				r.Body[i] ^= 1
				if _, err := c.Receive(r); verdict(err) != connectors.ErrSignature {
					t.Errorf("byte %d of the body changed: %v", i, err)
				}
			}
			for _, name := range []string{names.id, names.stamp, names.signature} {
				r := good()
				value := []byte(r.Header.Get(name))
				value[len(value)-2] ^= 1
				r.Header.Set(name, string(value))
				if _, err := c.Receive(r); verdict(err) != connectors.ErrSignature {
					t.Errorf("a byte of %s changed: %v", name, err)
				}
				r = good()
				r.Header.Del(name)
				if _, err := c.Receive(r); verdict(err) != connectors.ErrUnsigned {
					t.Errorf("%s left out: %v", name, err)
				}
			}
		}
		// And the same out of our own hand.
		key, err := parseStandardKey(secret.New(v.key))
		if err != nil {
			t.Fatal(err)
		}
		if got := key.sign(v.id, v.stamp, []byte(v.body)); got != v.signature {
			t.Errorf("sign = %s, want %s", got, v.signature)
		}
	}
}

// TestAgainstTheReferenceLibrary signs with one side and verifies with the
// other, both ways.
func TestAgainstTheReferenceLibrary(t *testing.T) {
	t.Parallel()
	reference, err := standardwebhooks.NewWebhook(specKey)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	body := []byte(`{"type":"user.created","data":{"email":"ann@example.com"}}`)
	signature, err := reference.Sign("msg_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	c := connect(t, nil, now, specKey)
	if _, err := c.Receive(deliver(string(body), "webhook-id", "msg_1", "webhook-timestamp", stamp, "webhook-signature", signature)); err != nil {
		t.Errorf("the reference's signature was refused: %v", err)
	}
	ours := c.source.keys[0].sign("msg_1", stamp, body)
	header := http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {ours}}
	if err := reference.Verify(body, header); err != nil {
		t.Errorf("the reference refuses our signature: %v", err)
	}
}

func TestStandardLists(t *testing.T) {
	t.Parallel()
	const stamp, body = "1614265330", `{"test": 2432232314}`
	now := time.Unix(1614265330, 0)
	const good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	seed := sha256.Sum256([]byte("a seed for tests"))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := "whpk_" + base64.StdEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
	curve := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte("msg_p5jXN8AQM9LWM0D4loKWxJek."+stamp+"."+body)))
	many := strings.Repeat("v1a,AAAA ", maxCurveChecks)
	tests := []struct {
		name, list string
		keys       []string
		want       error
	}{
		{"first of two", good + " v1,AAAA", []string{specKey}, nil},
		{"second of two", "v1,AAAA " + good, []string{specKey}, nil},
		{"unknown version beside", "v2,xyz  v0 , " + good, []string{specKey}, nil},
		{"only unknown versions", "v2," + good[3:], []string{specKey}, connectors.ErrSignature},
		{"version in capitals", "V1," + good[3:], []string{specKey}, connectors.ErrSignature},
		{"no comma", "v1" + good[3:], []string{specKey}, connectors.ErrSignature},
		{"old key still live", good, []string{otherKey, specKey}, nil},
		{"no such key", good, []string{otherKey}, connectors.ErrSignature},
		{"curve", curve, []string{public}, nil},
		{"curve beside a wrong one", "v1a,AAAA " + curve, []string{public}, nil},
		{"curve behind too many", many + curve, []string{public}, connectors.ErrSignature},
		{"curve for a symmetric key", curve, []string{specKey}, connectors.ErrSignature},
		{"symmetric for a curve key", good, []string{public}, connectors.ErrSignature},
		{"both kinds of key", good + " " + curve, []string{public, specKey}, nil},
		{"own private key", curve, []string{"whsk_" + base64.StdEncoding.EncodeToString(private)}, nil},
		{"seed", curve, []string{"whsk_" + base64.StdEncoding.EncodeToString(seed[:])}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, nil, now, tt.keys...)
			_, err := c.Receive(deliver(body, "webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp", stamp, "webhook-signature", tt.list))
			if verdict(err) != tt.want {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestShapeVectors are the model's vectors: one secret and body through every
// algorithm, encoding and template, and the profiles that use them.
func TestShapeVectors(t *testing.T) {
	t.Parallel()
	const (
		key, body = "topsecret", `{"hello":"world"}`
		hex256    = "afd00617ceb8f63e65ea5c310f06bf78c3901e7a713db532e25da26ad63c7236"
		b64       = "r9AGF8649j5l6lwxDwa/eMOQHnpxPbUy4l2iatY8cjY="
		hex1      = "7fff767f0d780626839194dd3d33a41ce6f216a6"
		dotted    = "61b25862ee1097fb7ab8c7cac064d421058b23554a204a958de37552f3ddaa93"
		comma     = "b19c2dd302db8668478ab780f1b789590a9eaec98720de326463634db192cee1"
	)
	colon := mac256(key, "1767225600:"+body)
	millis := mac256(key, "1767225600000:"+body)
	url64 := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(b64), "=")
	tests := []struct {
		profile  string
		settings map[string]string
		header   []string
	}{
		{"custom", map[string]string{"signature_header": "x-signature"}, []string{"X-Signature", hex256}},
		{"custom", map[string]string{"signature_header": "x-signature"}, []string{"X-Signature", strings.ToUpper(hex256)}},
		{"custom", map[string]string{"signature_header": "x-signature", "encoding": "base64"}, []string{"X-Signature", b64}},
		{"custom", map[string]string{"signature_header": "x-signature", "encoding": "base64url"}, []string{"X-Signature", url64}},
		{"custom", map[string]string{"signature_header": "x-signature", "algorithm": "sha1"}, []string{"X-Signature", hex1}},
		{"custom", map[string]string{"signature_header": "x-signature", "timestamp": "header:x-time", "base": "{timestamp}.{body}"}, []string{"X-Signature", dotted, "X-Time", "1767225600"}},
		{"custom", map[string]string{"signature_header": "x-signature", "separator": "space", "prefix": "v1="}, []string{"X-Signature", "v1=00 v2=zz v1=" + hex256}},
		{"custom", map[string]string{"signature_header": "x-signature", "base": "{method} {url} {id} {body}", "dedupe": "header:x-id"}, []string{"X-Signature", mac256(key, "POST https://bridge.example.com/hooks/test d1 "+body), "X-Id", "d1"}},
		{"hookdeck", nil, []string{"x-hookdeck-signature", b64}},
		{"hookdeck", nil, []string{"x-hookdeck-signature", "AAAA", "x-hookdeck-signature-2", b64}},
		{"outpost", nil, []string{"x-outpost-signature", "v0=00,v0=" + hex256}},
		{"convoy", nil, []string{"X-Convoy-Signature", hex256}},
		{"convoy-advanced", nil, []string{"X-Convoy-Signature", "t=1767225600,v1=" + comma}},
		{"convoy-advanced", nil, []string{"X-Convoy-Signature", "t=1767225600,v1=00,v1=" + comma + ",v2=11"}},
		{"github", nil, []string{"X-Hub-Signature-256", "sha256=" + hex256}},
		{"shopify", nil, []string{"X-Shopify-Hmac-SHA256", b64}},
		{"woocommerce", nil, []string{"X-WC-Webhook-Signature", b64}},
		{"stripe", nil, []string{"Stripe-Signature", "t=1767225600,v1=" + dotted + ",v0=ff"}},
		{"calendly", nil, []string{"Calendly-Webhook-Signature", "t=1767225600,v1=" + dotted}},
		{"paddle", nil, []string{"Paddle-Signature", "ts=1767225600;h1=" + colon}},
		{"elevenlabs", nil, []string{"ElevenLabs-Signature", "t=1767225600,v0=" + dotted}},
		{"webflow", nil, []string{"x-webflow-signature", millis, "x-webflow-timestamp", "1767225600000"}},
		{"vercel", nil, []string{"x-vercel-signature", hex1}},
		{"typeform", nil, []string{"Typeform-Signature", "sha256=" + b64}},
		{"segment", nil, []string{"X-Signature", hex1}},
		{"gitlab", nil, []string{"X-Gitlab-Token", key}},
		{"token", nil, []string{"Authorization", "bearer " + key}},
		{"token", map[string]string{"signature_header": "X-Token", "prefix": ""}, []string{"X-Token", "Bearer " + key}},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%d %s", i, tt.profile), func(t *testing.T) {
			t.Parallel()
			settings := map[string]string{"profile": tt.profile}
			for name, value := range tt.settings {
				settings[name] = value
			}
			live := connect(t, settings, time.Unix(1767225600, 0), "other-key", key)
			if _, err := live.Receive(deliver(body, tt.header...)); err != nil {
				t.Fatalf("refused: %v", err)
			}
			// Another key, another body, no header.
			foreign := connect(t, settings, time.Unix(1767225600, 0), "other-key")
			if _, err := foreign.Receive(deliver(body, tt.header...)); verdict(err) != connectors.ErrSignature {
				t.Errorf("another key: %v", err)
			}
			if live.source.proof == proofHMAC {
				for at := range body {
					r := deliver(body, tt.header...)
					r.Body[at] ^= 1
					if _, err := live.Receive(r); verdict(err) != connectors.ErrSignature {
						t.Errorf("byte %d changed: %v", at, err)
					}
				}
			}
			if _, err := live.Receive(deliver(body)); verdict(err) != connectors.ErrUnsigned {
				t.Errorf("unsigned: %v", err)
			}
			if _, err := live.Receive(deliver(body, append(tt.header, tt.header[:2]...)...)); verdict(err) != connectors.ErrSignature {
				t.Errorf("doubled: %v", err)
			}
			late := connect(t, settings, time.Unix(1767225600+301, 0), key)
			_, err := late.Receive(deliver(body, tt.header...))
			if want := map[bool]error{true: nil, false: connectors.ErrStale}[live.source.stamp.none()]; verdict(err) != want {
				t.Errorf("five minutes late: %v, want %v", err, want)
			}
		})
	}
}

// TestKeyForms writes one key in every form.
func TestKeyForms(t *testing.T) {
	t.Parallel()
	plain := "a key of 24 bytes, just so"
	b64 := base64.StdEncoding.EncodeToString([]byte(plain))
	for form, text := range map[string]string{
		"raw": plain, "base64": b64, "hex": hex.EncodeToString([]byte(plain)), "whsec": "whsec_" + b64,
	} {
		c := connect(t, map[string]string{"profile": "custom", "signature_header": "x-s", "key": form}, time.Now(), text)
		if _, err := c.Receive(deliver("{}", "X-S", mac256(plain, "{}"))); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

func mac256(key, text string) string {
	return hex.EncodeToString(connectors.MAC(sha256.New, []byte(key), []byte(text)))
}

func TestBasic(t *testing.T) {
	t.Parallel()
	c := connect(t, map[string]string{"profile": "basic"}, time.Now(), "hook:pass:word", "old:word")
	for given, want := range map[string]error{
		"hook:pass:word": nil, "old:word": nil, "hook:word": connectors.ErrSignature, ":": connectors.ErrSignature, "": connectors.ErrSignature,
	} {
		r := deliver("{}", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(given)))
		if _, err := c.Receive(r); verdict(err) != want {
			t.Errorf("%q: %v, want %v", given, err, want)
		}
	}
	if _, err := c.Receive(deliver("{}", "Authorization", "Basic ~~~")); verdict(err) != connectors.ErrSignature {
		t.Errorf("no base64: %v", err)
	}
	if _, err := c.Receive(deliver("{}", "Authorization", "Bearer x")); verdict(err) != connectors.ErrSignature {
		t.Errorf("another scheme: %v", err)
	}
}

func TestWrongTimestamps(t *testing.T) {
	t.Parallel()
	c := connect(t, map[string]string{"profile": "stripe"}, time.Unix(1767225600, 0), "topsecret")
	for _, header := range []string{
		"v1=aa", "t=,v1=aa", "t=x,v1=aa", "t=1.5,v1=aa", "t=1767225600,t=1767225600,v1=aa",
		"t=9223372036854775807,v1=aa", "t=-9223372036854775808,v1=aa", "t=99999999999999999999999,v1=aa", ",,,", "t=1767225600",
	} {
		_, err := c.Receive(deliver("{}", "Stripe-Signature", header))
		if v := verdict(err); v != connectors.ErrSignature && v != connectors.ErrStale {
			t.Errorf("%q: %v", header, err)
		}
	}
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
	if _, err := echo.Receive(deliver(challenge)); verdict(err) != connectors.ErrUnsigned {
		t.Errorf("an unsigned challenge by POST: %v", err)
	}
	r := deliver("{}", "Authorization", "Bearer topsecret")
	r.Method = "DELETE"
	if _, err := silent.Receive(r); verdict(err) != connectors.ErrUnsupported {
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

func FuzzSignatureHeaders(f *testing.F) {
	f.Add("t=1767225600,v1=aa", "1767225600", "v1,AAAA v1a,AAAA")
	now := time.Unix(1767225600, 0)
	stripe := connect(f, map[string]string{"profile": "stripe"}, now, "topsecret")
	standard := connect(f, nil, now, specKey)
	f.Fuzz(func(t *testing.T, header, stamp, list string) {
		if _, err := stripe.Receive(deliver("{}", "Stripe-Signature", header)); err == nil {
			t.Fatal("a signature was guessed")
		}
		if _, err := standard.Receive(deliver("{}", "webhook-id", header, "webhook-timestamp", stamp, "webhook-signature", list)); err == nil {
			t.Fatal("a signature was guessed")
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
