package connectors

import (
	"context"
	"time"
)

// Poller fetches what is new at a vendor that calls nobody. A connection whose
// connector is one is asked by the clock, and what it gives is kept as though
// it had come in a request.
type Poller interface {
	// Fetch gives raw events since the cursor and the cursor to go on from. The
	// two are stored together, so that a crash between them can't happen; pages
	// may overlap, since RawEvent.Dedupe tells events apart. An empty cursor is
	// a connection's first call: it begins at now, not with all history. The
	// error is a *PushError, and the same cursor is asked with again.
	Fetch(ctx context.Context, cursor string) (*Fetched, error)
	// Interval is the pause between calls when nothing more waits. It is
	// constant and at least a second.
	Interval() time.Duration
}

// Fetched is one page of what is new.
type Fetched struct {
	Events []RawEvent
	Cursor string
	// More asks to be called again at once.
	More bool
}

// Lister lists the people at a vendor.
type Lister interface {
	// List gives the page at the cursor; empty is the first. The error is a
	// *PushError.
	List(ctx context.Context, cursor string) (*Listed, error)
}

// Listed is a page of people.
type Listed struct {
	People []Listing
	// Cursor of the next page; empty at the end.
	Cursor string
}

// Listing is one person as a vendor holds them.
type Listing struct {
	VendorID string
	Email    string
	// State holds what the vendor has of stage and segments, as Reader gives it.
	State State
}

// Eraser forwards a request for erasure to a vendor.
type Eraser interface {
	// Erase removes the person, or files the vendor's own request for it. An
	// error (a *PushError) leaves it open whether it was done; asking again is
	// harmless.
	Erase(ctx context.Context, who Update) (*Erased, error)
}

// Erased says what became of a request for erasure.
type Erased struct {
	// Outcome is OK when the vendor no longer holds the person, also where it
	// never did; Submitted when it took the request; else as for a push.
	Outcome Outcome
	Reason  Reason
	Message string
	// Proof is what the certificate quotes: the vendor's request id, or its
	// answer, without anything personal.
	Proof string
}

// TrackingAPI is a Source that also takes requests at the root paths /v1/*, so
// that an unmodified client library which only knows a host can send to us.
// Path of such a Request begins with /v1/.
type TrackingAPI interface {
	Source
	// Accepts reports whether the request carries this connection's key.
	Accepts(r *Request) bool
}
