package sendgrid

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; the vendor's own have at most thirty.
const maxTypeBytes = 100

// Seconds beyond which a timestamp is none: the year 9999.
const maxSeconds = 253402300799

// Receive implements connectors.Source. The body is an array; one element that
// cannot be read does not spoil its neighbours, since a refusal would bring
// all of them again.
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
	return &connectors.Receipt{Events: split(r.Body)}, nil
}

// split makes the raw events of a body.
func split(body []byte) []connectors.RawEvent {
	var elements []json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) || json.Unmarshal(body, &elements) != nil {
		return []connectors.RawEvent{{
			Type: "unknown", Dedupe: connectors.Dedupe("body", string(body)), Body: body,
			Broken: "the body is not a JSON array",
		}}
	}
	events := make([]connectors.RawEvent, len(elements))
	for i, element := range elements {
		events[i] = event(element)
	}
	return events
}

// event reads one element.
func event(element []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("element", string(element)), Body: element}
	// A map, not a struct: custom arguments of the sender's stand beside the
	// vendor's members, and a struct would take one named Event for event.
	var members map[string]json.RawMessage
	switch {
	case !utf8.Valid(element):
		e.Broken = "the event is not UTF-8"
		return e
	case json.Unmarshal(element, &members) != nil:
		e.Broken = "the event is not a JSON object as SendGrid sends it"
		return e
	}
	kind := short(textIn(members["event"]))
	if kind == "" {
		e.Broken = "the object has no event"
		return e
	}
	e.Type = kind
	if id := textIn(members["sg_event_id"]); id != "" {
		e.Dedupe = connectors.Dedupe("event", id)
	}
	if seconds, err := strconv.ParseInt(strings.Trim(string(members["timestamp"]), `"`), 10, 64); err == nil && seconds > 0 && seconds <= maxSeconds {
		e.At = lifecycle.Instant(seconds * 1e6)
	}
	return e
}

// textIn is the text that a member holds, or none.
func textIn(member json.RawMessage) string {
	var s string
	if json.Unmarshal(member, &s) != nil {
		return ""
	}
	return s
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
