package connectors

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Source turns one HTTP request of the vendor into raw events.
type Source interface {
	// Receive verifies the request and splits it. It makes no request and
	// keeps nothing of r after it returns, but the bodies of the raw events may
	// be parts of r.Body.
	//
	// Errors: *RejectError when the sender is not proved or the request cannot
	// be taken. An authentic request that cannot be decoded is not an error:
	// it is a receipt with one raw event whose Broken says what is wrong, since
	// a 4xx would make many vendors retry for days or block their queue.
	Receive(r *Request) (*Receipt, error)
}

// Request is one inbound HTTP request, read wholly.
type Request struct {
	Method string
	// URL is the full public URL with query, as the vendor called it: built
	// from PUBLIC_URL, never from the Host header.
	URL string
	// Path is what follows /hooks/<connection>, with its leading slash, or "".
	Path string
	// Query is the raw query, secrets included; it must not be stored.
	Query  string
	Header http.Header
	// Body is the undecoded body.
	Body     []byte
	Received time.Time
	// Remote is the sender's address, past trusted proxies; not valid when it
	// is not known.
	Remote netip.Addr
}

// When is when the request came; the clock's time where the caller does not say.
func (r *Request) When(now func() time.Time) time.Time {
	if r.Received.IsZero() {
		return now()
	}
	return r.Received
}

// Receipt is what a request brought.
type Receipt struct {
	// Events may be empty: a probe or a challenge brings none.
	Events []RawEvent
	// Reply is sent once the events are durable. The zero value is 200 with an
	// empty body.
	Reply Reply
}

// Reply is an HTTP answer.
type Reply struct {
	Status int // 0 is 200
	Header http.Header
	Body   []byte
}

// Formats of a raw event's body.
const (
	FormatJSON = "json"
	FormatForm = "form" // application/x-www-form-urlencoded; a[b][c]=v nests
	FormatXML  = "xml"  // elements become members by local name
)

// RawEvent is one thing that a vendor told, as it told it.
type RawEvent struct {
	// Type is the vendor's own name for it, for example "contact.propertyChange".
	Type string
	// Dedupe is what makes two deliveries the same event, as the vendor's
	// documentation names it: see Dedupe.
	Dedupe [32]byte
	// At is the event's own time, zero when the vendor gives none.
	At lifecycle.Instant
	// Format of Body: FormatJSON ("" too), FormatForm or FormatXML.
	Format string
	// Body holds the event's own bytes, unchanged.
	Body []byte
	// Headers that carry meaning for rules, lower-case names; usually nil.
	Headers map[string]string
	// Echo is set when the vendor's mark proves that this is our own write
	// coming back; it names the mark.
	Echo string
	// NeedsRecord asks for enrichment before mapping.
	NeedsRecord bool
	// Written lists fields of this event that our own last write may explain;
	// it is compared with the ledger (rule 'Echoes').
	Written []Field
	// Public is set when nothing proves the sender: a key that browsers know. A
	// public event joins no two people that are known, claims no stage and asks
	// for no erasure.
	Public bool
	// Broken is why the bytes could not be decoded; empty for a good event.
	Broken string
}

// Field is one value of one record at the vendor, as an event reports it.
type Field struct {
	// Record is the vendor's id of the record (or the e-mail address where the
	// vendor identifies people so), Name the vendor's field, Value its text.
	Record, Name, Value string
}

// Enricher fetches the record that a raw event is about.
type Enricher interface {
	// Enrich gives one Record per lookup, in the same order. It calls the
	// vendor in batches. A non-nil error (a *PushError) means that none is
	// known and all may be asked for again.
	Enrich(ctx context.Context, lookups []Lookup) ([]Record, error)
}

// Lookup is a raw event that lacks its record.
type Lookup struct {
	Type string
	Body []byte
}

// Record is an object at the vendor.
type Record struct {
	// JSON is one flat object with id, properties, and "contacts": a list of
	// the people it concerns. nil: the record is gone, which is an answer.
	JSON json.RawMessage
	// ModifiedAt is the record's own modification time, zero when unknown.
	ModifiedAt lifecycle.Instant
	// Err asks for this one to be tried again or says it never will work.
	Err *PushError
}
