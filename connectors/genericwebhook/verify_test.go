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

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

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
				if _, err := c.Receive(r); !errors.Is(verdict(err), connectors.ErrSignature) {
					t.Errorf("byte %d of the body changed: %v", i, err)
				}
			}
			for _, name := range []string{names.id, names.stamp, names.signature} {
				r := good()
				value := []byte(r.Header.Get(name))
				value[len(value)-2] ^= 1
				r.Header.Set(name, string(value))
				if _, err := c.Receive(r); !errors.Is(verdict(err), connectors.ErrSignature) {
					t.Errorf("a byte of %s changed: %v", name, err)
				}
				r = good()
				r.Header.Del(name)
				if _, err := c.Receive(r); !errors.Is(verdict(err), connectors.ErrUnsigned) {
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
			if !errors.Is(verdict(err), tt.want) {
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
			if _, err := foreign.Receive(deliver(body, tt.header...)); !errors.Is(verdict(err), connectors.ErrSignature) {
				t.Errorf("another key: %v", err)
			}
			if live.source.proof == proofHMAC {
				for at := range body {
					r := deliver(body, tt.header...)
					r.Body[at] ^= 1
					if _, err := live.Receive(r); !errors.Is(verdict(err), connectors.ErrSignature) {
						t.Errorf("byte %d changed: %v", at, err)
					}
				}
			}
			if _, err := live.Receive(deliver(body)); !errors.Is(verdict(err), connectors.ErrUnsigned) {
				t.Errorf("unsigned: %v", err)
			}
			if _, err := live.Receive(deliver(body, append(tt.header, tt.header[:2]...)...)); !errors.Is(verdict(err), connectors.ErrSignature) {
				t.Errorf("doubled: %v", err)
			}
			late := connect(t, settings, time.Unix(1767225600+301, 0), key)
			_, err := late.Receive(deliver(body, tt.header...))
			if want := map[bool]error{true: nil, false: connectors.ErrStale}[live.source.stamp.none()]; !errors.Is(verdict(err), want) {
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
		if _, err := c.Receive(r); !errors.Is(verdict(err), want) {
			t.Errorf("%q: %v, want %v", given, err, want)
		}
	}
	if _, err := c.Receive(deliver("{}", "Authorization", "Basic ~~~")); !errors.Is(verdict(err), connectors.ErrSignature) {
		t.Errorf("no base64: %v", err)
	}
	if _, err := c.Receive(deliver("{}", "Authorization", "Bearer x")); !errors.Is(verdict(err), connectors.ErrSignature) {
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
		if v := verdict(err); !errors.Is(v, connectors.ErrSignature) && !errors.Is(v, connectors.ErrStale) {
			t.Errorf("%q: %v", header, err)
		}
	}
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
