package mparticle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	// maxEvents is how many events a batch may bring. Batches of an hour of
	// somebody's use have some hundred.
	maxEvents = 1000
	// maxAttributes bounds the user attributes that are copied into an event,
	// in bytes.
	maxAttributes = 16 << 10
	// maxNameBytes bounds a name within a raw type.
	maxNameBytes = 100
	unknown      = "unknown"
	typeBatch    = "batch"
)

// batch is what mParticle sends.
type batch struct {
	BatchID     json.RawMessage `json:"batch_id"`
	MessageID   json.RawMessage `json:"message_id"`
	MPID        json.RawMessage `json:"mpid"`
	DeviceID    json.RawMessage `json:"mp_deviceid"`
	Environment json.RawMessage `json:"environment"`
	Received    json.RawMessage `json:"timestamp_unixtime_ms"`
	Identities  json.RawMessage `json:"user_identities"`
	Attributes  json.RawMessage `json:"user_attributes"`
	Attribution json.RawMessage `json:"attribution_info"`
	Events      json.RawMessage `json:"events"`
}

// event is one element of a batch.
type event struct {
	Type      json.RawMessage `json:"event_type"`
	MessageID json.RawMessage `json:"message_id"`
	SourceID  json.RawMessage `json:"source_message_id"`
	Data      json.RawMessage `json:"data"`
}

// data is the part of an event that is read before mapping.
type data struct {
	MessageID json.RawMessage `json:"message_id"`
	SourceID  json.RawMessage `json:"source_message_id"`
	At        json.RawMessage `json:"timestamp_unixtime_ms"`
	Started   json.RawMessage `json:"event_start_unixtime_ms"`
	EventName json.RawMessage `json:"event_name"`
	Profile   json.RawMessage `json:"profile_event_type"`
	Product   struct {
		Action json.RawMessage `json:"action"`
	} `json:"product_action"`
	Attribute json.RawMessage `json:"user_attribute_name"`
	New       json.RawMessage `json:"new"`
	Custom    json.RawMessage `json:"custom_attributes"`
}

// split makes one raw event of each event of the batch, or one of the batch
// where it has none and only tells of the person.
func (c *Connector) split(body []byte) []connectors.RawEvent {
	broken := func(why string) []connectors.RawEvent {
		return []connectors.RawEvent{{Type: unknown, Dedupe: connectors.Dedupe("request", string(body)), Body: body, Broken: why}}
	}
	var b batch
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' || json.Unmarshal(body, &b) != nil {
		return broken("the body is not a JSON object")
	}
	var events []json.RawMessage
	if len(b.Events) > 0 && json.Unmarshal(b.Events, &events) != nil {
		return broken("events is not a JSON list")
	}
	if len(events) > maxEvents {
		return broken("the batch holds more than " + strconv.Itoa(maxEvents) + " events")
	}
	p := c.personOf(&b)
	if len(events) == 0 {
		return []connectors.RawEvent{p.alone(body)}
	}
	all := make([]connectors.RawEvent, len(events))
	for i, raw := range events {
		all[i] = p.event(raw, i)
	}
	return all
}

// person is what a batch says of its person, for each of its events.
type person struct {
	c      *Connector
	batch  *batch
	mpid   string
	prefix string // of types, for another environment
	// shared are the members that every event gets.
	shared map[string]json.RawMessage
	nobody bool
}

func (c *Connector) personOf(b *batch) *person {
	p := &person{c: c, batch: b, mpid: text(b.MPID), shared: map[string]json.RawMessage{}}
	if p.mpid == "0" {
		p.mpid = "" // nobody in particular
	}
	if env := text(b.Environment); env != "" && env != c.environment {
		p.prefix = cmp.Or(slug(env), unknown) + "."
	}
	identities := identitiesOf(b.Identities)
	if p.mpid != "" {
		p.put("mpid", p.mpid)
	}
	if device := text(b.DeviceID); device != "" && len(device) <= maxNameBytes {
		p.put("mp_deviceid", device)
	}
	if len(identities) > 0 {
		p.put("identities", identities)
	}
	p.nobody = len(p.shared) == 0
	return p
}

// put adds a member to every event.
func (p *person) put(name string, value any) {
	if b, err := json.Marshal(value); err == nil {
		p.shared[name] = b
	}
}

// identitiesOf takes mParticle's list of identities, or the object that its own
// API takes, to an object by type. The newest of a type counts.
func identitiesOf(raw json.RawMessage) map[string]string {
	const mostIdentities = 50
	found := map[string]string{}
	add := func(kind, value string) {
		if kind != "" && value != "" && len(found) < mostIdentities && len(value) <= 1000 && len(kind) <= maxNameBytes {
			found[kind] = value
		}
	}
	var list []struct {
		Type  json.RawMessage `json:"identity_type"`
		Value json.RawMessage `json:"identity"`
		At    json.RawMessage `json:"timestamp_unixtime_ms"`
	}
	if json.Unmarshal(raw, &list) == nil {
		slices.SortStableFunc(list, func(a, b struct {
			Type  json.RawMessage `json:"identity_type"`
			Value json.RawMessage `json:"identity"`
			At    json.RawMessage `json:"timestamp_unixtime_ms"`
		}) int {
			return int(min(max(instant(text(a.At))-instant(text(b.At)), -1), 1))
		})
		for _, i := range list {
			add(text(i.Type), text(i.Value))
		}
		return found
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil {
		for _, kind := range slices.Sorted(maps.Keys(object)) {
			add(kind, text(object[kind]))
		}
	}
	return found
}

// alone is a batch without events.
func (p *person) alone(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: p.prefix + typeBatch, At: instant(text(p.batch.Received))}
	switch id, message := text(p.batch.BatchID), text(p.batch.MessageID); {
	case message != "":
		e.Dedupe = connectors.Dedupe("message", message)
	case id != "":
		e.Dedupe = connectors.Dedupe("batch", id)
	default:
		e.Dedupe = connectors.Dedupe("bytes", string(body))
	}
	e.Body = p.body(nil, true)
	if p.nobody {
		e.Body, e.Broken = body, "the batch names nobody"
	}
	return e
}

// event makes the raw event of one element: the event's own members, and those
// of the person beside them.
func (p *person) event(raw json.RawMessage, index int) connectors.RawEvent {
	var (
		v event
		d data
		r = connectors.RawEvent{Type: unknown, Body: raw}
	)
	isObject := json.Unmarshal(raw, &v) == nil && len(raw) > 0 && raw[0] == '{'
	if isObject && len(v.Data) > 0 {
		isObject = json.Unmarshal(v.Data, &d) == nil
	}
	r.Dedupe = p.dedupe(&v, &d, raw, index)
	if !isObject {
		r.Broken = "the event is not a JSON object"
		return r
	}
	kind := text(v.Type)
	r.Type, r.Broken = p.typeOf(kind, &d)
	r.At = instant(text(d.At))
	if r.At == 0 {
		r.At = instant(text(d.Started))
	}
	if r.At == 0 {
		r.At = instant(text(p.batch.Received))
	}
	if r.Broken != "" {
		return r
	}
	if p.nobody {
		r.Broken = "the batch names nobody"
		return r
	}
	r.Body = p.body(&v, kind == "session_start" || kind == "user_attribute_change" || kind == "user_identity_change")
	var custom struct {
		Source string `json:"sb_source"`
	}
	if json.Unmarshal(d.Custom, &custom) == nil && custom.Source == p.c.mark {
		r.Echo = "sb_source"
	}
	if name := text(d.Attribute); name != "" && p.mpid != "" {
		r.Written = []connectors.Field{{Record: p.mpid, Name: name, Value: valueText(d.New)}}
	}
	return r
}

// typeOf names the raw event: mParticle's type, and for some what kind of it.
func (p *person) typeOf(kind string, d *data) (typ, broken string) {
	what := ""
	if slug(kind) == "" {
		return unknown, "the event has no event_type"
	}
	switch kind {
	case "custom_event":
		if what = slug(text(d.EventName)); what == "" {
			return p.prefix + kind, "a custom event without event_name"
		}
	case "commerce_event":
		what = slug(text(d.Product.Action))
	case "profile":
		what = slug(text(d.Profile))
	}
	if what != "" {
		what = "." + what
	}
	return p.prefix + slug(kind) + what, ""
}

// dedupe is the event's message id, wherever it stands.
func (p *person) dedupe(v *event, d *data, raw json.RawMessage, index int) [32]byte {
	for _, id := range []string{text(d.MessageID), text(v.MessageID)} {
		if id != "" {
			return connectors.Dedupe("message", id)
		}
	}
	at := strconv.Itoa(index)
	if id := text(p.batch.MessageID); id != "" {
		return connectors.Dedupe("message", id, at)
	}
	for _, id := range []string{text(d.SourceID), text(v.SourceID)} {
		if id != "" {
			return connectors.Dedupe("source", id)
		}
	}
	return connectors.Dedupe("bytes", text(p.batch.BatchID), p.mpid, string(raw), at)
}

// body writes an event for the rules; nil is a batch without one. Attributes
// go along where they are news.
func (p *person) body(v *event, attributes bool) []byte {
	out := maps.Clone(p.shared)
	if attributes && len(p.batch.Attributes) > 0 && len(p.batch.Attributes) <= maxAttributes {
		out["user_attributes"] = p.batch.Attributes
	}
	if attributes && len(p.batch.Attribution) > 0 && len(p.batch.Attribution) <= maxAttributes {
		out["attribution_info"] = p.batch.Attribution
	}
	if v != nil {
		out["event_type"] = v.Type
		if len(v.Data) > 0 {
			out["data"] = v.Data
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return []byte("{}") // every part was JSON when it came
	}
	return b
}

// instant reads milliseconds since 1970; zero for what is none.
func instant(millis string) lifecycle.Instant {
	const first, last = 946_684_800_000, 10_000_000_000_000 // 2000 to 2286
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil || n < first || n > last {
		return 0
	}
	return lifecycle.At(time.UnixMilli(n))
}

// text gives a string's text and a number's literal, so that an mpid beyond
// 2^53 keeps its digits; "" for anything else.
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

// valueText writes a value as the ledger of echoes compares it.
func valueText(raw json.RawMessage) string {
	if t := text(raw); t != "" {
		return t
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.String() == "null" || b.String() == `""` {
		return ""
	}
	return b.String()
}

// slug writes a name in lower case with underscores, so that "Signed Up",
// "signed-up" and "signedUp" are one type.
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
