package connectors

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// maxTimedSignatures bounds how many v1 parts of one header are compared.
const maxTimedSignatures = 10

// TimedSignature proves a sender by a header of the form
// t=<unix seconds>,v1=<hex of HMAC-SHA256 over t.body>, which several vendors
// use. There may be more than one v1, as while a secret is being changed. Parts
// of other names are passed over, so that a later scheme beside v1 does no harm.
type TimedSignature struct {
	// Header is its name.
	Header string
	// Secret is the field that holds the keys, for the words of a refusal, and
	// Keys its values, see Config.Keys.
	Secret string
	Keys   []secret.Text
	// Tolerance is how old, or how far ahead, a request may be.
	Tolerance time.Duration
	// Now is the clock for a request that does not say when it came.
	Now func() time.Time
	// Missing and Wrong say what to do about a header that is missing, and about
	// a signature that fits no key; they may be empty.
	Missing, Wrong string
}

// Verify gives nil or a *RejectError.
func (s TimedSignature) Verify(r *Request) error {
	if len(s.Keys) == 0 {
		return Reject(ErrUnconfigured, "set %s, so that the sender can be proved", s.Secret)
	}
	values := r.Header.Values(s.Header)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return Reject(ErrUnsigned, "the header %s is missing%s", s.Header, after(s.Missing))
	case len(values) > 1:
		return Reject(ErrSignature, "the header %s is there %d times", s.Header, len(values))
	}
	stamp, signatures := splitTimed(values[0])
	if stamp == "" || len(signatures) == 0 || len(signatures) > maxTimedSignatures {
		return Reject(ErrSignature, "the header %s is not t=<seconds>,v1=<hex>", s.Header)
	}
	signed := false
	for _, key := range s.Keys {
		mac := MAC(sha256.New, []byte(key.Reveal()), []byte(stamp), []byte("."), r.Body)
		for _, one := range signatures {
			signed = EqualHex(one, mac) || signed
		}
	}
	if !signed {
		return Reject(ErrSignature, "the signature in %s fits no %s of this connection%s", s.Header, s.Secret, after(s.Wrong))
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !Fresh(time.Unix(seconds, 0), r.When(s.Now), s.Tolerance) {
		return Reject(ErrStale, "the signature's time is more than %d s away from this server's", int(s.Tolerance.Seconds()))
	}
	return nil
}

// splitTimed reads t, exactly once, and every v1.
func splitTimed(header string) (stamp string, signatures []string) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && stamp == "":
			stamp = value
		case name == "t":
			return "", nil
		case name == "v1" && value != "":
			signatures = append(signatures, value)
		}
	}
	return stamp, signatures
}

// after puts more words behind a sentence.
func after(words string) string {
	if words == "" {
		return ""
	}
	return "; " + words
}
