package customerio_test

import (
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/connectors/customerio"
)

// FuzzReceive gives signed bytes to the reader: an authentic request is always
// a receipt with one raw event that fits the inbox.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		vectorBody, `{"object_type":"email","metric":"sent","timestamp":"1"}`, `{"object_type_type":"customer","metric":"cio_x","timestamp":1e99}`,
		"", "null", "[", `{"metric":7}`, "{\"metric\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	cfg := conforming()
	c, err := customerio.Vendor().Open(cfg)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &connectors.Request{
			Method: http.MethodPost, Body: body, Received: time.Unix(1795166100, 0),
			Header: http.Header{"X-Cio-Timestamp": {vectorStamp}, "X-Cio-Signature": {sign("webhook-key-now", vectorStamp, body)}},
		}
		receipt, err := c.(connectors.Source).Receive(r)
		if err != nil || len(receipt.Events) != 1 {
			t.Fatalf("an authentic request gives %v, %v", receipt, err)
		}
		e := receipt.Events[0]
		if e.Type == "" || len(e.Type) > 250 || !utf8.ValidString(e.Type) || e.Dedupe == [32]byte{} || len(e.Body) != len(body) {
			t.Errorf("raw event %+v", e)
		}
	})
}
