package customerio_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/customerio"
	"github.com/stagebridge/stagebridge/secret"
)

// The vector was computed apart from this program:
//
//	printf '%s' 'v0:1795166100:<body>' | openssl dgst -sha256 -hmac sb-test-secret-cio
const (
	vectorKey       = "sb-test-secret-cio"
	vectorStamp     = "1795166100"
	vectorBody      = `{"event_id":"01SB","object_type":"customer","metric":"unsubscribed","timestamp":1795166100}`
	vectorSignature = "8483218834844d47923cdb4ebd1cfee5752980eb9edb7a6df0a85d956c588ce2"
)

func TestSignatureVector(t *testing.T) {
	t.Parallel()
	cfg := conforming()
	cfg.Secrets["webhook_key"] = []secret.Text{secret.New(vectorKey)}
	for name, test := range map[string]struct {
		stamp, body, signature, age string
		after                       time.Duration
		want                        error
	}{
		"the vector":            {vectorStamp, vectorBody, vectorSignature, "8d", 0, nil},
		"a week late":           {vectorStamp, vectorBody, vectorSignature, "8d", 7 * 24 * time.Hour, nil},
		"nine days late":        {vectorStamp, vectorBody, vectorSignature, "8d", 9 * 24 * time.Hour, connectors.ErrStale},
		"late for five minutes": {vectorStamp, vectorBody, vectorSignature, "5m", time.Hour, connectors.ErrStale},
		"another timestamp":     {"1795166101", vectorBody, vectorSignature, "8d", 0, connectors.ErrSignature},
		"another body":          {vectorStamp, vectorBody + " ", vectorSignature, "8d", 0, connectors.ErrSignature},
		"another signature":     {vectorStamp, vectorBody, "0" + vectorSignature[1:], "8d", 0, connectors.ErrSignature},
		"no hex":                {vectorStamp, vectorBody, "zz", "8d", 0, connectors.ErrSignature},
		"no timestamp":          {"", vectorBody, vectorSignature, "8d", 0, connectors.ErrUnsigned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := cfg
			cfg.Settings = map[string]string{"site_id": "s", "signature_age": test.age}
			c, err := customerio.Vendor().Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			r := &connectors.Request{
				Method: http.MethodPost, Body: []byte(test.body), Received: time.Unix(1795166100, 0).Add(test.after),
				Header: http.Header{"X-Cio-Signature": {test.signature}},
			}
			if test.stamp != "" {
				r.Header.Set("X-CIO-Timestamp", test.stamp)
			}
			_, err = c.(connectors.Source).Receive(r)
			if !errors.Is(err, test.want) {
				t.Errorf("error = %v, want %v", err, test.want)
			}
		})
	}
}

func TestReceiveRefusesOtherWays(t *testing.T) {
	t.Parallel()
	c, err := customerio.Vendor().Open(conforming())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*connectors.Request{{Method: http.MethodGet}, {Method: http.MethodPost, Path: "/else"}} {
		if _, err := c.(connectors.Source).Receive(r); !errors.Is(err, connectors.ErrUnsupported) {
			t.Errorf("%s %s: %v, want unsupported", r.Method, r.Path, err)
		}
	}
}
