package segment_test

import (
	"bytes"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// FuzzReceive gives proven bytes to both readers: an authentic request is
// always a receipt, and every raw event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		`{"type":"track","event":"Trial Started","userId":"u-1001","messageId":"m-1"}`,
		`{"batch":[{"type":"page","userId":7},{"type":"delete"},null],"context":{"a":1},"sentAt":"2026-11-20T09:00:00Z"}`,
		`[{"type":"identify","userId":"u"},{}]`, `[[`, `[`, `{"batch":{}}`, `null`, `{"timestamp":"9999-12-31T23:59:59Z","sentAt":"0001-01-01T00:00:00Z","userId":"u"}`, "\xff",
	} {
		f.Add([]byte(seed), "")
		f.Add([]byte(seed), "/v1/batch")
		f.Add([]byte(seed), "/v1/t")
	}
	c := open(f, conforming())
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		r := &connectors.Request{Method: http.MethodPost, Path: path, Body: bytes.Clone(body), Header: http.Header{
			"X-Signature": {sign("shared-secret-now", body)}, "Authorization": {basic("server-write-key-now:")},
		}}
		receipt, err := c.Receive(r)
		if err != nil {
			if path == "" || path == "/v1/batch" || path == "/v1/t" {
				t.Fatalf("an authentic request was refused: %v", err)
			}
			return
		}
		if !bytes.Equal(r.Body, body) {
			t.Error("the body was changed")
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > 120 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
