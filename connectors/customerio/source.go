package customerio

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; the vendor's own have at most fifty.
const maxTypeBytes = 100

// Seconds beyond which a timestamp is none: the year 9999.
const maxSeconds = 253402300799

// reported is what this package itself reads of a webhook; rules read the
// whole of it.
type reported struct {
	EventID    string `json:"event_id"`
	ObjectType string `json:"object_type"`
	// ObjectTypeType is how one of Customer.io's own schemas spells it.
	ObjectTypeType string      `json:"object_type_type"`
	Metric         string      `json:"metric"`
	Timestamp      json.Number `json:"timestamp"`
}

// Receive implements connectors.Source. Whatever is authentic is taken: an
// answer other than 2xx would stop every later event of the webhook.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is %s, want POST", short(r.Method))
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{event(r.Body)}}, nil
}

// event reads the one event of a webhook.
func event(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("body", string(body)), Body: body}
	var w reported
	switch {
	case !utf8.Valid(body):
		e.Broken = "the body is not UTF-8"
		return e
	case len(bytes.TrimSpace(body)) == 0:
		e.Broken = "the body is empty"
		return e
	case json.Unmarshal(body, &w) != nil:
		e.Broken = "the body is not a JSON object as Customer.io sends it"
		return e
	}
	if w.ObjectType == "" {
		w.ObjectType = w.ObjectTypeType
	}
	object, metric := short(w.ObjectType), short(w.Metric)
	if object == "" || metric == "" {
		e.Broken = "the object has no object_type or no metric"
		return e
	}
	// The webhook's own list of events names this one without the prefix.
	e.Type = object + "_" + strings.TrimPrefix(metric, "cio_")
	if w.EventID != "" {
		e.Dedupe = connectors.Dedupe("event", w.EventID)
	}
	if seconds, err := w.Timestamp.Int64(); err == nil && seconds > 0 && seconds <= maxSeconds {
		e.At = lifecycle.Instant(seconds * 1e6)
	}
	return e
}

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	s = cutBytes(s, maxTypeBytes)
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// cutBytes cuts a text to at most n bytes without splitting a character.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
