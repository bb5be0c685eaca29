package sendgrid_test

import (
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// FuzzReceive gives signed bytes to the reader: an authentic request is always
// a receipt, and every raw event fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		vectorBody, `[]`, `[{"event":"click","timestamp":"1795166100"},7,null]`, `[{"Event":"x","event":"open"}]`, `[{"event":["a"]}]`,
		"", "null", "[", `{"event":"open"}`, "[\"\xff\"]", `[{"event":"open","timestamp":1e400}]`,
	} {
		f.Add([]byte(seed))
	}
	pair := newKeyPair()
	var src connectors.Source
	f.Fuzz(func(t *testing.T, body []byte) {
		if src == nil {
			src = receiver(t, pair.public)
		}
		r := &connectors.Request{
			Method: http.MethodPost, Body: body, Received: time.Unix(1795166100, 0),
			Header: http.Header{
				"X-Twilio-Email-Event-Webhook-Timestamp": {vectorStamp},
				"X-Twilio-Email-Event-Webhook-Signature": {pair.sign(vectorStamp, body)},
			},
		}
		receipt, err := src.Receive(r)
		if err != nil {
			t.Fatalf("an authentic request was refused: %v", err)
		}
		for _, e := range receipt.Events {
			if e.Type == "" || len(e.Type) > 100 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || len(e.Body) > len(body) {
				t.Errorf("raw event %+v", e)
			}
		}
	})
}
