package connectors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"time"
)

// Dedupe makes a raw event's key from the parts that the vendor's deliveries
// of one event share. Each part is written with its length, so ("ab","c") and
// ("a","bc") differ.
func Dedupe(parts ...string) [32]byte {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return [32]byte(h.Sum(nil))
}

// MAC is the HMAC of the concatenated parts.
func MAC(newHash func() hash.Hash, key []byte, parts ...[]byte) []byte {
	m := hmac.New(newHash, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// EqualHex compares a hex signature of either case with a MAC in constant time.
func EqualHex(given string, mac []byte) bool {
	b, err := hex.DecodeString(given)
	return err == nil && hmac.Equal(b, mac)
}

// EqualBase64 compares a standard base64 signature with a MAC in constant time.
func EqualBase64(given string, mac []byte) bool {
	b, err := base64.StdEncoding.DecodeString(given)
	return err == nil && hmac.Equal(b, mac)
}

// Fresh reports whether a request's own time is within the tolerance of now,
// both ways.
func Fresh(sent, now time.Time, tolerance time.Duration) bool {
	d := now.Sub(sent)
	return d <= tolerance && d >= -tolerance
}
