package crisp

import (
	"crypto/sha256"
	"net/url"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Headers of a signed webhook (docs.crisp.chat, plugin hooks). The signature is
// the hex HMAC-SHA256 over [timestamp;body], brackets and semicolon included,
// with the header's text and the body as they came.
const (
	signatureHeader = "X-Crisp-Signature"
	timestampHeader = "X-Crisp-Request-Timestamp"
)

// verify proves the sender. With a signing secret only the headers count;
// website hooks are proved by the secret in their URL.
func (c *Connector) verify(r *connectors.Request) error {
	if keys := c.cfg.Keys(secretSigning); len(keys) > 0 {
		return c.verifyHeaders(r, keys)
	}
	if keys := c.cfg.Keys(secretWebhook); len(keys) > 0 {
		return verifyQuery(r.Query, keys)
	}
	return connectors.Reject(connectors.ErrUnconfigured, "set signing_secret or webhook_secret, so that the sender can be proved")
}

func (c *Connector) verifyHeaders(r *connectors.Request, keys []secret.Text) error {
	var one [2]string
	for i, name := range []string{signatureHeader, timestampHeader} {
		values := r.Header.Values(name)
		switch {
		case len(values) == 0 || len(values) == 1 && values[0] == "":
			return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing; a website hook has none: clear signing_secret and use webhook_secret for it", name)
		case len(values) > 1:
			return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", name, len(values))
		}
		one[i] = values[0]
	}
	signature, stamp := one[0], one[1]
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha256.New, []byte(key.Reveal()), []byte("["+stamp+";"), r.Body, []byte("]"))
		signed = connectors.EqualHex(signature, mac) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no signing_secret of this connection", signatureHeader)
	}
	now := r.Received
	if now.IsZero() {
		now = c.cfg.Now()
	}
	if sent, ok := unixTime(stamp); !ok || !connectors.Fresh(sent, now, c.tolerance) {
		return connectors.Reject(connectors.ErrStale, "the signature's time is more than %d minutes away from this server's", int(c.tolerance.Minutes()))
	}
	return nil
}

// Numbers beyond which a time cannot be in seconds, and in milliseconds.
const (
	maxSeconds = 100_000_000_000
	maxMillis  = 100_000_000_000_000
)

// unixTime reads Unix seconds or milliseconds: the body's times are
// milliseconds, the header's unit is not documented.
func unixTime(s string) (time.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0 || n >= maxMillis:
		return time.Time{}, false
	case n < maxSeconds:
		return time.Unix(n, 0).UTC(), true
	}
	return time.UnixMilli(n).UTC(), true
}

// verifyQuery compares ?key= of the hook's URL.
func verifyQuery(query string, keys []secret.Text) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	given := values["key"]
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the URL lacks ?key=; enter it at Crisp with this connection's webhook_secret")
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
