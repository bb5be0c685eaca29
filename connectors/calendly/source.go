package calendly

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; Calendly's longest has about thirty.
const maxTypeBytes = 100

// Receive implements connectors.Source: one event a request.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Calendly sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{rawEvent(r.Body)}}, nil
}

// delivery is what is read of a webhook; the rest travels in the body.
type delivery struct {
	Event     loose          `json:"event"`
	CreatedAt loose          `json:"created_at"`
	Payload   jsontext.Value `json:"payload"`
}

// rawEvent reads the envelope.
func rawEvent(body []byte) connectors.RawEvent {
	if !jsontext.Value(body).IsValid() {
		return brokenEvent(body, "not JSON in UTF-8, or a member stands twice in one object")
	}
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil || jsontext.Value(body).Kind() != '{' {
		return brokenEvent(body, "not an event of Calendly's")
	}
	kind := printable(string(d.Event))
	if kind == "" {
		return brokenEvent(body, "the delivery names no event")
	}
	e := connectors.RawEvent{Type: kind, Dedupe: d.dedupe(kind, body), Body: body}
	if at, err := time.Parse(time.RFC3339Nano, string(d.CreatedAt)); err == nil && at.Year() >= 1970 && at.Year() <= 9999 {
		e.At = lifecycle.At(at)
	}
	return e
}

// dedupe is the event's key: Calendly gives events no id, so the record and the
// time of the event stand for it. Without them its bytes do.
func (d *delivery) dedupe(kind string, body []byte) [32]byte {
	var record struct {
		URI loose `json:"uri"`
	}
	if d.Payload.Kind() != '{' || json.Unmarshal(d.Payload, &record) != nil || record.URI == "" || d.CreatedAt == "" {
		return connectors.Dedupe("bytes", string(body))
	}
	return connectors.Dedupe("event", kind, string(record.URI), string(d.CreatedAt))
}

// brokenEvent parks bytes that are no event.
func brokenEvent(body []byte, why string) connectors.RawEvent {
	return connectors.RawEvent{Type: "broken", Dedupe: connectors.Dedupe("broken", string(body)), Body: body, Broken: why}
}

// printable gives a type that is fit to be shown and stored, or "".
func printable(s string) string {
	if len(s) > maxTypeBytes || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return ""
	}
	return s
}

// loose is the text of a JSON string, and empty for any other value.
type loose string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *loose) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil || v.Kind() != '"' {
		return err
	}
	plain, err := jsontext.AppendUnquote(nil, v)
	*l = loose(plain)
	return err
}
