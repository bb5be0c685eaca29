package sendgrid_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/sendgrid"
	"github.com/stagebridge/stagebridge/secret"
)

// The first vector was made apart from this program with a key of its own:
//
//	printf '1795166100<body>\\r\\n' | openssl dgst -sha256 -sign key.pem | base64 -w0
//
// The second was made by another program with another key.
const (
	vectorKey       = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnLTag9QsUW72HMW23KPjVgH/wgPTWIlqGCmDB4J3rHQdGZ2Vu2d+ZhrYn4PMcRY8LoDaP3F7SUWMgQ1iwbNogQ=="
	vectorStamp     = "1795166100"
	vectorBody      = `[{"email":"dana@example.com","event":"open","timestamp":1795166090,"sg_event_id":"sb-1"}]` + "\r\n"
	vectorSignature = "MEUCIAs34rTPumHGKekUssotfq3twVN2iKd/jnh/jTaX2GafAiEAozQDj7MIuhsmURAL0EYpLJHLs7oUXcq1g9sszMyFtps="

	otherKey       = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOfdALsOaaJ8l+4yKIyBwnZO/kzSE2wGupPtIJ26p5R84mYhO25AJobWN/Rv0QmhETCYn5GfjeTtenxuXvRcRlw=="
	otherBody      = `[{"email":"dana@example.com","event":"open","timestamp":1795166090,"sg_event_id":"lb-1"}]` + "\r\n"
	otherSignature = "MEYCIQDZzRTfX0JtLArDjP9b+xTpmUTeZArakKLKmNQ0BMslrQIhAJcYxCZAvBU08S9gAHwW951/JMoGqpaD2D4TqC3T1BAw"
)

func receiver(t *testing.T, keys ...string) connectors.Source {
	t.Helper()
	cfg := conforming()
	for _, key := range keys {
		cfg.Secrets["verification_key"] = append(cfg.Secrets["verification_key"], secret.New(key))
	}
	c, err := sendgrid.Vendor().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c.(connectors.Source)
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	src := receiver(t, vectorKey, otherKey)
	for name, test := range map[string]struct {
		stamp, body, signature string
		after                  time.Duration
		want                   error
	}{
		"the current key":          {vectorStamp, vectorBody, vectorSignature, 0, nil},
		"the key before":           {vectorStamp, otherBody, otherSignature, 0, nil},
		"a day late":               {vectorStamp, vectorBody, vectorSignature, 24 * time.Hour, nil},
		"two days late":            {vectorStamp, vectorBody, vectorSignature, 48 * time.Hour, connectors.ErrStale},
		"without its line break":   {vectorStamp, strings.TrimRight(vectorBody, "\r\n"), vectorSignature, 0, connectors.ErrSignature},
		"with another line break":  {vectorStamp, strings.ReplaceAll(vectorBody, "\r\n", "\n"), vectorSignature, 0, connectors.ErrSignature},
		"another timestamp":        {"1795166101", vectorBody, vectorSignature, 0, connectors.ErrSignature},
		"one byte of the body":     {vectorStamp, strings.Replace(vectorBody, "dana", "Dana", 1), vectorSignature, 0, connectors.ErrSignature},
		"a signature of something": {vectorStamp, vectorBody, otherSignature, 0, connectors.ErrSignature},
		"no base64":                {vectorStamp, vectorBody, "!", 0, connectors.ErrSignature},
		"no ASN.1":                 {vectorStamp, vectorBody, "AAAA", 0, connectors.ErrSignature},
		"unsigned":                 {vectorStamp, vectorBody, "", 0, connectors.ErrUnsigned},
		"no timestamp":             {"", vectorBody, vectorSignature, 0, connectors.ErrUnsigned},
	} {
		r := &connectors.Request{
			Method: http.MethodPost, Body: []byte(test.body), Received: time.Unix(1795166100, 0).Add(test.after),
			Header: http.Header{"X-Twilio-Email-Event-Webhook-Signature": {test.signature}, "X-Twilio-Email-Event-Webhook-Timestamp": {test.stamp}},
		}
		if _, err := src.Receive(r); !errors.Is(err, test.want) {
			t.Errorf("%s: error = %v, want %v", name, err, test.want)
		}
	}
}

func TestReceiveRefusesOtherWays(t *testing.T) {
	t.Parallel()
	src := receiver(t, vectorKey)
	for _, r := range []*connectors.Request{{Method: http.MethodGet}, {Method: http.MethodPost, Path: "/else"}} {
		if _, err := src.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s %s: %v, want unsupported", r.Method, r.Path, err)
		}
	}
}

// TestKeysThatAreNone: what is pasted by mistake is named at once.
func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	pem := "-----BEGIN PUBLIC KEY-----\n" + vectorKey[:64] + "\n" + vectorKey[64:] + "\n-----END PUBLIC KEY-----\n"
	for name, test := range map[string]struct {
		key string
		ok  bool
	}{
		"as shown": {vectorKey, true}, "in PEM": {pem, true},
		"an API key":     {"SG.abc.def", false},
		"other base64":   {"AAAA", false},
		"ECDSA on P-384": {"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEN1h0qAUCt8h/XUOwSTJIGWS6xBd8mCCn3d3RL6P8mVhe/YAIdzEnZf1T5IKHgZRLoTb/NHmmRquNyVo3toRcT2U/wBb1DPWsbYFHgvIXJLGs6hVl9Lx4S6o7wACe0mZm", false},
		"RSA":            {"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCxaQbeNY/tmHE7C5LK8sXu8Kv7elSJBMHflKSgfUzVZiQfa1Vf9ydkRXrmYbKMo8sRqJOX+7nHH+nxoQLxPQwL/BwBhIr9Wt+feJyx4itJCvG0EjNU89QCgVzxcilDTvMCHaSILfr4Micn1VP4chhLqK2TeZ3ROqCZ6xOO7UyfOwIDAQAB", false},
	} {
		cfg := conforming()
		cfg.Secrets["verification_key"] = []secret.Text{secret.New(test.key)}
		_, err := sendgrid.Vendor().Open(cfg)
		var e *connectors.SettingError
		if test.ok != (err == nil) || err != nil && (!errors.As(err, &e) || e.Field != "verification_key" || strings.Contains(err.Error(), test.key)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
