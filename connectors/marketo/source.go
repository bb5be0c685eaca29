package marketo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/secret"
)

// headerToken is the custom header that the webhook's set-up names.
const headerToken = "X-Stagebridge-Token"

// webhookLayout is how {{system.dateTime}} is written; it names no zone.
const webhookLayout = "2006-01-02 15:04:05"

// Bounds of what a webhook may hold.
const (
	maxTypeBytes = 100
	// maxFields of a form; a template has a dozen.
	maxFields = 1000
)

// answered is what Marketo wants to hear: an empty body is written down as an
// error (1001) even with status 200.
var answered = []byte(`{"ok":true}`)

// Receive implements connectors.Source. The body is the template that a person
// entered, so its form is decided by its first character, whatever the content
// type says.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is %s, want POST: set the webhook's Request Type to POST", short(r.Method))
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{
		Events: []connectors.RawEvent{c.webhookEvent(r)},
		Reply:  connectors.Reply{Header: http.Header{"Content-Type": {"application/json"}}, Body: answered},
	}, nil
}

// verify compares the token of the header, or of the URL where there is none.
func (c *Connector) verify(r *connectors.Request) error {
	var keys []secret.Text
	for _, key := range c.cfg.Secrets[secretWebhook] {
		if !key.Empty() {
			keys = append(keys, key)
		}
	}
	given, where := r.Header.Values(headerToken), "the header "+headerToken
	if len(given) == 0 {
		query, err := url.ParseQuery(r.Query)
		if err != nil {
			return connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
		}
		if given = query["key"]; len(given) > 0 {
			where = "key= in the URL"
		}
	}
	switch {
	case len(keys) == 0:
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_token, so that the sender can be proved")
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "%s is missing; add it under Set Custom Header", where)
	case len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "%s is there %d times", where, len(given))
	}
	matched := false
	for _, key := range keys {
		matched = key.Equal(given[0]) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "%s fits no webhook_token of this connection", where)
	}
	return nil
}

// webhookEvent reads the one event of a webhook. Marketo gives no id, so the
// event's own bytes and its time make two of them the same; a template without
// a time is told apart by the second of its arrival, since the same person may
// well do the same thing again.
func (c *Connector) webhookEvent(r *connectors.Request) connectors.RawEvent {
	format := connectors.FormatForm
	if bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{")) {
		format = connectors.FormatJSON
	}
	fields, err := readFields(r.Body, format)
	when := fields["occurred_at"]
	if when == "" || strings.Contains(when, "{{") {
		when = strconv.FormatInt(r.Received.Unix(), 10)
	}
	e := connectors.RawEvent{
		Type:   "webhook." + cmp.Or(short(fields["event"]), "unknown"),
		Dedupe: connectors.Dedupe("webhook", fields["lead_id"], fields["campaign_id"], fields["event"], when, string(r.Body)),
		Format: format, Body: r.Body,
	}
	switch {
	case err != nil:
		e.Broken = err.Error()
	case fields["event"] == "":
		e.Broken = "the template gives no event"
	case fields["lead_id"] == "" && fields["email"] == "":
		e.Broken = "the template gives neither lead_id nor email"
	}
	for _, name := range []string{"event", "lead_id", "email"} {
		if v := fields[name]; strings.Contains(v, "{{") && e.Broken == "" {
			e.Broken = "Marketo did not fill in the token of " + name
		}
	}
	if c.zone != nil {
		// A time that cannot be read counts as none: the rest of the event is good.
		if at, err := time.ParseInLocation(webhookLayout, fields["occurred_at"], c.zone); err == nil {
			e.At = lifecycle.At(at)
		}
	}
	return e
}

// readFields gives the members of a webhook that are looked at here, as texts.
func readFields(body []byte, format string) (map[string]string, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	fields := map[string]string{}
	if format == connectors.FormatJSON {
		var object map[string]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&object); err != nil || d.More() {
			return nil, errors.New("the body is not one JSON object; an empty number token leaves a hole in the template")
		}
		for name, value := range object {
			switch v := value.(type) {
			case string:
				fields[name] = meant(v)
			case json.Number:
				fields[name] = v.String()
			}
		}
		return fields, nil
	}
	if bytes.Count(body, []byte("&")) >= maxFields {
		return nil, errors.New("the form has too many fields")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the body is neither a JSON object nor a form")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, errors.New("the form has a field more than once")
		}
		fields[name] = meant(values[0])
	}
	return fields, nil
}

// meant is what a token stands for: Marketo writes null or nothing for what a
// person lacks.
func meant(value string) string {
	value = strings.TrimSpace(value)
	if value == "null" {
		return ""
	}
	return value
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
