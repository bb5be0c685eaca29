package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/connectors"
)

// flowBody is the JSON that a flow's HTTP callout sends; guide.md shows it. Its
// form is ours: sObject holds the fields under their API names, as an outbound
// message does, so that the same rules read both.
type flowBody struct {
	Organization string          `json:"organization_id"`
	Object       string          `json:"object"`
	Event        string          `json:"event"`
	OccurredAt   string          `json:"occurred_at"`
	Actor        string          `json:"actor_id"`
	SObject      json.RawMessage `json:"sObject"`
}

var eventForm = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// receiveFlow reads the one event of a callout.
func (c *Connector) receiveFlow(body []byte) (*connectors.Receipt, error) {
	var f flowBody
	if err := readFlow(body, &f); err != nil {
		return &connectors.Receipt{Events: []connectors.RawEvent{broken("flow", connectors.FormatJSON, body, err)}}, nil
	}
	if err := c.fromUs(f.Organization); err != nil {
		return nil, err
	}
	e := connectors.RawEvent{
		Type: f.Object,
		// A flow names no delivery and sends none twice, so equal bytes are what
		// makes two the same.
		Dedupe:      connectors.Dedupe("flow", f.Object, f.Event, f.OccurredAt, string(body)),
		At:          instant(f.OccurredAt),
		Body:        body,
		Echo:        c.echo(f.Actor),
		NeedsRecord: c.needsRecord(f.Object),
	}
	if f.Event != "" && f.Event != "created" && f.Event != "updated" {
		e.Type, e.NeedsRecord = f.Object+"."+f.Event, false
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{e}}, nil
}

func readFlow(body []byte, f *flowBody) error {
	switch {
	case !utf8.Valid(body):
		return errors.New("a text is not valid UTF-8")
	case json.Unmarshal(body, f) != nil:
		return errors.New("not the JSON of a flow, or cut off")
	case !objectForm.MatchString(f.Object):
		return errors.New("the JSON does not say which object it is about")
	case f.Event != "" && !eventForm.MatchString(f.Event):
		return errors.New("the event is not a word of small letters")
	case !bytes.HasPrefix(bytes.TrimSpace(f.SObject), []byte("{")):
		return errors.New("the JSON has no object named sObject")
	}
	return nil
}
