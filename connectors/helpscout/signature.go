package helpscout

import (
	"crypto/sha1"

	"github.com/stagebridge/stagebridge/connectors"
)

// signatureHeader holds the base64 HMAC-SHA1 over the body
// (developer.helpscout.com/webhooks). The event's name is in a header of its
// own and not covered; no time is signed.
const (
	signatureHeader = "X-Helpscout-Signature"
	eventHeader     = "X-Helpscout-Event"
)

// verify proves the sender.
func (c *Connector) verify(r *connectors.Request) error {
	configured, signed := false, false
	values := r.Header.Values(signatureHeader)
	for _, key := range c.cfg.Secrets[secretWebhook] {
		if key.Empty() {
			continue
		}
		configured = true
		if len(values) == 1 {
			mac := connectors.MAC(sha1.New, []byte(key.Reveal()), r.Body)
			signed = connectors.EqualBase64(values[0], mac) || signed
		}
	}
	switch {
	case !configured:
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_secret, so that the sender can be proved")
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", signatureHeader)
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", signatureHeader, len(values))
	case !signed:
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no webhook_secret of this connection", signatureHeader)
	}
	return nil
}
