// Package secret holds the type for values that must never be shown: tokens,
// signing keys, passwords. Its text, JSON, YAML and log forms are all
// "[redacted]", so a secret that ends up in an error, a log line or an API
// answer by mistake shows nothing. Every package may import it; it imports
// none of ours.
package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"log/slog"
)

// Redacted is what stands where a secret would have been.
const Redacted = "[redacted]"

// Text is a secret. The zero value is "no secret".
type Text struct{ value string }

// New wraps a plain value.
func New(plain string) Text { return Text{plain} }

// Reveal gives the plain value. Call it only where the value leaves for the
// party that is meant to have it (a signature, a request header, the
// encryption of a stored credential).
func (t Text) Reveal() string { return t.value }

// Empty reports whether there is no secret.
func (t Text) Empty() bool { return t.value == "" }

// Equal compares in constant time, whatever the lengths.
func (t Text) Equal(other string) bool {
	a, b := sha256.Sum256([]byte(t.value)), sha256.Sum256([]byte(other))
	return hmac.Equal(a[:], b[:])
}

// String implements fmt.Stringer.
func (Text) String() string { return Redacted }

// GoString implements fmt.GoStringer, which %#v uses.
func (Text) GoString() string { return Redacted }

// MarshalText serves JSON and YAML.
func (Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// UnmarshalText lets a setting be read into a secret.
func (t *Text) UnmarshalText(b []byte) error {
	t.value = string(b)
	return nil
}

// LogValue implements slog.LogValuer.
func (Text) LogValue() slog.Value { return slog.StringValue(Redacted) }
