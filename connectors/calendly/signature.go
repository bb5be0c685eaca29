package calendly

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureHeader reads t=<unix seconds>,v1=<hex of HMAC-SHA256 over t.body>, as
// Calendly's developer page on webhook signatures says.
const signatureHeader = "Calendly-Webhook-Signature"

// verify proves the sender over the raw body. Calendly signs nothing where the
// subscription was made without a key; such a request is not taken.
func (c *Connector) verify(r *connectors.Request) error {
	keys := live(c.cfg.Secrets[secretSigning])
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set signing_key, so that the sender can be proved")
	}
	values := r.Header.Values(signatureHeader)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing; the subscription was made without a signing key: register it anew", signatureHeader)
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", signatureHeader, len(values))
	}
	stamp, signature, ok := splitSignature(values[0])
	if !ok {
		return connectors.Reject(connectors.ErrSignature, "the header %s is not t=<seconds>,v1=<hex>", signatureHeader)
	}
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha256.New, []byte(key.Reveal()), []byte(stamp), []byte("."), r.Body)
		signed = connectors.EqualHex(signature, mac) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no signing_key of this connection", signatureHeader)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !connectors.Fresh(time.Unix(seconds, 0), c.now(r), c.tolerance) {
		return connectors.Reject(connectors.ErrStale, "the signature's time is more than %d minutes away from this server's", int(c.tolerance.Minutes()))
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

// splitSignature reads t and v1, each exactly once. Parts of other names are
// passed over, so that a later scheme beside v1 does no harm.
func splitSignature(header string) (stamp, signature string, ok bool) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && stamp == "":
			stamp = value
		case name == "v1" && signature == "":
			signature = value
		case name == "t" || name == "v1":
			return "", "", false
		}
	}
	return stamp, signature, stamp != "" && signature != ""
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
