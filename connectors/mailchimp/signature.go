package mailchimp

import (
	"crypto/sha256"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureHeader reads t=<unix seconds>,v1=<hex of HMAC-SHA256 over t.body>.
const signatureHeader = "X-Mailchimp-Signature"

// signatureTolerance is how old, or how far ahead, a signed request may be.
const signatureTolerance = 300 * time.Second

// verify proves the sender of an audience webhook. With a signing secret only
// the header counts; webhooks made before Mailchimp signed them are proved by
// the secret in their URL. Without either, nothing is taken.
func (c *Connector) verify(r *connectors.Request) error {
	if keys := live(c.cfg.Secrets[secretSigning]); len(keys) > 0 {
		return c.verifyHeader(r, keys)
	}
	if keys := live(c.cfg.Secrets[secretWebhook]); len(keys) > 0 {
		return verifyQuery(r.Query, keys)
	}
	return connectors.Reject(connectors.ErrUnconfigured, "set signing_secret or webhook_secret, so that the sender can be proved")
}

func (c *Connector) verifyHeader(r *connectors.Request, keys []secret.Text) error {
	values := r.Header.Values(signatureHeader)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing; a webhook made before signatures has none: make it anew, or clear signing_secret and use webhook_secret", signatureHeader)
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
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no signing_secret of this connection", signatureHeader)
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

// verifyQuery compares ?key= of the webhook's URL.
func verifyQuery(query string, keys []secret.Text) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	given := values["key"]
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the URL lacks ?key=; enter it at Mailchimp with this connection's webhook_secret")
	case len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "the URL has key= %d times", len(given))
	}
	matched := false
	for _, key := range keys {
		matched = key.Equal(given[0]) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "key= in the URL fits no webhook_secret of this connection")
	}
	return nil
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
