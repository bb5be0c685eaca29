package intercom

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; the vendor's own have at most fifty.
const maxTypeBytes = 100

// otherWorkspace is the type of what another workspace than the connection's
// tells through the same app. No rule takes it.
const otherWorkspace = "other_workspace"

// Receive implements connectors.Source. One request is one notification. A
// HEAD, which may come before a webhook is saved, and the signed ping bring
// nothing.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	switch r.Method {
	case http.MethodHead:
		return &connectors.Receipt{}, nil
	case http.MethodPost:
	default:
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not POST; Intercom sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	n, why := readNotice(r.Body)
	topic := n.text("topic")
	switch {
	case why == "" && topic == "":
		why = "the object has no topic"
	case topic == "ping":
		return &connectors.Receipt{}, nil
	}
	if why != "" {
		return &connectors.Receipt{Events: []connectors.RawEvent{brokenEvent(r.Body, why)}}, nil
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.rawEvent(r.Body, topic, n)}}, nil
}

func (c *Connector) rawEvent(body []byte, topic string, n notice) connectors.RawEvent {
	e := connectors.RawEvent{
		Type: cmp.Or(short(topic), "unknown"),
		At:   seconds(n["created_at"]),
		Body: body,
	}
	app := n.text("app_id")
	if id := n.text("id"); id != "" {
		e.Dedupe = connectors.Dedupe("notification", app, id)
	} else {
		e.Dedupe = connectors.Dedupe("notification without id", string(body))
	}
	if c.workspace != "" && app != c.workspace {
		e.Type = otherWorkspace
		return e
	}
	item := n.object("data").object("item")
	switch {
	case strings.HasPrefix(e.Type, "conversation."), strings.HasPrefix(e.Type, "ticket."):
		e.NeedsRecord = c.api.authenticated() && contactOf(item) != ""
	case strings.HasSuffix(e.Type, ".tag.created"):
		e.Written = writtenTag(item, tagOn)
	case strings.HasSuffix(e.Type, ".tag.deleted"):
		e.Written = writtenTag(item, tagOff)
	case e.Type == "contact.user.updated", e.Type == "contact.lead.updated", e.Type == "contact.user.created", e.Type == "contact.lead.created":
		var shown contact
		if gojson.Unmarshal(n.object("data")["item"], &shown) == nil {
			e.Written = written(&shown)
		}
	}
	return e
}

// Values of a tag in the ledger of our writes.
const (
	tagOn  = "on"
	tagOff = "off"
)

// writtenTag names the tag that a contact got or lost.
func writtenTag(item notice, value string) []connectors.Field {
	name, id := item.object("tag").text("name"), item.object("contact").text("id")
	if name == "" || id == "" {
		return nil
	}
	return []connectors.Field{{Record: id, Name: tagMark(name), Value: value}}
}

// tagMark names a tag in the ledger; Intercom takes names of either case as one.
func tagMark(name string) string { return "tag " + strings.ToLower(name) }

// written lists a contact as an event shows it, or as the answer to a write
// did. An event tells the whole contact, so it is an echo if it shows the
// contact exactly as we left it; whoever changes anything else is never
// mistaken for us.
func written(shown *contact) []connectors.Field {
	fields := []connectors.Field{}
	add := func(name, value string) {
		fields = append(fields, connectors.Field{Record: shown.ID, Name: name, Value: value})
	}
	add("role", shown.Role)
	add("external_id", shown.ExternalID)
	add("email", shown.Email)
	add("phone", shown.Phone)
	add("name", shown.Name)
	add("unsubscribed_from_emails", strconv.FormatBool(shown.Unsubscribed))
	for _, name := range sortedKeys(shown.Attributes) {
		// Where an attribute is empty it may be told or not.
		if text := connectors.ValueText(shown.Attributes[name]); text != "" {
			add("custom_attributes."+name, text)
		}
	}
	return fields
}

// contactOf gives the id of the contact whom a conversation or ticket is about:
// who rated, who wrote last or first, else the first who takes part.
func contactOf(item notice) string {
	if ticket := item.object("ticket"); ticket != nil {
		item = ticket
	}
	if id := item.object("conversation_rating").object("contact").text("id"); id != "" {
		return id
	}
	var authors []notice
	for _, part := range slices.Backward(item.object("conversation_parts").list("conversation_parts")) {
		authors = append(authors, part.object("author"))
	}
	authors = append(authors, item.object("source").object("author"))
	people := item.object("contacts").list("contacts")
	for _, author := range authors {
		switch author.text("type") {
		case "user", "lead", "contact":
			if id := author.text("id"); id != "" {
				return id
			}
		}
	}
	if len(people) > 0 {
		return people[0].text("id")
	}
	return ""
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

// text gives a member that is a string; "" for everything else.
func (n notice) text(name string) string {
	var s string
	if n[name].Kind() != '"' || gojson.Unmarshal(n[name], &s) != nil {
		return ""
	}
	return s
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

// list gives the first few objects of a member that is a list of them.
func (n notice) list(name string) []notice {
	var all []notice
	if n[name].Kind() != '[' || gojson.Unmarshal(n[name], &all) != nil {
		return nil
	}
	return all[:min(len(all), 20)]
}

// seconds reads Unix seconds; what cannot be read counts as no time.
func seconds(v jsontext.Value) lifecycle.Instant {
	s, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || s <= 0 || s > 1<<38 {
		return 0
	}
	return lifecycle.At(time.Unix(s, 0))
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
