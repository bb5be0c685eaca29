package intercom

import (
	"crypto/sha1"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// headerSignature reads sha1=<hex of HMAC-SHA1 over the body>
// (developers.intercom.com, "Webhooks", read 2026-11). There is no timestamp:
// what keeps a repeated request from counting twice is its dedupe key.
const headerSignature = "X-Hub-Signature"

// verify proves that Intercom sent the request.
func (c *Connector) verify(r *connectors.Request) error {
	keys := c.cfg.Keys(secretClient)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set client_secret, so that the sender can be proved")
	}
	values := r.Header.Values(headerSignature)
	switch {
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", headerSignature, len(values))
	case len(values) == 0 || values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", headerSignature)
	}
	signature, ok := strings.CutPrefix(values[0], "sha1=")
	if !ok {
		return connectors.Reject(connectors.ErrSignature, "the header %s does not begin with sha1=", headerSignature)
	}
	signed := false
	for _, key := range keys {
		signed = connectors.EqualHex(signature, connectors.MAC(sha1.New, []byte(key.Reveal()), r.Body)) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no client secret of this connection", headerSignature)
	}
	return nil
}
