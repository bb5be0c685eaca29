package googleanalytics

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Limits of the Measurement Protocol
// (https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events#limitations,
// read November 2026), in characters and entries.
const (
	maxPropertyName  = 24
	maxPropertyValue = 36
	maxParamValue    = 100
	maxProperties    = 25
)

// Names of the events that we send.
const (
	eventStage    = "sb_stage_changed"
	eventSegments = "sb_segments_changed"
	eventSync     = "sb_sync" // carries user properties where nothing moved
)

// person is how Google Analytics knows somebody.
type person struct {
	clientID, userID string
}

// payload is a body of the Measurement Protocol.
type payload struct {
	ClientID   string              `json:"client_id,omitempty"`
	AppID      string              `json:"app_instance_id,omitempty"`
	UserID     string              `json:"user_id,omitempty"`
	Micros     int64               `json:"timestamp_micros,omitempty"`
	Properties map[string]property `json:"user_properties,omitempty"`
	Events     []event             `json:"events"`
}

// property is a user property; a nil value clears it.
type property struct {
	Value any `json:"value"`
}

type event struct {
	Name   string         `json:"name"`
	Params map[string]any `json:"params"`
}

// request is one body; moves of the person have arrived once it has.
type request struct {
	payload payload
	moves   int
}

// person finds the client id that a tag gave out; false when none is known. A
// user id that is an address is left out, as Google's terms want.
func (c *Connector) person(u *connectors.Update) (person, bool) {
	var who person
	if ids := c.clientIDs(u); len(ids) > 0 {
		who.clientID = ids[0]
	}
	for _, k := range u.Keys {
		if k.Namespace == lifecycle.NamespaceUser && who.userID == "" && !strings.Contains(k.Value, "@") {
			who.userID = k.Value
		}
	}
	return who, who.clientID != ""
}

// namespace is that of the connection's client ids among a person's keys.
func (c *Connector) namespace() string {
	return cmp.Or(c.cfg.Settings["identity_scope"], c.cfg.ID)
}

// requests gives what to send about a person, in order; nil when there is
// nothing.
func (c *Connector) requests(u *connectors.Update, who person) []request {
	var all []request
	now := c.cfg.Now()
	for i, m := range u.Moves {
		at := now
		if age := now.Sub(m.At.Time()); m.At != 0 && age > 0 && age < maxBackdate {
			at = m.At.Time()
		}
		r := request{payload: c.envelope(who, at), moves: i + 1}
		r.payload.Events = []event{c.moved(&m)}
		all = append(all, r)
	}
	rest := c.changed(u)
	if len(rest) == 0 {
		return all
	}
	if len(all) > 0 {
		all[len(all)-1].payload.Properties = first(rest)
	}
	for len(rest) > 0 {
		// An event must carry them: alone they change nothing.
		r := request{payload: c.envelope(who, now), moves: len(u.Moves)}
		r.payload.Properties, r.payload.Events = first(rest), []event{{Name: eventSync, Params: c.params()}}
		all = append(all, r)
	}
	return all
}

// first takes as many properties as a request may hold out of a map.
func first(from map[string]property) map[string]property {
	some := map[string]property{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if len(some) == maxProperties {
			break
		}
		some[name] = from[name]
		delete(from, name)
	}
	return some
}

func (c *Connector) envelope(who person, at time.Time) payload {
	p := payload{ClientID: who.clientID, UserID: who.userID, Micros: at.UnixMicro()}
	if c.app {
		p.ClientID, p.AppID = "", who.clientID
	}
	return p
}

// params are those of every event: the mark by which we know our own, and the
// least time of engagement, without which an event is no activity.
func (c *Connector) params() map[string]any {
	return map[string]any{"sb_source": c.mark, "engagement_time_msec": 1}
}

func (c *Connector) moved(m *connectors.Move) event {
	e := event{Name: eventSegments, Params: c.params()}
	e.Params["sb_kind"] = cut(m.Kind, maxParamValue)
	if m.From != m.To {
		e.Name = eventStage
		e.Params["from_stage"], e.Params["to_stage"] = cut(m.From, maxParamValue), cut(m.To, maxParamValue)
	}
	if len(m.Entered) > 0 {
		e.Params["entered"] = cut(strings.Join(m.Entered, ","), maxParamValue)
	}
	if len(m.Exited) > 0 {
		e.Params["exited"] = cut(strings.Join(m.Exited, ","), maxParamValue)
	}
	return e
}

// changed gives the user properties that Google is not known to hold.
func (c *Connector) changed(u *connectors.Update) map[string]property {
	all := map[string]property{}
	known := u.Known
	if known == nil {
		known = &connectors.State{}
	}
	if stage := u.Want.Stage; stage != "" && stage != known.Stage {
		all[c.stage] = property{cut(stage, maxPropertyValue)}
	}
	for _, name := range u.Want.Segments {
		if !slices.Contains(known.Segments, name) {
			all[c.segmentProperty(name)] = property{"true"}
		}
	}
	for _, name := range u.Want.Absent {
		if !slices.Contains(known.Absent, name) {
			all[c.segmentProperty(name)] = property{"false"}
		}
	}
	for name, value := range u.Want.Traits {
		if was, held := known.Traits[name]; !held || !sameValue(was, value) {
			all[name] = property{propertyValue(value)}
		}
	}
	return all
}

// segmentProperty names a segment's property. A name that Google would not take
// is shortened and ends with a part of its hash, so that two never meet.
func (c *Connector) segmentProperty(segment string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, segment)
	if name := c.prefix + clean; clean == segment && len(name) <= maxPropertyName {
		return name
	}
	sum := sha256.Sum256([]byte(segment))
	end := "_" + hex.EncodeToString(sum[:3])
	return c.prefix + clean[:min(len(clean), maxPropertyName-len(c.prefix)-len(end))] + end
}

// propertyValue writes a value as the short text that a user property holds.
func propertyValue(v any) any {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		return cut(x, maxPropertyValue)
	case bool, int64, float64:
		return cut(fmt.Sprint(x), maxPropertyValue)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return cut(string(b), maxPropertyValue)
}

// cut keeps the first n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// sameValue compares values as a person would: what is known was stored as JSON
// in between, so that 3 may have become 3.0.
func sameValue(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}
