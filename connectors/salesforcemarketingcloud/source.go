package salesforcemarketingcloud

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// typeChallenge is the raw type of the question whether a callback is ours; its
// enrichment answers it.
const typeChallenge = "ens.challenge"

// maxTypeBytes bounds a raw type; the vendor's longest has about fifty.
const maxTypeBytes = 100

// lastMilli is the end of the year 9999, beyond which a time is none.
const lastMilli = 253402300799999

// Receive implements connectors.Source: a list of events a request, or the
// challenge to a new callback.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Marketing Cloud sends POST")
	}
	if c.challenged(r) {
		return &connectors.Receipt{Events: []connectors.RawEvent{{
			Type: typeChallenge, Dedupe: connectors.Dedupe("challenge", string(r.Body)), Body: r.Body, NeedsRecord: true,
		}}}, nil
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: split(r.Body)}, nil
}

// split cuts a list into its events; each keeps its own bytes. One event that is
// not in a list is taken as well. A body that is no JSON stays whole.
func split(body []byte) []connectors.RawEvent {
	if !jsontext.Value(body).IsValid() {
		return []connectors.RawEvent{brokenEvent(body, "not JSON in UTF-8, or a member stands twice in one object")}
	}
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if d.PeekKind() != '[' {
		return []connectors.RawEvent{rawEvent(body)}
	}
	var events []connectors.RawEvent
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() != ']' {
		var v jsontext.Value
		if v, err = d.ReadValue(); err == nil {
			end := int(d.InputOffset())
			events = append(events, rawEvent(body[end-len(v):end:end]))
		}
	}
	return events
}

// notice is what is read of an event; the rest travels in the body.
type notice struct {
	Type      loose `json:"eventCategoryType"`
	Timestamp loose `json:"timestampUTC"`
	MID       loose `json:"mid"`
	Composite struct {
		Job        loose `json:"jobId"`
		Batch      loose `json:"batchId"`
		List       loose `json:"listId"`
		Subscriber loose `json:"subscriberId"`
	} `json:"composite"`
	Info struct {
		Message loose `json:"messageKey"`
		Link    loose `json:"jobUrlId"`
	} `json:"info"`
}

func rawEvent(body []byte) connectors.RawEvent {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil || jsontext.Value(body).Kind() != '{' {
		return brokenEvent(body, "not an event of Marketing Cloud's")
	}
	kind := printable(string(n.Type))
	if kind == "" {
		return brokenEvent(body, "the event has no eventCategoryType")
	}
	e := connectors.RawEvent{Type: kind, Dedupe: n.dedupe(kind, body), Body: body}
	if ms, err := strconv.ParseInt(string(n.Timestamp), 10, 64); err == nil && ms > 0 && ms <= lastMilli {
		e.At = lifecycle.At(time.UnixMilli(ms))
	}
	return e
}

// dedupe is the event's key: there is no id, so whom, what and when stand for
// it. An event that lacks them is told apart by its bytes.
func (n *notice) dedupe(kind string, body []byte) [32]byte {
	parts := []string{
		"event", kind, string(n.MID), string(n.Composite.Job), string(n.Composite.Batch), string(n.Composite.List),
		string(n.Composite.Subscriber), string(n.Info.Message), string(n.Timestamp), string(n.Info.Link),
	}
	if n.Timestamp == "" || n.Composite.Subscriber == "" && n.Info.Message == "" {
		parts = append(parts, string(body))
	}
	return connectors.Dedupe(parts...)
}

// brokenEvent parks bytes that are no event.
func brokenEvent(body []byte, why string) connectors.RawEvent {
	return connectors.RawEvent{Type: "broken", Dedupe: connectors.Dedupe("broken", string(body)), Body: body, Broken: why}
}

// printable gives a type that is fit to be shown and stored, or "".
func printable(s string) string {
	if len(s) > maxTypeBytes || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return ""
	}
	return s
}

// loose is a JSON string or number as text, and empty for any other value: ids
// come in both forms.
type loose string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *loose) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case '"':
		plain, err := jsontext.AppendUnquote(nil, v)
		*l = loose(plain)
		return err
	case '0':
		*l = loose(v)
	}
	return nil
}
