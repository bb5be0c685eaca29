package zendesk

import (
	"cmp"
	"encoding/json"
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

// headerInvocation is the same on every try of one call of a webhook.
const headerInvocation = "X-Zendesk-Webhook-Invocation-Id"

// maxTypeBytes bounds a raw type; the vendor's own have at most fifty.
const maxTypeBytes = 100

// Receive implements connectors.Source. One request is one event: that of an
// event webhook, whose form is Zendesk's, or that of a trigger, whose body the
// guide gives.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not POST; Zendesk's event webhooks send POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.rawEvent(r)}}, nil
}

func (c *Connector) rawEvent(r *connectors.Request) connectors.RawEvent {
	n, why := readNotice(r.Body)
	if why != "" {
		return brokenEvent(r.Body, why)
	}
	if kind := n.text("type"); kind != "" && n["type"].Kind() == '"' {
		return c.event(r.Body, kind, n)
	}
	name := n.text("event")
	if name == "" || n["event"].Kind() != '"' {
		return brokenEvent(r.Body, "the object has neither a type, as Zendesk's events have, nor an event, as the guide's trigger bodies have")
	}
	return connectors.RawEvent{
		Type:   "trigger." + short(name),
		Dedupe: connectors.Dedupe("trigger", r.Header.Get(headerInvocation), string(r.Body)),
		At:     instant(n.text("updated_at")),
		Body:   r.Body,
	}
}

// event reads an event of Zendesk's own form. An id is the same on every try.
func (c *Connector) event(body []byte, kind string, n notice) connectors.RawEvent {
	e := connectors.RawEvent{
		Type: eventType(kind),
		At:   instant(n.text("time")),
		Body: body,
	}
	if id := n.text("id"); id != "" {
		e.Dedupe = connectors.Dedupe("event", n.text("account_id"), kind, id)
	} else {
		e.Dedupe = connectors.Dedupe("event without id", string(body))
	}
	detail := n.object("detail")
	switch {
	case strings.HasPrefix(e.Type, "ticket."):
		e.NeedsRecord = c.api.authenticated() && digits(detail.text("requester_id"))
	case e.Type == "user.custom_field_changed":
		e.Written = writtenField(detail.text("id"), n.object("event"))
	case e.Type == "user.tags_changed":
		e.Written = writtenTags(detail.text("id"), n.object("event"))
	}
	return e
}

// writtenField names the user field that changed. The member that holds it is
// called field on webhooks and custom_field on Zendesk's other event feeds.
func writtenField(user string, event notice) []connectors.Field {
	for _, name := range []string{"field", "custom_field"} {
		if id := event.object(name).text("id"); id != "" {
			return []connectors.Field{{Record: user, Name: fieldMark(id), Value: event.text("current")}}
		}
	}
	return nil
}

// writtenTags names the tags that came and went.
func writtenTags(user string, event notice) []connectors.Field {
	var all []connectors.Field
	for _, change := range []string{"added", "removed"} {
		var tags []string
		if gojson.Unmarshal(event.object(change)["tags"], &tags) != nil {
			return nil
		}
		for _, tag := range tags {
			all = append(all, connectors.Field{Record: user, Name: tagMark(tag), Value: change})
		}
	}
	return all
}

// fieldMark and tagMark name what changed in the ledger of our writes.
func fieldMark(id string) string { return "field " + id }
func tagMark(tag string) string  { return "tag " + tag }

// eventType is the vendor's name without its prefix, which is
// zen:event-type: for most events and zen:event-type/ for some.
func eventType(kind string) string {
	if rest, ok := strings.CutPrefix(kind, "zen:event-type"); ok {
		kind = strings.TrimLeft(rest, ":/")
	}
	return cmp.Or(short(kind), "unknown")
}

// brokenEvent keeps bytes that cannot be decoded.
func brokenEvent(body []byte, why string) connectors.RawEvent {
	return connectors.RawEvent{Type: "unknown", Dedupe: connectors.Dedupe("broken", string(body)), Body: body, Broken: why}
}

// notice is a JSON object whose members are read one by one, so that one of
// another type than documented does not hide the rest.
type notice map[string]jsontext.Value

// readNotice decodes an object strictly: UTF-8, no member twice at any depth.
func readNotice(body []byte) (n notice, why string) {
	if err := gojson.Unmarshal(body, &n); err != nil {
		switch {
		case !utf8.Valid(body):
			return nil, "not UTF-8"
		case !json.Valid(body):
			return nil, "not JSON"
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

// instant reads RFC 3339; a time that cannot be read counts as none.
func instant(text string) lifecycle.Instant {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return 0
	}
	return lifecycle.At(at)
}

// digits reports whether a text is an id of Zendesk's.
func digits(s string) bool {
	return s != "" && s != "0" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s[:min(len(s), maxTypeBytes)])
	return s
}
