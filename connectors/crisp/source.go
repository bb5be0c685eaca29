package crisp

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; the vendor's own have about thirty.
const maxTypeBytes = 100

// Receive implements connectors.Source. Each request brings one event.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Crisp sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.rawEvent(r.Body)}}, nil
}

// notice is what is read of an event; everything else travels in the body.
type notice struct {
	Website   text            `json:"website_id"`
	Event     text            `json:"event"`
	Timestamp text            `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// details are the parts of an event's data that its identity needs.
type details struct {
	Session     text `json:"session_id"`
	People      text `json:"people_id"`
	Email       text `json:"email"`
	Fingerprint text `json:"fingerprint"`
	Timestamp   text `json:"timestamp"`
	Update      struct {
		Person map[string]json.RawMessage `json:"person"`
	} `json:"update"`
}

// rawEvent reads the event as far as its identity needs.
func (c *Connector) rawEvent(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("body", string(body)), Body: body}
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		e.Broken = "not the JSON object of a web hook"
		return e
	}
	if n.Event == "" {
		e.Broken = "the object names no event"
		return e
	}
	var d details
	// Data of another form than expected is still an event, which rules may read.
	_ = json.Unmarshal(n.Data, &d)
	e.Type = cmp.Or(short(string(n.Event)), "unknown")
	e.Dedupe = n.dedupe(d)
	if at, ok := unixTime(string(cmp.Or(d.Timestamp, n.Timestamp))); ok {
		e.At = lifecycle.At(at)
	} else if at, ok := unixTime(string(n.Timestamp)); ok {
		e.At = lifecycle.At(at)
	}
	if c.website != "" && n.Website != "" && string(n.Website) != c.website {
		e.Broken = "it is about another workspace than website_id names"
		return e
	}
	e.Written = written(e.Type, d)
	e.NeedsRecord = c.lookUp && ofSession(e.Type) && sessionForm(string(d.Session))
	return e
}

// dedupe is the event's key. Crisp gives no event id: a message has a
// fingerprint within its conversation, anything else is known by its bytes.
func (n *notice) dedupe(d details) [32]byte {
	parts := []string{string(n.Website), string(n.Event), string(cmp.Or(d.Session, d.People))}
	if d.Fingerprint != "" && strings.HasPrefix(string(n.Event), "message:") {
		return connectors.Dedupe(append(parts, "fingerprint", string(d.Fingerprint))...)
	}
	return connectors.Dedupe(append(parts, string(n.Timestamp), string(n.Data))...)
}

// ofSession are the events that name their person by the conversation only.
func ofSession(kind string) bool {
	return slices.Contains([]string{"session:request:initiated", "message:send", "session:set_state", "session:sync:events", "session:sync:rating"}, kind)
}

// sessionForm reports whether a text is the id of a conversation, which goes
// into a path.
func sessionForm(s string) bool {
	id, ok := strings.CutPrefix(s, "session_")
	return ok && idForm.MatchString(id)
}

// Names of what a push may cause, as its events report it.
const (
	writtenProfile = "profile"
	writtenPerson  = "person."
)

// written lists what our own last write may explain: a profile that was made,
// or members of a person. Members that are not plain values are nobody's of
// ours, so nothing is listed then.
func written(kind string, d details) []connectors.Field {
	record := string(d.People)
	switch {
	case record == "":
		return nil
	case kind == "people:profile:created":
		return []connectors.Field{{Record: record, Name: writtenProfile, Value: normalEmail(string(d.Email))}}
	case kind != "people:profile:updated":
		return nil
	}
	var fields []connectors.Field
	for _, name := range slices.Sorted(maps.Keys(d.Update.Person)) {
		var value text
		if raw := d.Update.Person[name]; len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || json.Unmarshal(raw, &value) != nil {
			return nil
		}
		fields = append(fields, connectors.Field{Record: record, Name: writtenPerson + name, Value: string(value)})
	}
	return fields
}

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if len(s) <= maxTypeBytes {
		return s
	}
	n := maxTypeBytes
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
