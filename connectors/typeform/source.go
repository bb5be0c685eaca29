package typeform

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

// maxTypeBytes bounds a raw type; Typeform's own have at most twenty.
const maxTypeBytes = 100

// Receive implements connectors.Source: one response a request.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Typeform sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{rawEvent(r.Body)}}, nil
}

// delivery is what is read of a webhook; the rest travels in the body.
type delivery struct {
	EventID   loose `json:"event_id"`
	EventType loose `json:"event_type"`
	Response  struct {
		SubmittedAt loose `json:"submitted_at"`
		LandedAt    loose `json:"landed_at"`
	} `json:"form_response"`
}

// rawEvent reads the envelope. A response that was begun and not sent has no
// time of sending; then the time of its start counts.
func rawEvent(body []byte) connectors.RawEvent {
	if !jsontext.Value(body).IsValid() {
		return brokenEvent(body, "not JSON in UTF-8, or a member stands twice in one object")
	}
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil || jsontext.Value(body).Kind() != '{' {
		return brokenEvent(body, "not a response of Typeform's")
	}
	kind := printable(string(d.EventType))
	if kind == "" || d.EventID == "" {
		return brokenEvent(body, "the delivery has no event_id or no event_type")
	}
	e := connectors.RawEvent{Type: kind, Dedupe: connectors.Dedupe("event", string(d.EventID)), Body: body}
	for _, text := range []loose{d.Response.SubmittedAt, d.Response.LandedAt} {
		if at, err := time.Parse(time.RFC3339Nano, string(text)); err == nil && at.Year() >= 1970 && at.Year() <= 9999 {
			e.At = lifecycle.At(at)
			break
		}
	}
	return e
}

// brokenEvent parks bytes that are no response.
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
