package typeform_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/typeform/typeformsim"
	"github.com/stagebridge/stagebridge/secret"
)

// TestSignatureVector was computed with openssl:
//
//	printf '{"event_id":"01TEST","event_type":"form_response"}' | openssl dgst -sha256 -hmac tf-secret -binary | base64
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	const good = "sha256=UvZ8T7J9+AzeTStkhAzrljPCUG8kuiXy3UphuYPTitw="
	const body = `{"event_id":"01TEST","event_type":"form_response"}`
	c := open(t, "https://api.typeform.com", func(c *connectors.Config) {
		c.Secrets["webhook_secret"] = []secret.Text{secret.New("tf-secret")}
	})
	for _, tt := range []struct {
		name, header, body string
		want               error
	}{
		{"good", good, body, nil},
		{"one byte of the body", good, strings.Replace(body, "01TEST", "02TEST", 1), connectors.ErrSignature},
		{"one byte of the signature", strings.Replace(good, "Uv", "Uw", 1), body, connectors.ErrSignature},
		{"hex, as others write it", "sha256=52f67c4fb27df80cde4d2b64840ceb9633c2506f24ba25f2dd4a61b983d38adc", body, connectors.ErrSignature},
		{"no prefix", strings.TrimPrefix(good, "sha256="), body, connectors.ErrSignature},
		{"another hash", strings.Replace(good, "sha256", "sha1", 1), body, connectors.ErrSignature},
		{"empty", "", body, connectors.ErrUnsigned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Receive(&connectors.Request{Method: http.MethodPost, Body: []byte(tt.body), Header: http.Header{"Typeform-Signature": {tt.header}}})
			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestOtherRequests: what is no delivery is refused, also below the URL.
func TestOtherRequests(t *testing.T) {
	t.Parallel()
	c := open(t, "https://api.typeform.com", nil)
	for _, r := range []*connectors.Request{
		{Method: http.MethodGet}, {Method: http.MethodPut}, {Method: http.MethodPost, Path: "/more"},
	} {
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s %s: %v", r.Method, r.Path, err)
		}
	}
}

// FuzzReceive gives signed bytes: an authentic request is always one raw event
// that fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"event_id":"e","event_type":"form_response","form_response":{"submitted_at":"2026-11-20T09:15:00Z"}}`,
		`{"event_id":"e","event_type":"form_response_partial","form_response":{"landed_at":"0000-01-01T00:00:00Z"}}`,
		`{"event_id":1,"event_type":[],"form_response":7}`, `{"event_id":"e","event_type":"\u0000"}`, "[]", "null", "", "\xff", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	c := open(f, "https://api.typeform.com", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		rc, err := c.Receive(&connectors.Request{
			Method: http.MethodPost, Body: body, Header: http.Header{"Typeform-Signature": {typeformsim.Sign("typeform-secret-now", body)}},
		})
		if err != nil || len(rc.Events) != 1 {
			t.Fatalf("receipt %+v, %v", rc, err)
		}
		if e := rc.Events[0]; e.Type == "" || len(e.Type) > 100 || e.Dedupe == [32]byte{} || string(e.Body) != string(body) {
			t.Errorf("raw event %+v", e)
		}
	})
}
