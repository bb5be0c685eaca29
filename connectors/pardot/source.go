package pardot

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

const (
	// keyHeader carries the secret itself: a custom header of the named
	// credential.
	keyHeader = "X-Stagebridge-Key"
	// signatureHeader carries a hex HMAC-SHA256 of the body, which the Apex
	// code computes with the secret.
	signatureHeader = "X-Stagebridge-Signature"
)

// action is the JSON that an external action sends; guide.md shows it and the
// Apex class that does. Its form is ours.
type action struct {
	EventID    string          `json:"event_id"`
	Event      string          `json:"event"`
	OccurredAt string          `json:"occurred_at"`
	Unit       string          `json:"business_unit_id"`
	Prospect   json.RawMessage `json:"prospect"`
}

var eventForm = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// Receive implements connectors.Source: one JSON object of an external action.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Path != "" && r.Path != "/" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	var a action
	if err := readAction(r.Body, &a); err != nil {
		return receipt(connectors.RawEvent{Type: "action", Dedupe: connectors.Dedupe("broken", string(r.Body)), Body: r.Body, Broken: err.Error()}), nil
	}
	if c.unit != "" && a.Unit != "" && short(a.Unit) != short(c.unit) {
		return nil, connectors.Reject(connectors.ErrSignature, "the request comes from another business unit than the setting %s names", settingUnit)
	}
	e := connectors.RawEvent{
		Type:   "action." + a.Event,
		Dedupe: connectors.Dedupe("action", a.EventID),
		At:     instant(a.OccurredAt),
		Body:   r.Body,
	}
	if a.EventID == "" {
		e.Dedupe = connectors.Dedupe("action of", string(r.Body))
	}
	return receipt(e), nil
}

func receipt(e connectors.RawEvent) *connectors.Receipt {
	return &connectors.Receipt{Events: []connectors.RawEvent{e}}
}

func readAction(body []byte, a *action) error {
	switch {
	case !utf8.Valid(body):
		return errors.New("a text is not valid UTF-8")
	case json.Unmarshal(body, a) != nil:
		return errors.New("not the JSON of an external action, or cut off")
	case !eventForm.MatchString(a.Event):
		return errors.New("the event is not a word of small letters")
	case !bytes.HasPrefix(bytes.TrimSpace(a.Prospect), []byte("{")):
		return errors.New("the JSON has no object named prospect")
	}
	return nil
}

// verify checks the proof that the setting asks for; the other one does not
// count.
func (c *Connector) verify(r *connectors.Request) error {
	header := keyHeader
	if c.signed {
		header = signatureHeader
	}
	given := r.Header.Values(header)
	live := false
	for _, s := range c.cfg.Secrets[secretWebhook] {
		live = live || !s.Empty()
	}
	switch {
	case !live:
		return connectors.Reject(connectors.ErrUnconfigured, "the connection has no webhook secret")
	case len(given) == 0 || given[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", header)
	case len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there more than once", header)
	}
	for _, s := range c.cfg.Secrets[secretWebhook] {
		switch {
		case s.Empty():
		case c.signed && connectors.EqualHex(given[0], connectors.MAC(sha256.New, []byte(s.Reveal()), r.Body)):
			return nil
		case !c.signed && s.Equal(given[0]):
			return nil
		}
	}
	return connectors.Reject(connectors.ErrSignature, "the header %s does not fit the connection's secret", header)
}

// short is the part of a business unit's id that its forms of 15 and 18
// characters share.
func short(id string) string { return id[:min(len(id), 15)] }

// instant reads a time with its zone; zero where it cannot be read.
func instant(text string) lifecycle.Instant {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return lifecycle.At(t)
}
