package mailchimp

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// Mailchimp Transactional (Mandrill) posts one form field, mandrill_events, a
// JSON array of up to 1,000 events, about once a minute. Source:
// https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/.
const (
	transactionalHeader = "X-Mandrill-Signature"
	transactionalField  = "mandrill_events"
	// transactionalTestKey signs the empty list that Mandrill posts when a
	// webhook is being made, before there is a key to sign with.
	transactionalTestKey = "test-webhook"
	// maxTransactional bounds one delivery, at ten times the vendor's limit.
	maxTransactional = 10_000
)

// receiveTransactional verifies and splits one delivery. Its signature has no
// time in it, so a delivery is never stale; the dedupe keys make a replay
// harmless.
func (c *Connector) receiveTransactional(r *connectors.Request) (*connectors.Receipt, error) {
	fields, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return nil, connectors.Reject(connectors.ErrMalformed, "the body is not a form")
	}
	given := r.Header.Values(transactionalHeader)
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return nil, connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", transactionalHeader)
	case len(given) > 1:
		return nil, connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", transactionalHeader, len(given))
	}
	lists := fields[transactionalField]
	empty := len(lists) == 1 && string(bytes.Join(bytes.Fields([]byte(lists[0])), nil)) == "[]"
	keys := c.cfg.Keys(secretTransactional)
	if empty {
		keys = append(keys, secret.New(transactionalTestKey))
	}
	if len(keys) == 0 {
		return nil, connectors.Reject(connectors.ErrUnconfigured, "set transactional_key, so that the sender can be proved")
	}
	if !transactionalSigned(given[0], c.transactionalURL(r), fields, keys) {
		return nil, connectors.Reject(connectors.ErrSignature,
			"the signature in %s fits no transactional_key of this connection, or the URL at Mandrill differs from transactional_url", transactionalHeader)
	}
	if empty {
		return &connectors.Receipt{}, nil
	}
	if len(lists) != 1 {
		return &connectors.Receipt{Events: []connectors.RawEvent{brokenTransactional(r.Body, connectors.FormatForm,
			fmt.Sprintf("the form has %s %d times, want it once", transactionalField, len(lists)))}}, nil
	}
	list := []byte(lists[0])
	events, err := splitTransactional(list)
	if err != nil {
		// All or nothing: what follows a syntax error cannot be told apart.
		events = []connectors.RawEvent{brokenTransactional(list, connectors.FormatJSON, err.Error())}
	}
	return &connectors.Receipt{Events: events}, nil
}

// transactionalURL is what the signature covers: the webhook's URL as it is
// entered at the vendor, with its query.
func (c *Connector) transactionalURL(r *connectors.Request) string {
	if as := c.cfg.Settings[fieldTransactional]; as != "" {
		return as
	}
	u := c.cfg.PublicURL + r.Path
	if r.Query != "" {
		u += "?" + r.Query
	}
	return u
}

// transactionalSigned checks base64(HMAC-SHA1(key, URL + name + value + …)),
// the fields sorted by name and decoded.
func transactionalSigned(given, address string, fields url.Values, keys []secret.Text) bool {
	parts := [][]byte{[]byte(address)}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range fields[name] {
			parts = append(parts, []byte(name), []byte(value))
		}
	}
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha1.New, []byte(key.Reveal()), parts...)
		signed = connectors.EqualBase64(given, mac) || signed
	}
	return signed
}

// splitTransactional cuts the array into its elements, each with its own bytes. An
// element that is complete but wrong is broken by itself; an array that does
// not parse is an error.
func splitTransactional(list []byte) ([]connectors.RawEvent, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(list), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != '[' {
		return nil, errors.New("mandrill_events is not a JSON array")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, fmt.Errorf("mandrill_events is not JSON: %w", err)
	}
	var events []connectors.RawEvent
	for d.PeekKind() != ']' {
		if len(events) == maxTransactional {
			return nil, fmt.Errorf("mandrill_events has more than %d events", maxTransactional)
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("mandrill_events is not JSON in its event %d", len(events)+1)
		}
		end := int(d.InputOffset())
		events = append(events, transactionalEvent(list[end-len(value):end:end]))
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, errors.New("mandrill_events does not end")
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("mandrill_events has text after its end")
	}
	return events, nil
}

// transactionalEvent reads one event. Messages tell their event; changes of the
// rejection lists tell a type and an action instead.
func transactionalEvent(body []byte) connectors.RawEvent {
	var e struct {
		Event string         `json:"event"`
		Type  string         `json:"type"`
		At    jsontext.Value `json:"ts"`
		ID    string         `json:"_id"`
		URL   string         `json:"url"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return brokenTransactional(body, connectors.FormatJSON, "the event is not a JSON object of the known form, or names a member twice")
	}
	name := cmp.Or(e.Event, e.Type)
	if name == "" {
		return brokenTransactional(body, connectors.FormatJSON, "the event has neither event nor type")
	}
	raw := connectors.RawEvent{Type: short("mandrill." + name), Format: connectors.FormatJSON, Body: body}
	if seconds, err := strconv.ParseInt(string(e.At), 10, 64); err == nil && seconds > 0 && seconds < 1<<37 {
		raw.At = lifecycle.Instant(seconds * 1_000_000)
	}
	if e.Event != "" && e.ID != "" {
		// _id is the message's, so event and time belong to the key.
		raw.Dedupe = connectors.Dedupe("mandrill", e.ID, e.Event, string(e.At), e.URL)
		return raw
	}
	raw.Dedupe = connectors.Dedupe("mandrill", name, string(body))
	return raw
}

func brokenTransactional(body []byte, format, why string) connectors.RawEvent {
	return connectors.RawEvent{
		Type: "mandrill", Format: format, Body: body, Broken: why,
		Dedupe: connectors.Dedupe("mandrill", "broken", string(body)),
	}
}
