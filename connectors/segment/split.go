package segment

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
	"github.com/stagebridge/stagebridge/secret"
)

const (
	// maxItems is how many events one request may bring. Webhooks bring 4,000
	// at most, libraries 2,500 (https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/).
	maxItems = 5000
	// maxSharedContext bounds the context of a batch that is copied into its
	// events, in bytes. What libraries put there is some hundred.
	maxSharedContext = 4 << 10
	// maxNameBytes bounds an event's name within a raw type.
	maxNameBytes = 100
	// unknown is the type of what says no type that we know.
	unknown = "unknown"
)

// envelope is what surrounds the events of a batch; a single event has the
// same members for key and time.
type envelope struct {
	Batch    json.RawMessage `json:"batch"`
	WriteKey json.RawMessage `json:"writeKey"`
	SentAt   json.RawMessage `json:"sentAt"`
	Context  json.RawMessage `json:"context"`
}

// envelopeOf reads it; what cannot be read is empty.
func envelopeOf(body []byte) envelope {
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return envelope{}
	}
	return e
}

// key is the batch's write key, else that of its first event: a browser that
// batches writes it into each.
func (e envelope) key() string {
	if key := text(e.WriteKey); key != "" {
		return key
	}
	var one envelope
	if first := firstElement(e.Batch); first != nil && json.Unmarshal(first, &one) == nil {
		return text(one.WriteKey)
	}
	return ""
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

// split makes the raw events of one request.
type split struct {
	c        *Connector
	received time.Time
	// forwarded events come from Segment, with their times corrected already.
	forwarded bool
	proof     proof
}

// item says where an event stood.
type item struct {
	kind   string // what the path says; "" leaves it to the event
	sentAt string // of the batch
	index  int
}

// webhook takes one event or a list of them.
func (s *split) webhook(body []byte) []connectors.RawEvent {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '[' {
		return []connectors.RawEvent{s.event(body, item{})}
	}
	return s.list(body, body, envelope{})
}

// batch takes the list in an envelope.
func (s *split) batch(body []byte, e envelope) []connectors.RawEvent {
	if e.Batch == nil {
		return []connectors.RawEvent{s.broken(body, "the body is not a JSON object with a list named batch")}
	}
	return s.list(body, e.Batch, e)
}

// list makes one raw event of each element. A list that is none, or is too
// long, is one broken event that holds everything.
func (s *split) list(body, list []byte, e envelope) []connectors.RawEvent {
	var all []json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return []connectors.RawEvent{s.broken(body, "the events are not a JSON list")}
	}
	if len(all) > maxItems {
		return []connectors.RawEvent{s.broken(body, "the request holds more than "+strconv.Itoa(maxItems)+" events")}
	}
	events := make([]connectors.RawEvent, len(all))
	for i, raw := range all {
		events[i] = s.event(withContext(raw, e.Context), item{sentAt: text(e.SentAt), index: i})
	}
	return events
}

// broken keeps a request that cannot be taken apart.
func (s *split) broken(body []byte, why string) connectors.RawEvent {
	body = s.c.withoutKey(body)
	return connectors.RawEvent{
		Type: unknown, Dedupe: connectors.Dedupe("request", string(body)), Body: body, Broken: why, Public: s.proof == provesNone,
	}
}

// withoutKey blots out the write key for servers, which libraries repeat in
// their bodies: what is kept is shown to people. The bytes of others stay as
// they are.
func (c *Connector) withoutKey(body []byte) []byte {
	for _, key := range c.cfg.Keys(secretServer) {
		if plain := []byte(key.Reveal()); bytes.Contains(body, plain) {
			body = bytes.ReplaceAll(body, plain, []byte(secret.Redacted))
		}
	}
	return body
}

// withContext adds the context of a batch to an event; the event's own members
// of the same name stay.
func withContext(raw, shared json.RawMessage) json.RawMessage {
	if len(shared) == 0 || len(shared) > maxSharedContext {
		return raw
	}
	var of, own, all map[string]json.RawMessage
	if json.Unmarshal(shared, &of) != nil || len(of) == 0 || json.Unmarshal(raw, &all) != nil || all == nil {
		return raw
	}
	if json.Unmarshal(all["context"], &own) != nil && len(all["context"]) > 0 {
		return raw
	}
	for name, value := range own {
		of[name] = value
	}
	merged, err := json.Marshal(of)
	if err != nil {
		return raw
	}
	all["context"] = merged
	if merged, err = json.Marshal(all); err != nil {
		return raw
	}
	return merged
}

// call is the part of an event that is read before mapping.
type call struct {
	Type        json.RawMessage `json:"type"`
	Event       json.RawMessage `json:"event"`
	MessageID   json.RawMessage `json:"messageId"`
	UserID      json.RawMessage `json:"userId"`
	AnonymousID json.RawMessage `json:"anonymousId"`
	PreviousID  json.RawMessage `json:"previousId"`
	GroupID     json.RawMessage `json:"groupId"`
	Timestamp   json.RawMessage `json:"timestamp"`
	SentAt      json.RawMessage `json:"sentAt"`
}

// event reads one event.
func (s *split) event(body []byte, at item) connectors.RawEvent {
	body = s.c.withoutKey(body)
	e := connectors.RawEvent{Type: unknown, Body: body, Public: s.proof == provesNone || s.proof == provesFirst && at.index > 0}
	var c call
	if err := json.Unmarshal(body, &c); err != nil || !isObject(body) {
		e.Dedupe, e.Broken = connectors.Dedupe("bytes", string(body), strconv.Itoa(at.index)), "the event is not a JSON object"
		return e
	}
	kind := at.kind
	if kind == "" {
		kind = text(c.Type)
	}
	sentAt := text(c.SentAt)
	if sentAt == "" {
		sentAt = at.sentAt
	}
	e.Type, e.Broken = s.typeOf(kind, &c, e.Public)
	e.At = s.time(text(c.Timestamp), sentAt)
	e.Dedupe = s.dedupe(&c, &e, sentAt, at.index)
	if strings.HasPrefix(text(c.MessageID), s.c.mark) {
		e.Echo = "messageId"
	}
	return e
}

func isObject(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// typeOf names the raw event and says what it lacks.
func (s *split) typeOf(kind string, c *call, public bool) (typ, broken string) {
	nobody := text(c.UserID) == "" && text(c.AnonymousID) == ""
	switch kind {
	case kindIdentify, kindPage, kindScreen:
	case kindTrack:
		name := slug(text(c.Event))
		if name == "" {
			return kindTrack, "a track call without the name of its event"
		}
		kind = kindTrack + "." + name
	case kindGroup:
		if text(c.GroupID) == "" {
			broken = "a group call without groupId"
		}
	case kindAlias:
		if text(c.PreviousID) == "" || text(c.UserID) == "" {
			broken = "an alias call without previousId and userId"
		}
	case kindDelete:
		switch {
		case !s.forwarded:
			return unknown, "the tracking API has no call of this type"
		case public:
			broken = "a deletion in a part of the batch that nothing proves"
		case text(c.UserID) == "":
			broken = "a deletion without userId"
		}
		return kind, broken
	default:
		return unknown, "an event of no type that Segment has"
	}
	if broken == "" && nobody {
		broken = "neither userId nor anonymousId is there"
	}
	return kind, broken
}

// dedupe is the message's id. Keys that everybody knows have a space of their
// own, so that nobody can take the place of a proven event. A call without an
// id and without a time is one each time it is made.
func (s *split) dedupe(c *call, e *connectors.RawEvent, sentAt string, index int) [32]byte {
	space := "proven"
	if e.Public {
		space = "public"
	}
	if id := text(c.MessageID); id != "" {
		return connectors.Dedupe(space, "message", id)
	}
	made := ""
	if text(c.Timestamp) == "" && sentAt == "" && !s.forwarded {
		made = strconv.FormatInt(s.received.UnixMicro(), 10)
	}
	return connectors.Dedupe(space, "bytes", string(e.Body), strconv.Itoa(index), made)
}

// time gives an event's own time. A client's clock may be wrong: it says when
// it sent, and the difference to when we received is its error. Segment has
// done that already to what it forwards.
func (s *split) time(stamp, sentAt string) lifecycle.Instant {
	at, ok := instant(stamp)
	if !ok {
		return 0
	}
	sent, ok := instant(sentAt)
	if s.forwarded || !ok {
		return lifecycle.At(at)
	}
	return lifecycle.At(s.received.Add(at.Sub(sent)))
}

// instant reads ISO 8601 as libraries write it; without a zone it is UTC.
func instant(stamp string) (time.Time, bool) {
	if len(stamp) > 40 {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, stamp); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// slug writes an event's name in lower case with underscores, so that
// "Order Completed", "order-completed" and "orderCompleted" are one type.
func slug(name string) string {
	var b strings.Builder
	gap, lower := false, false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError {
			gap, lower = true, false
			continue
		}
		if (gap || lower && unicode.IsUpper(r)) && b.Len() > 0 {
			b.WriteByte('_')
		}
		gap, lower = false, unicode.IsLower(r)
		r = unicode.ToLower(r)
		if b.Len()+utf8.RuneLen(r) > maxNameBytes {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSuffix(b.String(), "_")
}
