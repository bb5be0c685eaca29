package churnzero

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	// maxTypeBytes bounds a raw type.
	maxTypeBytes = 100
	// unnamed is the type of a step that names no event.
	unnamed = "play_step"
)

// told is what this package itself reads of a step; rules read the whole of
// it. The names are ours: whoever builds a play types them.
type told struct {
	event, play, step, account, contact, at string
}

// Receive implements connectors.Source. A step sends its fields as JSON, as a
// form, or as the query of a GET; it is proved by the last part of the address.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is %s, want POST or GET", short(r.Method))
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	if r.Method == http.MethodHead {
		return &connectors.Receipt{}, nil // asks about the address, and tells nothing
	}
	e := connectors.RawEvent{Body: r.Body, Format: formatOf(r)}
	if r.Method != http.MethodPost || len(bytes.TrimSpace(r.Body)) == 0 && r.Query != "" {
		if r.Query == "" {
			return &connectors.Receipt{}, nil // somebody looks whether the address answers
		}
		// The secret is in the path, so that the query holds fields alone.
		e.Body, e.Format = []byte(r.Query), connectors.FormatForm
	}
	c.fill(&e, c.arrived(r))
	return &connectors.Receipt{Events: []connectors.RawEvent{e}}, nil
}

// verify compares the last part of the address with the live secrets.
func (c *Connector) verify(r *connectors.Request) error {
	var keys []secret.Text
	for _, s := range c.cfg.Secrets[secretURL] {
		if !s.Empty() {
			keys = append(keys, s)
		}
	}
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set url_secret, so that the sender can be proved")
	}
	given := strings.TrimPrefix(r.Path, "/")
	if given == "" {
		return connectors.Reject(connectors.ErrUnsigned, "the address in the play must end with / and this connection's url_secret")
	}
	plain, err := url.PathUnescape(given)
	if err != nil {
		plain = given
	}
	matched := false
	for _, key := range keys {
		matched = key.Equal(given) || matched
		matched = key.Equal(plain) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "the end of the address fits no url_secret of this connection")
	}
	return nil
}

func (c *Connector) arrived(r *connectors.Request) time.Time {
	if r.Received.IsZero() {
		return c.cfg.Now()
	}
	return r.Received
}

// formatOf tells a form from JSON; what begins like JSON is JSON, whatever its
// label.
func formatOf(r *connectors.Request) string {
	trimmed := bytes.TrimSpace(r.Body)
	if len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return connectors.FormatJSON
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return connectors.FormatForm
	}
	return connectors.FormatJSON
}

// fill reads the fields of a step.
func (c *Connector) fill(e *connectors.RawEvent, now time.Time) {
	e.Type, e.Dedupe = unnamed, connectors.Dedupe("body", now.UTC().Format(time.DateOnly), string(e.Body))
	t, broken := read(e.Format, e.Body)
	if broken != "" {
		e.Broken = broken
		return
	}
	if kind := short(t.event); kind != "" {
		e.Type = kind
	}
	e.At = instant(t.at, now)
	if t.play != "" && (t.account != "" || t.contact != "") {
		// A step has no id of its own: one play tells of one contact once a day.
		// The day is that of arrival, since the time told may be one that never
		// changes; a call that failed is not repeated.
		told := ""
		if e.At != 0 {
			told = e.At.Time().UTC().Format(time.DateOnly)
		}
		e.Dedupe = connectors.Dedupe("step", e.Type, t.play, t.step, t.account, t.contact, told, now.UTC().Format(time.DateOnly))
	}
	if c.ownPlays != "" && strings.HasPrefix(t.play, c.ownPlays) {
		e.Echo = "the play's name begins with " + c.ownPlays
	}
}

// read decodes a body; broken says why it could not be.
func read(format string, body []byte) (t told, broken string) {
	if !utf8.Valid(body) {
		return t, "the body is not UTF-8"
	}
	get := map[string]string{}
	if format == connectors.FormatForm {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return t, "the fields cannot be read as a form"
		}
		for name, all := range values {
			get[name] = all[0]
		}
	} else {
		var members map[string]json.RawMessage
		if json.Unmarshal(body, &members) != nil || members == nil {
			return t, "the body is not a JSON object"
		}
		for name, member := range members {
			var text string
			if json.Unmarshal(member, &text) != nil {
				text = strings.Trim(string(member), `"`)
			}
			get[name] = text
		}
	}
	if len(get) == 0 {
		return t, "the step sends no fields"
	}
	return told{
		event: get["event"], play: get["play"], step: get["step"],
		account: get["accountExternalId"], contact: get["contactExternalId"], at: get["occurredAt"],
	}, ""
}

// instant reads a step's own time. A day that is today, or its neighbour where the
// tenant is in another time zone, says less than the time of arrival: zero.
func instant(text string, now time.Time) lifecycle.Instant {
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Year() > 0 && t.Year() < 9999 {
		return lifecycle.At(t)
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1 {
		return 0
	}
	if since := now.Sub(day); since < 48*time.Hour && since > -24*time.Hour {
		return 0
	}
	return lifecycle.At(day)
}

// short makes a sender's word fit for a type or a message.
func short(s string) string {
	n := len(s)
	if n > maxTypeBytes {
		n = maxTypeBytes
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s[:n])
}
