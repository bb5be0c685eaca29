package connectors

import (
	"errors"
	"fmt"
	"time"
)

// Reason is why something did not go through. The list is closed: reasons are
// metric labels and filters.
type Reason string

// Reasons of a push, an enrichment or a check.
const (
	ReasonNone         Reason = ""
	ReasonTimeout      Reason = "timeout"       // the outcome is unknown
	ReasonConnection   Reason = "connection"    // refused, reset, no route, TLS
	ReasonBlocked      Reason = "blocked"       // our own guard refused the address
	ReasonRedirect     Reason = "redirect"      // 3xx is never followed
	ReasonRateLimit    Reason = "rate_limit"    // 429 or the vendor's form of it
	ReasonServer       Reason = "server"        // 5xx and the like
	ReasonAuth         Reason = "auth"          // 401: credentials refused
	ReasonForbidden    Reason = "forbidden"     // 403: scope or permission missing
	ReasonNotFound     Reason = "not_found"     // 404
	ReasonGone         Reason = "gone"          // 410: the receiver wants no more
	ReasonConflict     Reason = "conflict"      // 409
	ReasonInvalid      Reason = "invalid"       // 400, 422: the vendor refuses the content
	ReasonTooLarge     Reason = "too_large"     // 413, 414
	ReasonBadAnswer    Reason = "bad_answer"    // an answer that cannot be understood
	ReasonNotInVendor  Reason = "not_in_vendor" // skipped: the person is not there and create is off
	ReasonNoIdentity   Reason = "no_identity"   // skipped: nothing this vendor knows people by
	ReasonOptedOut     Reason = "opted_out"     // skipped: the vendor's consent state forbids it
	ReasonSettings     Reason = "settings"      // the connection lacks a setting
	ReasonStageRefused Reason = "stage_refused" // the vendor kept another stage after being told ours
	ReasonNotDone      Reason = "not_attempted" // a batch ended before this one's turn
)

// PushError is a call to a vendor that did not go through.
type PushError struct {
	Reason Reason
	// Status of the HTTP answer; 0 when there was none.
	Status int
	// RetryAfter is the pause the vendor asked for; zero when it named none.
	RetryAfter time.Duration
	// Retryable says whether the same call may succeed later.
	Retryable bool
	// Message: the vendor's words, redacted, at most 500 runes.
	Message string
	// Act names what was attempted, for example "hubspot: update contacts".
	Act string
	// Err is the cause where there was no answer; its text is redacted.
	Err error
}

// Error implements error.
func (e *PushError) Error() string {
	s := e.Act
	if s == "" {
		s = "vendor call"
	}
	if e.Status != 0 {
		s += fmt.Sprintf(": %d", e.Status)
	}
	s += ": " + string(e.Reason)
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Unwrap gives the cause.
func (e *PushError) Unwrap() error { return e.Err }

// Result turns the error into the outcome of each update it concerns.
func (e *PushError) Result() Result {
	r := Result{Outcome: Permanent, Reason: e.Reason, Message: e.Message, Delay: e.RetryAfter}
	if e.Retryable {
		r.Outcome = Retry
	}
	return r
}

// Rejections of an inbound request; the text is the metric label.
var (
	ErrSignature    = errors.New("bad_signature")     // present and wrong
	ErrUnsigned     = errors.New("missing_signature") // not there at all
	ErrStale        = errors.New("stale")             // outside the tolerance
	ErrMalformed    = errors.New("malformed")         // and nothing authenticates the sender
	ErrUnsupported  = errors.New("unsupported")       // method or content type
	ErrUnconfigured = errors.New("unconfigured")      // the connection lacks the secret to verify with
)

// RejectError is an inbound request that is not taken.
type RejectError struct {
	// Err is one of the sentinels above.
	Err error
	// Detail tells the person who sets the webhook up what was wrong; it holds
	// neither secrets nor anything of the body.
	Detail string
}

// Reject makes a RejectError.
func Reject(err error, format string, args ...any) *RejectError {
	return &RejectError{Err: err, Detail: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *RejectError) Error() string { return e.Err.Error() + ": " + e.Detail }

// Unwrap gives the sentinel.
func (e *RejectError) Unwrap() error { return e.Err }

// SettingError is a setting of a connection that is missing or wrong.
type SettingError struct {
	Field  string
	Detail string
}

// Error implements error.
func (e *SettingError) Error() string { return e.Field + ": " + e.Detail }
