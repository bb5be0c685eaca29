package genericwebhook

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// verify proves the sender. It gives the delivery's id where a header has it.
func (s *shape) verify(r *connectors.Request, now time.Time) (string, *connectors.RejectError) {
	if len(s.keys)+len(s.hmacKeys)+len(s.tokens) == 0 {
		return "", connectors.Reject(connectors.ErrUnconfigured, "the connection has no secret to verify with")
	}
	switch s.proof {
	case proofStandard:
		return verifyStandard(s.keys, r, now, s.tolerance)
	case proofHMAC:
		return s.deliveryID(r), s.verifyHMAC(r, now)
	}
	return s.deliveryID(r), s.verifyToken(r)
}

func (s *shape) deliveryID(r *connectors.Request) string {
	if s.id.header == "" {
		return ""
	}
	return r.Header.Get(s.id.header)
}

// verifyToken compares a static token, or the credentials of Basic.
func (s *shape) verifyToken(r *connectors.Request) *connectors.RejectError {
	name := s.headers[0]
	given, e := single(r.Header, name)
	if e != nil {
		return e
	}
	// The scheme of an Authorization header is written in any case.
	if len(given) < len(s.prefix) || !strings.EqualFold(given[:len(s.prefix)], s.prefix) {
		return connectors.Reject(connectors.ErrSignature, "%s does not begin with %q", name, strings.TrimSpace(s.prefix))
	}
	given = given[len(s.prefix):]
	if s.proof == proofBasic {
		plain, err := decodeBase64(given)
		if err != nil {
			return connectors.Reject(connectors.ErrSignature, "%s is not base64", name)
		}
		given = string(plain)
	}
	match := false
	for _, t := range s.tokens {
		match = t.Equal(given) || match
	}
	if !match {
		return connectors.Reject(connectors.ErrSignature, "%s holds another credential", name)
	}
	return nil
}

// verifyHMAC checks a signature of the configured form.
func (s *shape) verifyHMAC(r *connectors.Request, now time.Time) *connectors.RejectError {
	given, stamp, e := s.signatures(r)
	if e != nil {
		return e
	}
	if !s.stamp.none() {
		sent, ok := instant(stamp, s.stampUnit)
		if !ok {
			return connectors.Reject(connectors.ErrSignature, "the timestamp cannot be read")
		}
		if !connectors.Fresh(sent, now, s.tolerance) {
			return connectors.Reject(connectors.ErrStale, "the timestamp is more than %v away from our clock", s.tolerance)
		}
	}
	parts := s.signedParts(r, stamp)
	for _, k := range s.hmacKeys {
		var sum [64]byte
		mac := k.sum(sum[:0], parts...)
		for _, g := range given {
			if hmac.Equal(g, mac) {
				return nil
			}
		}
	}
	return connectors.Reject(connectors.ErrSignature, "no signature in %s belongs to the request", strings.Join(s.headers, ", "))
}

// signatures decodes what the signature headers hold, and finds the timestamp.
func (s *shape) signatures(r *connectors.Request) (given [][]byte, stamp string, e *connectors.RejectError) {
	present := false
	for _, name := range s.headers {
		if len(r.Header[name]) == 0 {
			continue // a second header is only there during rotation
		}
		value, e := single(r.Header, name)
		if e != nil {
			return nil, "", e
		}
		present = true
		for part := range s.parts(value) {
			if s.stamp.param != "" && strings.HasPrefix(part, s.stamp.param) {
				if stamp != "" {
					return nil, "", connectors.Reject(connectors.ErrSignature, "%s holds two timestamps", name)
				}
				stamp = part[len(s.stamp.param):]
				continue
			}
			text, ok := strings.CutPrefix(part, s.prefix)
			if !ok {
				continue
			}
			if mac, err := s.decode(text); err == nil {
				given = append(given, mac)
			}
		}
	}
	if !present {
		return nil, "", connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", s.headers[0])
	}
	if s.stamp.header != "" {
		if stamp, e = single(r.Header, s.stamp.header); e != nil {
			return nil, "", e
		}
	}
	return given, stamp, nil
}

// parts splits the header's list.
func (s *shape) parts(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if s.separator == "" {
			yield(strings.TrimSpace(value))
			return
		}
		for part := range strings.SplitSeq(value, s.separator) {
			if !yield(strings.TrimSpace(part)) {
				return
			}
		}
	}
}

func (s *shape) decode(text string) ([]byte, error) {
	switch s.encoding {
	case "base64":
		return base64.StdEncoding.DecodeString(text)
	case "base64url":
		return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	return hex.DecodeString(text)
}

// signedParts fills the template in.
func (s *shape) signedParts(r *connectors.Request, stamp string) [][]byte {
	parts := make([][]byte, 0, 8)
	for _, p := range s.base {
		switch p.name {
		case "":
			parts = append(parts, []byte(p.literal))
		case "body":
			parts = append(parts, r.Body)
		case "timestamp":
			parts = append(parts, []byte(stamp))
		case "id":
			parts = append(parts, []byte(s.deliveryID(r)))
		case "url":
			parts = append(parts, []byte(r.URL))
		case "method":
			parts = append(parts, []byte(r.Method))
		}
	}
	return parts
}

// instant reads a timestamp; unit "" guesses from its size.
func instant(text, unit string) (time.Time, bool) {
	if unit == "iso" || unit == "" {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t, inRange(t)
			}
		}
		if unit == "iso" {
			return time.Time{}, false
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number(n, unit)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || unit != "" || math.Abs(f) >= secondsLimit {
		return time.Time{}, false
	}
	whole, part := math.Modf(f)
	t := time.Unix(int64(whole), int64(part*1e9))
	return t, inRange(t)
}

// Bounds between the units of a number since 1970: seconds until the year 5138,
// then milliseconds, then microseconds.
const (
	secondsLimit = 1e11
	millisLimit  = 1e14
)

func number(n int64, unit string) (time.Time, bool) {
	var t time.Time
	switch {
	case unit == "ms" || unit == "" && n >= secondsLimit && n < millisLimit:
		t = time.UnixMilli(n)
	case unit == "" && n >= millisLimit:
		t = time.UnixMicro(n)
	default:
		t = time.Unix(n, 0)
	}
	return t, inRange(t)
}

// inRange keeps times that a date of four digits can show.
func inRange(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }
