package freshdesk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// simpleContent is the member, or the XML element, around a body that Freshdesk
// makes itself; it names the raw event as well.
const simpleContent = "freshdesk_webhook"

// maxTypeBytes bounds a raw type.
const maxTypeBytes = 100

// Receive implements connectors.Source. One request is about one ticket.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not POST; choose POST as the request type of the webhook")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	var e connectors.RawEvent
	if bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("<")) {
		e = readXML(r.Body)
	} else {
		e = readJSON(r.Body)
	}
	e.Body = r.Body
	// There is no id of an event or delivery, so the bytes are its identity; the
	// guide's bodies hold a time where the same may happen twice.
	e.Dedupe = connectors.Dedupe("webhook", string(r.Body))
	if e.Broken == "" && c.api.authenticated() {
		t := ticketOf(e.Format, e.Body)
		e.NeedsRecord = digits(t.id) && t.email == ""
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{e}}, nil
}

// readJSON reads a body of the guide's, which has an event, or simple content.
func readJSON(body []byte) connectors.RawEvent {
	n, why := readNotice(body)
	name := n.text("event")
	switch {
	case why != "":
	case n.object(simpleContent) != nil:
		return connectors.RawEvent{Type: simpleContent}
	case name == "" || n["event"].Kind() != '"':
		why = "the object has neither an event, as the guide's bodies have, nor " + simpleContent
	default:
		return connectors.RawEvent{Type: cmp.Or(short(name), "unknown"), At: instant(n.text("time"))}
	}
	return connectors.RawEvent{Type: "unknown", Broken: why}
}

// readXML reads simple content in XML; whether all of it is well formed shows
// when it is mapped.
func readXML(body []byte) connectors.RawEvent {
	e := connectors.RawEvent{Type: simpleContent, Format: connectors.FormatXML}
	var root struct{ XMLName xml.Name }
	if err := xml.Unmarshal(body, &root); err != nil || root.XMLName.Local != simpleContent {
		e.Type, e.Broken = "unknown", "not XML with the root "+simpleContent
	}
	return e
}

// ticket is what a webhook says of which ticket it is about.
type ticket struct{ id, email string }

// ticketOf reads the ticket out of a body of any form.
func ticketOf(format string, body []byte) ticket {
	if format == connectors.FormatXML {
		var root struct {
			ID    string `xml:"ticket_id"`
			Email string `xml:"ticket_requester_email"`
		}
		if xml.Unmarshal(body, &root) != nil {
			return ticket{}
		}
		return ticket{strings.TrimSpace(root.ID), strings.TrimSpace(root.Email)}
	}
	n, _ := readNotice(body)
	if simple := n.object(simpleContent); simple != nil {
		return ticket{simple.text("ticket_id"), simple.text("ticket_requester_email")}
	}
	return ticket{n.text("ticket_id"), strings.TrimSpace(n.text("email"))}
}

// notice is a JSON object whose members are read one by one, so that one of
// another type than expected does not hide the rest.
type notice map[string]jsontext.Value

// readNotice decodes an object strictly: UTF-8, no member twice at any depth.
func readNotice(body []byte) (n notice, why string) {
	if err := gojson.Unmarshal(body, &n); err != nil {
		switch {
		case !utf8.Valid(body):
			return nil, "not UTF-8"
		case !json.Valid(body):
			return nil, "not JSON; a quote in a placeholder's value breaks the body"
		case jsontext.Value(body).Kind() != '{':
			return nil, "not an object"
		}
		return nil, "the same member twice"
	}
	if n == nil {
		return nil, "not an object"
	}
	return n, ""
}

// text gives a member that is a string, or a number as it is written; "" for
// everything else.
func (n notice) text(name string) string {
	switch v := n[name]; v.Kind() {
	case '"':
		var s string
		if gojson.Unmarshal(v, &s) != nil {
			return ""
		}
		return s
	case '0':
		return string(v)
	}
	return ""
}

// object gives a member that is an object; nil, which may be asked, for
// everything else.
func (n notice) object(name string) notice {
	var o notice
	if n[name].Kind() != '{' || gojson.Unmarshal(n[name], &o) != nil {
		return nil
	}
	return o
}

// instant reads RFC 3339 with a zone; anything else counts as no time, since
// placeholders are written in the account's own zone and form.
func instant(text string) lifecycle.Instant {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return 0
	}
	return lifecycle.At(at)
}

// digits reports whether a text is an id of Freshdesk's.
func digits(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s[:min(len(s), maxTypeBytes)])
}
