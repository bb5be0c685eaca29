package typeform

import (
	"crypto/sha256"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// signatureHeader reads sha256=<base64 of HMAC-SHA256 over the body>; it has no
// time (https://www.typeform.com/developers/webhooks/secure-your-webhooks/).
const signatureHeader = "Typeform-Signature"

const signaturePrefix = "sha256="

// verify proves the sender over the raw body. Typeform signs nothing where the
// webhook has no secret; such a request is not taken.
func (c *Connector) verify(r *connectors.Request) error {
	keys := c.cfg.Keys(secretWebhook)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_secret, so that the sender can be proved")
	}
	values := r.Header.Values(signatureHeader)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing; give the webhook a secret at Typeform", signatureHeader)
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", signatureHeader, len(values))
	}
	signature, ok := strings.CutPrefix(values[0], signaturePrefix)
	if !ok {
		return connectors.Reject(connectors.ErrSignature, "the header %s is not sha256=<base64>", signatureHeader)
	}
	signed := false
	for _, key := range keys {
		signed = connectors.EqualBase64(signature, connectors.MAC(sha256.New, []byte(key.Reveal()), r.Body)) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no webhook_secret of this connection", signatureHeader)
	}
	return nil
}
