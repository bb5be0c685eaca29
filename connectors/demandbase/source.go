package demandbase

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	signatureHeader  = "X-DemandbaseAPI-AlertDataSignature"
	validationHeader = "X-DemandbaseAPI-ValidationCode"

	// maxCode bounds the validation code that is given back.
	maxCode = 1000
)

// alert is a page of alerts. Each kind has a member of its own.
type alert struct {
	Type         string            `json:"subscriptionType"`
	AlertID      json.RawMessage   `json:"alertId"`
	Subscription json.RawMessage   `json:"subscriptionId"`
	Companies    []json.RawMessage `json:"companyAlertDetails"`
	News         []json.RawMessage `json:"companyNewsAlertDetails"`
	People       []json.RawMessage `json:"dbPersonAlertDetails"`
	Trees        []json.RawMessage `json:"companyFamilyTreeAlertDetails"`
}

// Receive implements connectors.Source. A webhook is first asked with HEAD
// whether it wants to be one: the code in a header has to be given back, which
// proves nothing about the sender and tells nothing to anybody.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	switch {
	case r.Path != "" && r.Path != "/":
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	case r.Method == http.MethodHead:
		return validated(r), nil
	case r.Method != http.MethodPost:
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is neither POST nor HEAD")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: alerts(r.Body, r.Received)}, nil
}

func validated(r *connectors.Request) *connectors.Receipt {
	code := r.Header.Get(validationHeader)
	if code == "" || len(code) > maxCode {
		return &connectors.Receipt{}
	}
	for _, b := range []byte(code) {
		if b < ' ' || b > '~' {
			return &connectors.Receipt{}
		}
	}
	reply := connectors.Reply{Header: http.Header{}}
	reply.Header.Set(validationHeader, code)
	return &connectors.Receipt{Reply: reply}
}

// verify compares the HMAC-SHA1 of the body. Whether the header holds it in hex
// or base64 is not documented; no text can be both and right in both.
func (c *Connector) verify(r *connectors.Request) error {
	given := r.Header.Values(signatureHeader)
	live := false
	for _, s := range c.cfg.Secrets[secretSigning] {
		live = live || !s.Empty()
	}
	switch {
	case !live:
		return connectors.Reject(connectors.ErrUnconfigured, "the connection has no signing secret")
	case len(given) == 0 || given[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", signatureHeader)
	case len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there more than once", signatureHeader)
	}
	for _, s := range c.cfg.Secrets[secretSigning] {
		if s.Empty() {
			continue
		}
		mac := connectors.MAC(sha1.New, []byte(s.Reveal()), r.Body)
		if connectors.EqualHex(given[0], mac) || connectors.EqualBase64(given[0], mac) {
			return nil
		}
	}
	return connectors.Reject(connectors.ErrSignature, "the header %s does not fit the connection's signing secret", signatureHeader)
}

// alerts splits a delivery into one raw event a company or person.
func alerts(body []byte, received time.Time) []connectors.RawEvent {
	var a alert
	if err := readAlert(body, &a); err != nil {
		return []connectors.RawEvent{{Type: "alert", Dedupe: connectors.Dedupe("broken", string(body)), Body: body, Broken: err.Error()}}
	}
	// Without an alert's id the day stands in for it: no subscription tells of
	// the same thing more often, and a repeat comes soon.
	mark := string(a.AlertID)
	if mark == "" {
		mark = received.UTC().Format(time.DateOnly)
	}
	var events []connectors.RawEvent
	for _, kind := range []struct {
		name    string
		details []json.RawMessage
	}{{"company", a.Companies}, {"companyNews", a.News}, {"dbPerson", a.People}, {"companyFamilyTree", a.Trees}} {
		for _, detail := range kind.details {
			events = append(events, connectors.RawEvent{
				Type: kind.name, Dedupe: connectors.Dedupe(kind.name, mark, string(a.Subscription), string(detail)),
				At: newsTime(detail), Body: detail,
			})
		}
	}
	if events == nil {
		// Of a form that is not documented: kept whole.
		events = []connectors.RawEvent{{Type: "alert", Dedupe: connectors.Dedupe("alert", mark, string(body)), Body: body}}
	}
	return events
}

func readAlert(body []byte, a *alert) error {
	switch {
	case !utf8.Valid(body):
		return errors.New("a text is not valid UTF-8")
	case json.Unmarshal(body, a) != nil:
		return errors.New("not the JSON of an alert, or cut off")
	}
	return nil
}

// newsTime is the time of a piece of news, the only alert that has one.
func newsTime(detail json.RawMessage) lifecycle.Instant {
	var d struct {
		Timestamp string `json:"timestamp"`
	}
	if json.Unmarshal(detail, &d) != nil {
		return 0
	}
	t, err := time.Parse(time.RFC3339, d.Timestamp)
	if err != nil {
		return 0
	}
	return lifecycle.At(t)
}
