package sample

import (
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/genericwebhook"
	"github.com/stagebridge/stagebridge/secret"
)

// TestStandardIsAccepted holds both kinds of signature against the connector.
func TestStandardIsAccepted(t *testing.T) {
	t.Parallel()
	seed := strings.Repeat("s", ed25519.SeedSize)
	for name, key := range map[string]string{
		"symmetric": "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))),
		"ed25519":   "whsk_" + base64.StdEncoding.EncodeToString([]byte(seed)),
	} {
		c, err := genericwebhook.Vendor().Open(connectors.Config{
			ID: "shop", Instance: "here", PublicURL: "https://bridge.example.com/hooks/shop", Settings: map[string]string{"profile": "standard", "tolerance": "300"},
			Secrets: map[string][]secret.Text{"signing_secret": {secret.New(key)}},
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		now := time.Now()
		r, err := Standard(t.Context(), "https://bridge.example.com/hooks/shop", "m1", now, secret.New(key), []byte(`{"type":"x"}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		receive := func(body []byte) error {
			_, err := c.(connectors.Source).Receive(&connectors.Request{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body, Received: now})
			return err
		}
		if err := receive(body); err != nil {
			t.Errorf("%s: refused: %v", name, err)
		}
		if err := receive(append(body, ' ')); err == nil {
			t.Errorf("%s: an altered body is accepted", name)
		}
	}
}

func TestStandardRefusesKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "whsec_", "whsec_!!secret!!", "whpk_AAAA", "whsk_AAAA"} {
		if _, err := Standard(t.Context(), "https://example.com", "m1", time.Now(), secret.New(key), nil); err == nil {
			t.Errorf("%q signs", key)
		} else if len(key) > 8 && strings.Contains(err.Error(), key[6:]) {
			t.Errorf("%q: the error shows it: %v", key, err)
		}
	}
}

// TestRequestRefuses says what is missing or not known.
func TestRequestRefuses(t *testing.T) {
	t.Parallel()
	key := map[string][]secret.Text{"client_secret": {secret.New("s")}, "webhook_secret": {secret.New("s")}, "signing_secret": {secret.New("whsec_AAAA")}}
	for want, o := range map[string]Options{
		"there are no samples of sap":                     {Connector: "sap"},
		"the connection has no client_secret to sign":     {Connector: "hubspot"},
		"no signing_secret or webhook_secret to sign":     {Connector: "mailchimp"},
		"no source_secret or signing_secret to sign":      {Connector: "generic-webhook"},
		"this connection expects the profile stripe":      {Connector: "generic-webhook", Settings: map[string]string{"profile": "stripe"}, Secrets: key},
		`"nope": no sample of this type; there are clean`: {Connector: "mailchimp", Type: "nope", Email: "a@example.com", Secrets: key},
	} {
		if _, err := Request(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}
