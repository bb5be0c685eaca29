package googleanalytics

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	// maxEvents is how many events one request may bring. The Measurement
	// Protocol has 25; a server container may queue more.
	maxEvents = 1000
	// maxShared bounds what is copied into each event of a list, in bytes.
	maxShared = 4 << 10
	// maxTypeBytes bounds a raw type; GA4's names have at most 40 characters.
	maxTypeBytes = 100
	// firstMicros is 2001 in microseconds; less is another unit, or nonsense.
	firstMicros = 1_000_000_000_000_000
	lastMicros  = 10_000_000_000_000_000
	unknown     = "unknown"
)

// split makes the raw events of one request.
type split struct {
	c        *Connector
	received time.Time
	public   bool
}

// hit is the part of an event that is read before mapping. A server container's
// flat event has the same names as ours; the Measurement Protocol puts name and
// params into a list of events.
type hit struct {
	EventID   json.RawMessage `json:"event_id"`
	EventName json.RawMessage `json:"event_name"`
	Name      json.RawMessage `json:"name"`
	ClientID  json.RawMessage `json:"client_id"`
	AppID     json.RawMessage `json:"app_instance_id"`
	UserID    json.RawMessage `json:"user_id"`
	Micros    json.RawMessage `json:"timestamp_micros"`
	Timestamp json.RawMessage `json:"event_timestamp"`
	SessionID json.RawMessage `json:"session_id,omitempty"`
	Params    json.RawMessage `json:"params"`
	Props     json.RawMessage `json:"user_properties"`
	Events    json.RawMessage `json:"events"`
}

// collect takes one event, a list of them, or a body of the Measurement
// Protocol.
func (s *split) collect(body []byte) []connectors.RawEvent {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) > 0 && trimmed[0] == '[' {
		return s.list(body, body, func(raw json.RawMessage) []byte { return raw })
	}
	var h hit
	if len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(body, &h) != nil {
		return []connectors.RawEvent{s.broken(body, "the body is not a JSON object or list of them")}
	}
	if len(h.Events) > 0 && h.Events[0] == '[' && text(h.EventName) == "" {
		return s.list(body, h.Events, func(raw json.RawMessage) []byte { return joined(&h, raw) })
	}
	return []connectors.RawEvent{s.event(body, 0)}
}

// list makes one raw event of each element; a list that is too long is one
// broken event that holds everything.
func (s *split) list(body, list []byte, form func(json.RawMessage) []byte) []connectors.RawEvent {
	var all []json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return []connectors.RawEvent{s.broken(body, "the events are not a JSON list")}
	}
	if len(all) > maxEvents {
		return []connectors.RawEvent{s.broken(body, "the request holds more than "+strconv.Itoa(maxEvents)+" events")}
	}
	events := make([]connectors.RawEvent, len(all))
	for i, raw := range all {
		events[i] = s.event(form(raw), i)
	}
	return events
}

// joined writes an event of the Measurement Protocol in our form: with the ids
// and user properties that stand beside the list.
func joined(of *hit, raw json.RawMessage) []byte {
	var h hit
	if json.Unmarshal(raw, &h) != nil {
		return raw
	}
	out := map[string]json.RawMessage{}
	for name, value := range map[string]json.RawMessage{
		"event_name": h.Name, "client_id": of.ClientID, "app_instance_id": of.AppID, "user_id": of.UserID,
		"timestamp_micros": of.Micros, "params": h.Params, "user_properties": plainProperties(of.Props),
	} {
		if len(value) > 0 && (len(value) <= maxShared || name == "params") {
			out[name] = value
		}
	}
	if len(h.Micros) > 0 {
		out["timestamp_micros"] = h.Micros
	}
	b, err := json.Marshal(out)
	if err != nil {
		return raw
	}
	return b
}

// plainProperties takes {"plan":{"value":"team"}} to {"plan":"team"}.
func plainProperties(raw json.RawMessage) json.RawMessage {
	var all map[string]struct {
		Value json.RawMessage `json:"value"`
	}
	if len(raw) == 0 || len(raw) > maxShared || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	plain := map[string]json.RawMessage{}
	for name, p := range all {
		if len(p.Value) > 0 {
			plain[name] = p.Value
		}
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return nil
	}
	return b
}

// broken keeps what cannot be taken apart.
func (s *split) broken(body []byte, why string) connectors.RawEvent {
	return connectors.RawEvent{Type: unknown, Dedupe: connectors.Dedupe("request", string(body)), Body: body, Broken: why, Public: s.public}
}

// event reads one event in our form or flat.
func (s *split) event(body []byte, index int) connectors.RawEvent {
	e := s.broken(body, "")
	var h hit
	if json.Unmarshal(body, &h) != nil || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		e.Broken = "the event is not a JSON object"
		return e
	}
	micros := text(h.Micros)
	if micros == "" {
		micros = text(h.Timestamp)
	}
	e.At = instant(micros)
	space := "proven"
	if s.public {
		space = "public" // nobody can take the place of a proven event
	}
	person := text(h.ClientID) + "|" + text(h.AppID) + "|" + text(h.UserID)
	switch id := text(h.EventID); {
	case id != "":
		e.Dedupe = connectors.Dedupe(space, "id", id)
	case e.At != 0:
		e.Dedupe = connectors.Dedupe(space, "time", person, micros, text(h.EventName), strconv.Itoa(index), string(h.Params))
	default:
		// Neither id nor time: each delivery is news.
		e.Dedupe = connectors.Dedupe(space, "bytes", string(body), strconv.Itoa(index), strconv.FormatInt(s.received.UnixMicro(), 10))
	}
	name := short(text(h.EventName))
	switch {
	case name == "":
		e.Broken = "the event has no event_name"
		return e
	case person == "||":
		e.Broken = "neither client_id nor user_id is there"
	}
	e.Type = name
	var params struct {
		Source string `json:"sb_source"`
	}
	if json.Unmarshal(h.Params, &params) == nil && params.Source == s.c.mark {
		e.Echo = "sb_source"
	}
	return e
}

// instant reads microseconds since 1970; zero for what is none.
func instant(micros string) lifecycle.Instant {
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || n < firstMicros || n > lastMicros {
		return 0
	}
	return lifecycle.Instant(n)
}

// text gives a string's text and a number's literal; "" for anything else.
func text(raw json.RawMessage) string {
	switch {
	case len(raw) == 0:
		return ""
	case raw[0] == '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		return string(raw)
	}
	return ""
}

// short makes a sender's word fit for a type.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.IsSpace(r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(s))
	for len(s) > maxTypeBytes {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
