package eloqua_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// TestSignatureVectors holds the signature against values computed with
// Python's hmac over base strings put together by hand. The second has a name
// in capitals, which OAuth's own order would put first.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	const common = "&oauth_consumer_key=lb-test-client&oauth_nonce=7654321&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1764547200&oauth_version=1.0&oauth_signature="
	cfg := conforming()
	cfg.PublicURL = "https://bridge.example.com/in/eloqua"
	cfg.Settings["client_id"] = "lb-test-client"
	cfg.Secrets["client_secret"] = []secret.Text{secret.New("another"), secret.New("lb-test-secret-eloqua")}
	c := open(t, cfg)
	receive := func(query string) error {
		_, err := c.Receive(&connectors.Request{
			Method: http.MethodPost, Path: "/notify", Query: query, URL: cfg.PublicURL + "/notify?" + query,
			Header: http.Header{}, Body: []byte(`{"items":[]}`), Received: time.Unix(1764547230, 0),
		})
		return err
	}
	for _, query := range []string{
		"instance=0b6c7d2e111142228333944455556666&asset=42&execution=900" + common + "ZuZqnEKam%2BC%2F0FVmZGHJ8eost1U%3D",
		"instance=0b6c7d2e111142228333944455556666&SiteName=Acme+Co" + common + "AK5DCN5c4147UUXCDeNvhzbG7ak%3D",
	} {
		if err := receive(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		for old, changed := range map[string]string{"4455556666": "4455556667", "7654321": "7654322", "1764547200": "1764547201"} {
			if err := receive(strings.Replace(query, old, changed, 1)); !errors.Is(err, connectors.ErrSignature) {
				t.Errorf("with %s changed: %v", old, err)
			}
		}
	}
}

func TestSignatureRefusals(t *testing.T) {
	t.Parallel()
	c := open(t, conforming())
	const key = "secret-of-the-example-app"
	for _, tt := range []struct {
		name   string
		change func(*connectors.Request)
		want   error
	}{
		{"good", func(*connectors.Request) {}, nil},
		{"signed as the other method", func(r *connectors.Request) { r.Method = http.MethodGet }, nil},
		{"another app", func(r *connectors.Request) {
			r.Query = strings.Replace(r.Query, "client-of-the-example-app", "client-of-another-app", 1)
		}, connectors.ErrSignature},
		{"another algorithm", func(r *connectors.Request) { r.Query = strings.Replace(r.Query, "HMAC-SHA1", "PLAINTEXT", 1) }, connectors.ErrSignature},
		{"nonce twice", func(r *connectors.Request) { r.Query += "&oauth_nonce=1" }, connectors.ErrSignature},
		{"one more parameter", func(r *connectors.Request) { r.Query += "&more=1" }, connectors.ErrSignature},
		{"another address", func(r *connectors.Request) { r.URL = strings.Replace(r.URL, "bridge", "other", 1) }, connectors.ErrSignature},
		{"unreadable query", func(r *connectors.Request) { r.Query += "&%zz" }, connectors.ErrSignature},
		{"no query", func(r *connectors.Request) { r.Query = "" }, connectors.ErrUnsigned},
		{"another path", func(r *connectors.Request) { r.Path = "/else" }, connectors.ErrUnsupported},
		{"another method", func(r *connectors.Request) { r.Method = http.MethodPut }, connectors.ErrUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := call(http.MethodPost, "/notify", stepQuery, key, now, []byte(notification))
			tt.change(r)
			if _, err := c.Receive(r); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	cfg := conforming()
	delete(cfg.Settings, "client_id")
	if _, err := open(t, cfg).Receive(call(http.MethodPost, "/notify", stepQuery, key, now, nil)); !errors.Is(err, connectors.ErrUnconfigured) {
		t.Errorf("without client_id: %v", err)
	}
}

// FuzzReceive gives signed bodies and parameters: always a receipt whose events
// fit the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{notification, "", "null", "[]", `{"items":[1,null,{}]}`, `{"items":[{"ContactID":"1"}]}`, `{"items":{`, "\xff", strings.Repeat("[", 100)} {
		f.Add([]byte(seed), "lead_qualified", "0b6c7d2e111142228333944455556666", "900")
		f.Add([]byte(seed), "A\x00", "", "-1")
	}
	c := open(f, conforming())
	f.Fuzz(func(t *testing.T, body []byte, tell, instance, execution string) {
		query := "tell=" + escape(tell) + "&instance=" + escape(instance) + "&execution=" + escape(execution)
		receipt, err := c.Receive(call(http.MethodPost, "/notify", query, "secret-of-the-example-app", now, body))
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > 100 || e.Dedupe == [32]byte{} || e.Broken == "" && !e.NeedsRecord && e.Type == "release" {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
