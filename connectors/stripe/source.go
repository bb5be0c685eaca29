package stripe

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/lifecycle"
)

// maxTypeBytes bounds a raw type; Stripe's longest has about sixty.
const maxTypeBytes = 100

// lastSecond is the end of the year 9999, beyond which a time is none.
const lastSecond = 253402300799

// Receive implements connectors.Source: one event a request. Any path below the
// connection's own is refused, so that a mistyped URL shows at Stripe.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.Trim(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "Stripe sends POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: []connectors.RawEvent{c.rawEvent(r.Body)}}, nil
}

// rawEvent reads the envelope; the body stays as Stripe wrote it, whatever
// version of the API it is in.
func (c *Connector) rawEvent(body []byte) connectors.RawEvent {
	if !jsontext.Value(body).IsValid() {
		return brokenEvent(body, "not JSON in UTF-8, or a member stands twice in one object")
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil || jsontext.Value(body).Kind() != '{' {
		return brokenEvent(body, "not an event of Stripe's")
	}
	kind := printable(string(e.Type))
	if kind == "" || e.ID == "" {
		return brokenEvent(body, "the event has no id or no type")
	}
	raw := connectors.RawEvent{
		Type:   kind,
		Dedupe: connectors.Dedupe("event", string(e.ID)),
		Body:   body,
	}
	if s := e.Created; s > 0 && s <= lastSecond {
		raw.At = lifecycle.At(time.Unix(int64(s), 0))
	}
	if prefix := c.foreign(&e); prefix != "" {
		raw.Type = prefix + kind
		return raw
	}
	if strings.HasPrefix(kind, "customer.") && c.ours(&e) {
		raw.Echo = "idempotency key " + c.mark + "…"
		return raw
	}
	raw.NeedsRecord = !c.api.anonymous() && wantsRecord(kind) && e.Data.Object.customerID() != ""
	return raw
}

// foreign gives the prefix of events that are not of this account and mode:
// those of connected accounts, and test events where live ones are wanted or
// the other way round. They are kept, and no default rule takes them.
func (c *Connector) foreign(e *envelope) string {
	switch {
	case e.Account != "":
		return "connect."
	case c.mode == modeLive && e.Livemode == isFalse:
		return "testmode."
	case c.mode == modeTest && e.Livemode == isTrue:
		return "livemode."
	}
	return ""
}

// ours reports whether a write of this installation made the change: Stripe
// repeats the idempotency key of the request that caused an event.
func (c *Connector) ours(e *envelope) bool {
	return strings.HasPrefix(string(e.Request.IdempotencyKey), c.mark)
}

// wantsRecord reports whether events of a type name their customer by nothing
// but an id, so that the person's address has to be asked for.
func wantsRecord(kind string) bool {
	switch kind {
	case "charge.refunded", "payment_intent.succeeded":
		return true
	}
	return strings.HasPrefix(kind, "customer.subscription.")
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
