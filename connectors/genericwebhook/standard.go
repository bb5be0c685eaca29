package genericwebhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Sizes of a symmetric key, from the Standard Webhooks specification 1.0.0.
const (
	minKeyBytes = 24
	maxKeyBytes = 64
	// standardTolerance is what the reference libraries allow, both ways.
	standardTolerance = 5 * time.Minute
	// maxCurveChecks bounds the work of one request with many v1a signatures.
	maxCurveChecks = 8
)

// standardKey is one key of the specification: symmetric, or one or both
// halves of an ed25519 pair.
type standardKey struct {
	macs    *macs
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

func (k *standardKey) signs() bool { return k.macs != nil || k.private != nil }

// parseStandardKey reads whsec_, whsk_ and whpk_ keys; base64 without a prefix
// is a symmetric key, as in the reference libraries.
func parseStandardKey(s secret.Text) (*standardKey, error) {
	text := s.Reveal()
	kind, encoded := "whsec", text
	if before, after, ok := strings.Cut(text, "_"); ok {
		kind, encoded = before, after
	}
	key, err := decodeBase64(encoded)
	if err != nil {
		return nil, errors.New("is not base64 behind the prefix whsec_")
	}
	switch {
	case kind == "whsec" && (len(key) < minKeyBytes || len(key) > maxKeyBytes):
		return nil, fmt.Errorf("has a key of %d bytes, want %d to %d", len(key), minKeyBytes, maxKeyBytes)
	case kind == "whsec":
		return &standardKey{macs: newMACs(sha256.New, key)}, nil
	case kind == "whpk" && len(key) == ed25519.PublicKeySize:
		return &standardKey{public: key}, nil
	case kind == "whsk" && len(key) == ed25519.SeedSize:
		private := ed25519.NewKeyFromSeed(key)
		return &standardKey{private: private, public: private.Public().(ed25519.PublicKey)}, nil
	case kind == "whsk" && len(key) == ed25519.PrivateKeySize:
		// The second half is derived again, since a pair that does not belong
		// together would give the private half away.
		private := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
		return &standardKey{private: private, public: private.Public().(ed25519.PublicKey)}, nil
	case kind == "whpk" || kind == "whsk":
		return nil, fmt.Errorf("has an ed25519 key of %d bytes", len(key))
	}
	return nil, errors.New("has a prefix other than whsec_, whsk_ or whpk_")
}

// decodeBase64 reads standard base64, padded or not.
func decodeBase64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(padded(s))
}

func padded(s string) string {
	if n := len(s) % 4; n > 0 {
		return s + "==="[:4-n]
	}
	return s
}

// sign gives one entry of webhook-signature.
func (k *standardKey) sign(id, stamp string, body []byte) string {
	if k.macs == nil {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, signedText(id, stamp, body)))
	}
	var sum [sha256.Size]byte
	mac := k.macs.sum(sum[:0], []byte(id), dot, []byte(stamp), dot, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac)
}

var dot = []byte(".")

func signedText(id, stamp string, body []byte) []byte {
	text := make([]byte, 0, len(id)+len(stamp)+len(body)+2)
	text = append(append(text, id...), '.')
	text = append(append(text, stamp...), '.')
	return append(text, body...)
}

// standardHeaders are the three headers, in their canonical form.
type standardHeaders struct{ id, stamp, signature string }

// Names of the specification, and the older ones of the same meaning.
var standardNames = [...]standardHeaders{
	{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
	{"Svix-Id", "Svix-Timestamp", "Svix-Signature"},
}

// verifyStandard proves the sender and gives the message's id.
func verifyStandard(keys []*standardKey, r *connectors.Request, now time.Time, tolerance time.Duration) (string, *connectors.RejectError) {
	names := standardNames[0]
	if r.Header[names.signature] == nil && r.Header[standardNames[1].signature] != nil {
		names = standardNames[1]
	}
	id, e := single(r.Header, names.id)
	if e != nil {
		return "", e
	}
	stamp, e := single(r.Header, names.stamp)
	if e != nil {
		return "", e
	}
	list, e := single(r.Header, names.signature)
	if e != nil {
		return "", e
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "", connectors.Reject(connectors.ErrSignature, "%s is not a number of seconds", names.stamp)
	}
	if !connectors.Fresh(time.Unix(seconds, 0), now, tolerance) {
		return "", connectors.Reject(connectors.ErrStale, "%s is more than %v away from our clock", names.stamp, tolerance)
	}
	if !standardMatch(keys, id, stamp, r.Body, list) {
		return "", connectors.Reject(connectors.ErrSignature, "no signature in %s belongs to the body, id and timestamp", names.signature)
	}
	return id, nil
}

// standardMatch reports whether any listed signature is any key's. Versions it
// does not know are passed over.
func standardMatch(keys []*standardKey, id, stamp string, body []byte, list string) bool {
	var curve []byte
	checks := 0
	for _, k := range keys {
		var sum [sha256.Size]byte
		var mac []byte
		if k.macs != nil {
			mac = k.macs.sum(sum[:0], []byte(id), dot, []byte(stamp), dot, body)
		}
		for entry := range strings.SplitSeq(list, " ") {
			version, encoded, _ := strings.Cut(entry, ",")
			switch {
			case version == "v1" && mac != nil:
				if connectors.EqualBase64(encoded, mac) {
					return true
				}
			case version == "v1a" && k.public != nil && checks < maxCurveChecks:
				checks++
				if curve == nil {
					curve = signedText(id, stamp, body)
				}
				given, err := base64.StdEncoding.DecodeString(encoded)
				if err == nil && ed25519.Verify(k.public, curve, given) {
					return true
				}
			}
		}
	}
	return false
}

// single gives the value of a header that must be there once. Two lines of a
// proof are refused: the party that wrote the second is not known.
func single(h http.Header, name string) (string, *connectors.RejectError) {
	switch values := h[name]; {
	case len(values) == 0 || values[0] == "":
		return "", connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", name)
	case len(values) > 1:
		return "", connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", name, len(values))
	default:
		return values[0], nil
	}
}

// macs computes HMACs with one key. A reset HMAC keeps its padded key, which
// saves half the hashing of a short message.
type macs struct{ pool sync.Pool }

func newMACs(newHash func() hash.Hash, key []byte) *macs {
	m := &macs{}
	m.pool.New = func() any { return hmac.New(newHash, key) }
	return m
}

// sum appends the HMAC of the concatenated parts.
func (m *macs) sum(to []byte, parts ...[]byte) []byte {
	h := m.pool.Get().(hash.Hash)
	defer m.pool.Put(h)
	h.Reset()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(to)
}
