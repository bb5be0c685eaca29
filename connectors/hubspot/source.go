package hubspot

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// Receive implements connectors.Source for the two ways in which HubSpot
// calls: the webhooks of an app, always an array, and the workflow action "Send
// a webhook", always one object.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "HubSpot sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	chunks := split(r.Body)
	events := make([]connectors.RawEvent, len(chunks))
	for i, one := range chunks {
		events[i] = c.rawEvent(one)
	}
	return &connectors.Receipt{Events: events}, nil
}

// rawEvent decodes one element as far as its identity needs; the body stays
// as HubSpot wrote it.
func (c *Connector) rawEvent(one chunk) connectors.RawEvent {
	if one.broken != "" {
		return brokenEvent(one.bytes, one.broken)
	}
	var n notice
	if err := json.Unmarshal(one.bytes, &n); err != nil {
		return brokenEvent(one.bytes, brokenWords(one.bytes, err))
	}
	if jsontext.Value(one.bytes).Kind() != '{' {
		return brokenEvent(one.bytes, "not an object") // null
	}
	kind := string(n.SubscriptionType)
	if kind == "" {
		kind = string(n.EventType)
	}
	if kind == "" {
		return c.workflowEvent(one.bytes, n)
	}
	e := connectors.RawEvent{
		Type:   stableType(kind, string(n.ObjectTypeID)),
		Dedupe: n.dedupe(kind, one.bytes),
		At:     lifecycle.At(n.OccurredAt.time()),
		Body:   one.bytes,
	}
	if e.Type == "contact.propertyChange" {
		// Named on an echo too, so that the ledger's entry for it can be used up.
		e.Written = []connectors.Field{{Record: string(n.ObjectID), Name: string(n.PropertyName), Value: string(n.PropertyValue)}}
	}
	if c.ours(e.Type, n) {
		e.Echo = "sourceId " + c.app
		return e
	}
	e.NeedsRecord = c.authenticated() && subjectOf(e.Type, n).id != ""
	return e
}

// ours reports whether this connection made the change: our app is named as its
// source, and it is one of the two kinds of change that a push makes.
func (c *Connector) ours(kind string, n notice) bool {
	return c.app != "" && string(n.SourceID) == c.app && strings.EqualFold(string(n.ChangeSource), "INTEGRATION") &&
		(kind == "contact.propertyChange" || kind == "contact.creation")
}

// workflowEvent takes the object that a workflow sends. It has neither an event
// id nor a time of its own, so its bytes are its identity: the same object
// enrolled again unchanged says nothing new.
func (c *Connector) workflowEvent(body []byte, n notice) connectors.RawEvent {
	about := n.workflowSubject()
	if about.id == "" {
		return brokenEvent(body, "the object has neither subscriptionType nor the id of a contact, company, deal or ticket")
	}
	e := connectors.RawEvent{
		Type:   "workflow." + about.kind,
		Dedupe: connectors.Dedupe("workflow", string(body)),
		At:     lifecycle.At(text(n.UpdatedAt).time()),
		Body:   body,
	}
	e.NeedsRecord = c.authenticated()
	return e
}

// brokenEvent parks bytes that cannot be taken apart.
func brokenEvent(body []byte, why string) connectors.RawEvent {
	return connectors.RawEvent{
		Type:   "broken",
		Dedupe: connectors.Dedupe("broken", string(body)),
		Body:   body,
		Broken: why,
	}
}

// brokenWords says what is wrong with an element, with the place where the
// JSON ends to be JSON; never with what stands there.
func brokenWords(body []byte, err error) string {
	switch kind := jsontext.Value(body).Kind(); {
	case !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return "not JSON" + offsetOf(err)
	case !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)):
		return "not UTF-8" + offsetOf(err)
	case !jsontext.Value(body).IsValid():
		return "the same member twice" + offsetOf(err)
	case kind != '{':
		return "not an object"
	}
	return "a member has another type than HubSpot's" + offsetOf(err)
}

func offsetOf(err error) string {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf(" (at byte %d)", syntax.ByteOffset)
	case errors.As(err, &meaning):
		return fmt.Sprintf(" (at byte %d)", meaning.ByteOffset)
	}
	return ""
}

// dedupe is the event's key. HubSpot documents that eventId alone is not
// unique; attemptNumber differs between deliveries of one event, so it is left
// out. The ids of an association stand in for its missing objectId. An event
// without id or time is told apart by its bytes.
func (n *notice) dedupe(kind string, body []byte) [32]byte {
	parts := []string{
		string(n.PortalID), kind, string(n.ObjectID), string(n.PropertyName), string(n.EventID), string(n.OccurredAt),
		string(n.AssociationType), string(n.FromObjectID), string(n.ToObjectID),
	}
	if n.EventID == "" || n.OccurredAt == "" {
		parts = append(parts, string(body))
	}
	return connectors.Dedupe(parts...)
}

// objectTypes names HubSpot's own object types by their ids
// (developers.hubspot.com, "Object type IDs").
var objectTypes = map[string]string{"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket"}

// stableType gives one name to the classic and the generic form of a
// subscription: object.propertyChange of type 0-1 is contact.propertyChange.
func stableType(kind, objectTypeID string) string {
	if act, generic := strings.CutPrefix(kind, "object."); generic {
		if name, ok := objectTypes[objectTypeID]; ok {
			return name + "." + act
		}
	}
	return kind
}

// time reads Unix milliseconds or RFC 3339; zero when it is neither.
func (t text) time() time.Time {
	if t == "" {
		return time.Time{}
	}
	if digits(string(t)) {
		ms, ok := milliseconds(string(t))
		if !ok {
			return time.Time{}
		}
		return time.UnixMilli(ms)
	}
	at, err := time.Parse(time.RFC3339Nano, string(t))
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}
