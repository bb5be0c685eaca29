package stripe

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureHeader reads t=<unix seconds>,v1=<hex of HMAC-SHA256 over t.body>,
// with a second v1 while a secret is being rolled
// (https://docs.stripe.com/webhooks/signature).
const signatureHeader = "Stripe-Signature"

// signatureTolerance is how old, or how far ahead, a signed request may be: the
// default of Stripe's own libraries.
const signatureTolerance = 300 * time.Second

// maxSignatures bounds how many v1 parts are compared.
const maxSignatures = 10

// verify proves the sender over the raw body. The key is the whole text of the
// secret, whsec_ included.
func (c *Connector) verify(r *connectors.Request) error {
	keys := live(c.cfg.Secrets[secretSigning])
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set signing_secret, so that the sender can be proved")
	}
	values := r.Header.Values(signatureHeader)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", signatureHeader)
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", signatureHeader, len(values))
	}
	stamp, signatures := splitSignature(values[0])
	if stamp == "" || len(signatures) == 0 || len(signatures) > maxSignatures {
		return connectors.Reject(connectors.ErrSignature, "the header %s is not t=<seconds>,v1=<hex>", signatureHeader)
	}
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha256.New, []byte(key.Reveal()), []byte(stamp), []byte("."), r.Body)
		for _, s := range signatures {
			signed = connectors.EqualHex(s, mac) || signed
		}
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no signing_secret of this connection; each endpoint, and live and test mode, has its own", signatureHeader)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !connectors.Fresh(time.Unix(seconds, 0), c.now(r), signatureTolerance) {
		return connectors.Reject(connectors.ErrStale, "the signature's time is more than %d s away from this server's", int(signatureTolerance.Seconds()))
	}
	return nil
}

// now is when the request came; the clock where the caller does not say.
func (c *Connector) now(r *connectors.Request) time.Time {
	if r.Received.IsZero() {
		return c.cfg.Now()
	}
	return r.Received
}

// splitSignature reads t, exactly once, and every v1. Other schemes are passed
// over: v0 is one of test events and proves nothing.
func splitSignature(header string) (stamp string, signatures []string) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && stamp == "":
			stamp = value
		case name == "t":
			return "", nil
		case name == "v1":
			signatures = append(signatures, value)
		}
	}
	return stamp, signatures
}

// live drops empty entries, which would let an empty key in.
func live(all []secret.Text) []secret.Text {
	var some []secret.Text
	for _, s := range all {
		if !s.Empty() {
			some = append(some, s)
		}
	}
	return some
}
