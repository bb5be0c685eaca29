package customerio

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Headers of a webhook: the hex HMAC-SHA256 over v0:<timestamp>:<body>, and the
// timestamp in Unix seconds (https://docs.customer.io/journeys/webhooks/).
const (
	signatureHeader = "X-CIO-Signature"
	timestampHeader = "X-CIO-Timestamp"
	scheme          = "v0:"
)

// maxAge reads the setting. Eight days are the seven for which Customer.io
// repeats an event, and one more: whether a retry is signed anew is not
// documented, and an event refused for its age would block all that wait
// behind it. A repeated event is recognised by its id.
func maxAge(setting string) time.Duration {
	if setting == "5m" {
		return 5 * time.Minute
	}
	return 8 * 24 * time.Hour
}

// verify proves the sender.
func (c *Connector) verify(r *connectors.Request) error {
	keys := c.cfg.Keys(secretWebhook)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_key, so that the sender can be proved")
	}
	signature, err := single(r, signatureHeader)
	if err != nil {
		return err
	}
	stamp, err := single(r, timestampHeader)
	if err != nil {
		return err
	}
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha256.New, []byte(key.Reveal()), []byte(scheme+stamp+":"), r.Body)
		signed = connectors.EqualHex(signature, mac) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no webhook_key of this connection", signatureHeader)
	}
	seconds, parse := strconv.ParseInt(stamp, 10, 64)
	if parse != nil || !connectors.Fresh(time.Unix(seconds, 0), c.arrived(r), c.tolerance) {
		return connectors.Reject(connectors.ErrStale, "the signature's time is more than %v away from this server's", c.tolerance)
	}
	return nil
}

// single gives the only value of a header.
func single(r *connectors.Request, name string) (string, error) {
	values := r.Header.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", name)
	case len(values) > 1:
		return "", connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", name, len(values))
	}
	return values[0], nil
}

// arrived is when the request came; the clock where the caller does not say.
func (c *Connector) arrived(r *connectors.Request) time.Time {
	if r.Received.IsZero() {
		return c.cfg.Now()
	}
	return r.Received
}
