package genericwebhook

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// untyped is the type of an event whose sender names none.
const untyped = "untyped"

// maxChallenge bounds what is sent back, in bytes.
const maxChallenge = 1024

// Receive implements connectors.Source.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	s := &c.source
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return &connectors.Receipt{Reply: s.probe(r)}, nil
	}
	if !slices.Contains(s.methods, r.Method) {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method %.20q brings no events here", r.Method)
	}
	if !s.allowed(r.Remote) {
		return nil, connectors.Reject(connectors.ErrSignature, "the request comes from an address that allowed_addresses does not list")
	}
	id, rejected := s.verify(r, c.arrived(r))
	if rejected != nil {
		return nil, rejected
	}
	if s.challenge {
		if reply, ok := challengeOf(r.Body); ok {
			return &connectors.Receipt{Reply: reply}, nil
		}
	}
	return &connectors.Receipt{Events: c.split(r, id)}, nil
}

func (c *Connector) arrived(r *connectors.Request) time.Time {
	if r.Received.IsZero() {
		return c.config.Now()
	}
	return r.Received
}

// probe answers a GET or HEAD, with the challenge of the query where that is
// wanted.
func (s *shape) probe(r *connectors.Request) connectors.Reply {
	if !s.challenge {
		return connectors.Reply{}
	}
	q, err := url.ParseQuery(r.Query)
	if err != nil {
		return connectors.Reply{}
	}
	return echoed(q.Get("challenge"))
}

// challengeOf finds {"type":"url_verification","challenge":"…"}.
func challengeOf(body []byte) (connectors.Reply, bool) {
	if !bytes.Contains(body, []byte(`"challenge"`)) {
		return connectors.Reply{}, false
	}
	var b struct{ Type, Challenge string }
	if json.Unmarshal(body, &b) != nil || b.Type != "url_verification" || b.Challenge == "" {
		return connectors.Reply{}, false
	}
	return echoed(b.Challenge), true
}

// echoed sends a text back in a form that no browser runs.
func echoed(text string) connectors.Reply {
	if text == "" || len(text) > maxChallenge {
		return connectors.Reply{}
	}
	return connectors.Reply{
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}},
		Body:   []byte(text),
	}
}

// split makes the raw events of an authentic request.
func (c *Connector) split(r *connectors.Request, id string) []connectors.RawEvent {
	s := &c.source
	base := connectors.RawEvent{Body: r.Body, Headers: s.kept(r.Header)}
	body := bytes.TrimPrefix(r.Body, []byte("\xef\xbb\xbf")) // a byte order mark is no JSON
	format, why := formatOf(r.Header, body)
	if why != "" {
		base.Type, base.Broken, base.Dedupe = untyped, why, dedupe(id, "", "", r.Body)
		return []connectors.RawEvent{base}
	}
	base.Format, base.Body = format, body
	if s.split != "" && format == connectors.FormatJSON {
		list, ok, err := items(body, splitPath(s.split))
		if err != nil {
			base.Type, base.Broken, base.Dedupe = untyped, broken(err), dedupe(id, "", "", r.Body)
			return []connectors.RawEvent{base}
		}
		if ok {
			events := make([]connectors.RawEvent, len(list))
			for i, item := range list {
				events[i] = base
				events[i].Body = item
				c.fill(&events[i], r, id, strconv.Itoa(i))
			}
			return events
		}
	}
	c.fill(&base, r, id, "")
	return []connectors.RawEvent{base}
}

// splitPath reads the setting: a dot for the body itself.
func splitPath(setting string) []string {
	setting = strings.Trim(strings.TrimPrefix(setting, "path:"), ".")
	if setting == "" {
		return nil
	}
	return strings.Split(setting, ".")
}

// formatOf says how a body is written. A body that begins like JSON is JSON
// whatever its label: many senders put none or the wrong one.
func formatOf(h http.Header, body []byte) (format, why string) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 {
		return "", "the body is empty"
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		return connectors.FormatJSON, ""
	}
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	switch {
	case kind == "application/x-www-form-urlencoded":
		return connectors.FormatForm, ""
	case trimmed[0] == '<' && (kind == "text/xml" || kind == "application/xml" || strings.HasSuffix(kind, "+xml")):
		return connectors.FormatXML, ""
	}
	return connectors.FormatJSON, ""
}

// fill finds type, time, id and echo mark of one event.
func (c *Connector) fill(e *connectors.RawEvent, r *connectors.Request, id, index string) {
	s := &c.source
	var space [3]want
	wants := space[:0]
	for _, p := range [...]place{s.kind, s.time, s.id} {
		if p.path != nil {
			wants = append(wants, want{path: p.path})
		}
	}
	otherwise := untyped
	switch e.Format {
	case connectors.FormatForm:
		if err := scanForm(e.Body, wants); err != nil {
			e.Broken = "not a form: " + err.Error()
		}
	case connectors.FormatXML:
		root, err := scanXML(e.Body, wants)
		if err != nil {
			e.Broken = "not XML: " + err.Error()
		}
		otherwise = cut(root, untyped)
	default:
		if err := scanJSON(e.Body, wants); err != nil {
			e.Broken = broken(err)
		}
	}
	e.Type = cut(value(r, s.kind, wants), otherwise)
	if t, ok := instant(value(r, s.time, wants), ""); ok {
		e.At = lifecycle.At(t)
	}
	own := ""
	if s.id.path != nil {
		own = value(r, s.id, wants)
	}
	e.Dedupe = dedupe(id, own, index, e.Body)
	e.Echo = c.echo(id, e.Body)
}

// value reads what a place holds, out of the header or of what the scan found.
func value(r *connectors.Request, p place, wants []want) string {
	if p.header != "" {
		return r.Header.Get(p.header)
	}
	for _, w := range wants {
		if w.found && slices.Equal(w.path, p.path) {
			return w.value
		}
	}
	return ""
}

// cut keeps a type short; nothing real is longer.
func cut(text, otherwise string) string {
	const most = 200
	if text == "" {
		return otherwise
	}
	if len(text) <= most {
		return text
	}
	text = text[:most]
	for len(text) > 0 && !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text
}

// dedupe is the id of the delivery with the item's place in it, or the event's
// own id, or the bytes.
func dedupe(id, own, index string, body []byte) [32]byte {
	switch {
	case own != "":
		return connectors.Dedupe("own", own)
	case id != "":
		return connectors.Dedupe("id", id, index)
	}
	return connectors.Dedupe("body", string(body), index)
}

// echo names the mark that proves a message to be this installation's own: the
// beginning of its id, or source and source_instance in its data. Messages of
// another installation are real news.
func (c *Connector) echo(id string, body []byte) string {
	if strings.HasPrefix(id, c.echoID) {
		return "webhook-id"
	}
	instance := c.config.Instance
	if instance == "" || !bytes.Contains(body, []byte(instance)) {
		return "" // which spares nearly every event the second look
	}
	marks := []want{{path: []string{"data", "source"}}, {path: []string{"data", "source_instance"}}}
	if scanJSON(body, marks) != nil || marks[0].value != sourceName || marks[1].value != instance {
		return ""
	}
	return "data.source_instance"
}

// kept gives the headers that rules may read.
func (s *shape) kept(h http.Header) map[string]string {
	var kept map[string]string
	for _, name := range s.keep {
		if v := h.Get(name); v != "" {
			if kept == nil {
				kept = map[string]string{}
			}
			kept[strings.ToLower(name)] = v
		}
	}
	return kept
}

// broken words a decoding mistake without showing what was decoded.
func broken(err error) string {
	return "not JSON: " + connectors.Words(err.Error())
}
