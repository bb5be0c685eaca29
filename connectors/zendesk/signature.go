package zendesk

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Headers of a signed request (developer.zendesk.com, "Verifying webhooks",
// read 2026-11).
const (
	headerSignature = "X-Zendesk-Webhook-Signature"
	headerTimestamp = "X-Zendesk-Webhook-Signature-Timestamp"
)

// tolerance is how old, or how far ahead, a signed request may be. Zendesk
// publishes none.
const tolerance = 5 * time.Minute

// verify proves that Zendesk sent the request: base64 of HMAC-SHA256 over the
// timestamp header, as text, and the body. The event webhook and the trigger
// webhook of a connection have a secret each; either proves the sender.
func (c *Connector) verify(r *connectors.Request) error {
	keys := slices.DeleteFunc(slices.Concat(c.cfg.Secrets[secretSigning], c.cfg.Secrets[secretTrigger]), secret.Text.Empty)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set signing_secret, so that the sender can be proved")
	}
	signatures, stamps := r.Header.Values(headerSignature), r.Header.Values(headerTimestamp)
	switch {
	case len(signatures) > 1 || len(stamps) > 1:
		return connectors.Reject(connectors.ErrSignature, "a signature header is there more than once")
	case len(signatures) == 0 || signatures[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", headerSignature)
	case len(stamps) == 0 || stamps[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", headerTimestamp)
	}
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha256.New, []byte(key.Reveal()), []byte(stamps[0]), r.Body)
		signed = connectors.EqualBase64(signatures[0], mac) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature fits no signing secret of this connection; a test that Zendesk sends before the webhook is saved is signed with another secret, so save first")
	}
	sent, err := time.Parse(time.RFC3339Nano, stamps[0])
	if err != nil || !connectors.Fresh(sent, r.When(c.cfg.Now), tolerance) {
		return connectors.Reject(connectors.ErrStale, "the signature's time is more than %d s away from this server's", int(tolerance.Seconds()))
	}
	return nil
}
