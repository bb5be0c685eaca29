package pipedrive

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; the vendor's own have about twenty.
const maxTypeBytes = 100

// Receive implements connectors.Source. Each request brings one change.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Pipedrive sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.rawEvent(r.Body)}}, nil
}

// notice is what is read of a webhook; everything else travels in the body.
type notice struct {
	Meta struct {
		Version      text `json:"version"`
		V            text `json:"v"` // version 1 writes its number here
		Action       text `json:"action"`
		Entity       text `json:"entity"`
		Object       text `json:"object"` // version 1
		EntityID     text `json:"entity_id"`
		CompanyID    text `json:"company_id"`
		UserID       text `json:"user_id"`
		ID           text `json:"id"`
		Timestamp    text `json:"timestamp"`
		Micro        text `json:"timestamp_micro"` // version 1
		ChangeSource text `json:"change_source"`
	} `json:"meta"`
	Event    text            `json:"event"` // version 1
	Data     json.RawMessage `json:"data"`
	Previous json.RawMessage `json:"previous"`
}

// rawEvent reads the change as far as its identity needs.
func (c *Connector) rawEvent(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("body", string(body)), Body: body}
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		e.Broken = "not the JSON object of a webhook"
		return e
	}
	kind := n.kind()
	if kind == "" {
		e.Broken = "meta names neither an entity with an action nor an event"
		return e
	}
	e.Type = cmp.Or(short(kind), "unknown")
	e.At = lifecycle.At(instant(string(n.Meta.Timestamp)))
	if n.Meta.ID != "" && n.Meta.Timestamp != "" {
		e.Dedupe = n.dedupe(kind)
	}
	if c.company != "" && n.Meta.CompanyID != "" && string(n.Meta.CompanyID) != c.company {
		e.Broken = "it is about another company than company_id names"
		return e
	}
	if n.old() {
		return e
	}
	switch e.Type {
	case "person.change":
		e.Written = n.written()
	case "person.create":
		e.Written = n.created()
	}
	if c.ours(&n, e.Type) {
		e.Echo = "user_id " + c.user
		return e
	}
	e.NeedsRecord = c.api.ready && aboutPeople(e.Type) && n.personID() != ""
	return e
}

// old reports whether it is a webhook of version 1.
func (n *notice) old() bool { return n.Meta.Version == "" && n.Event != "" }

// kind is the raw type: person.change, or updated.person in version 1.
func (n *notice) kind() string {
	switch {
	case n.old():
		return string(n.Event)
	case n.Meta.Entity == "" || n.Meta.Action == "":
		return ""
	}
	return string(n.Meta.Entity) + "." + string(n.Meta.Action)
}

// dedupe is the change's key. The vendor's id is a unique one that retries
// share; for some objects, and in version 1, it is the record's number, so the
// time belongs to it. The number of the attempt is left out.
func (n *notice) dedupe(kind string) [32]byte {
	m := &n.Meta
	parts := []string{string(m.CompanyID), kind, string(m.EntityID), string(m.ID), string(m.Timestamp)}
	if n.old() {
		parts = append(parts, string(m.Micro))
	}
	return connectors.Dedupe(parts...)
}

// ours reports whether this connection made the change: a person was written
// by API by the user whose token it has.
func (c *Connector) ours(n *notice, kind string) bool {
	return c.user != "" && string(n.Meta.UserID) == c.user && n.Meta.ChangeSource == "api" &&
		(kind == "person.change" || kind == "person.create")
}

// aboutPeople are the types that name their people by id only.
func aboutPeople(kind string) bool {
	object, act, _ := strings.Cut(kind, ".")
	return (object == "deal" || object == "lead" || object == "activity") && act != "delete"
}

// personID is the person of a deal, lead or activity, or "".
func (n *notice) personID() string {
	var d struct {
		PersonID text `json:"person_id"`
	}
	if json.Unmarshal(n.Data, &d) != nil || !numberForm.MatchString(string(d.PersonID)) {
		return ""
	}
	return string(d.PersonID)
}

// written lists the custom fields that a change reports. It is nil where
// anything else of the person changed too: then it is not our write alone,
// since ours touch nothing but those.
func (n *notice) written() []connectors.Field {
	var data, previous struct {
		Custom map[string]json.RawMessage `json:"custom_fields"`
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(n.Data, &data) != nil || json.Unmarshal(n.Previous, &previous) != nil || json.Unmarshal(n.Previous, &members) != nil {
		return nil
	}
	for name := range members {
		if name != "custom_fields" && name != "update_time" {
			return nil
		}
	}
	return changed(string(n.Meta.EntityID), previous.Custom, data.Custom)
}

// writtenPerson names the creation of a person in the ledger of echoes.
const writtenPerson = "created"

// created is what a push that made the person wrote. Nobody else's creation is
// mistaken for it, since the number is in it.
func (n *notice) created() []connectors.Field {
	var p struct {
		Emails []address `json:"emails"`
	}
	if n.Meta.ChangeSource != "api" || n.Meta.EntityID == "" || json.Unmarshal(n.Data, &p) != nil {
		return nil
	}
	return []connectors.Field{{Record: string(n.Meta.EntityID), Name: writtenPerson, Value: strings.ToLower(chief(p.Emails))}}
}

// Numbers beyond which a time cannot be in seconds, and in milliseconds.
const (
	maxSeconds = 100_000_000_000
	maxMillis  = 100_000_000_000_000
)

// instant reads RFC 3339, or Unix seconds or milliseconds; zero when it is
// none of them.
func instant(s string) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n <= 0 || n >= maxMillis:
			return time.Time{}
		case n < maxSeconds:
			return time.Unix(n, 0).UTC()
		}
		return time.UnixMilli(n).UTC()
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || at.Year() < 1970 {
		return time.Time{}
	}
	return at
}

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
