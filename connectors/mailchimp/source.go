package mailchimp

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// transactionalPath is where Mailchimp Transactional delivers, below the
// connection's own URL.
const transactionalPath = "/transactional"

// firedAtLayout is how fired_at is written; it names no zone.
const firedAtLayout = "2006-01-02 15:04:05"

// eventOnly are merges of a webhook that are no merge fields of the API.
var eventOnly = []string{"EMAIL", "INTERESTS", "GROUPINGS"}

// maxTypeBytes bounds a raw type; the vendor's own have at most twenty.
const maxTypeBytes = 100

// Receive implements connectors.Source. Mailchimp asks whether a URL is alive
// with a bare GET (Transactional: HEAD) that carries no proof, so probes are
// answered before anything is verified and bring no events.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	path := strings.TrimSuffix(r.Path, "/")
	if path != "" && path != transactionalPath {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return &connectors.Receipt{}, nil
	case http.MethodPost:
	default:
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is %s, want POST, or GET and HEAD for a probe", short(r.Method))
	}
	if path == transactionalPath {
		return c.receiveTransactional(r)
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.audienceEvent(r.Body)}}, nil
}

// audienceEvent reads the one event of an audience webhook.
func (c *Connector) audienceEvent(body []byte) connectors.RawEvent {
	f, err := readForm(body)
	e := connectors.RawEvent{
		Type:   cmp.Or(short(f.kind), "unknown"),
		Dedupe: connectors.Dedupe("audience", f.kind, f.list, f.subject(), f.firedAt, string(body)),
		Format: connectors.FormatForm,
		Body:   body,
	}
	switch {
	case err != nil:
		e.Broken = err.Error()
		return e
	case f.kind == "":
		e.Broken = "the form has no field named type"
		return e
	}
	// A time that cannot be read counts as none: the rest of the event is good.
	if at, err := time.ParseInLocation(firedAtLayout, f.firedAt, c.zone); err == nil {
		e.At = lifecycle.At(at)
	}
	if f.kind == "profile" {
		e.Written = c.written(f.email, f.merges)
	}
	return e
}

// written lists a contact's merge fields as an event reports them, or as the
// answer to a write showed them. An event tells all fields, so it is an echo
// if it shows the contact exactly as we left it; whoever changes anything else
// is never mistaken for us. The record is the address, since a webhook's id is
// not the API's. It is nil unless the webhook reports API changes: otherwise no
// echo ever arrives, and what we last wrote could explain away a person's
// change back to it.
func (c *Connector) written(email string, merges map[string]string) []connectors.Field {
	if !c.apiChanges {
		return nil
	}
	var fields []connectors.Field
	record := normalEmail(email)
	for _, tag := range slices.Sorted(maps.Keys(merges)) {
		if !slices.Contains(eventOnly, tag) {
			fields = append(fields, connectors.Field{Record: record, Name: tag, Value: merges[tag]})
		}
	}
	return fields
}

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	if len(s) > maxTypeBytes {
		s = cutBytes(s, maxTypeBytes)
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// cutBytes cuts at most n bytes off a text without splitting a character.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
