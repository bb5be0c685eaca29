package sendgrid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Headers of a webhook: the base64 of an ASN.1 ECDSA signature on P-256 over
// SHA-256 of the timestamp's text and the raw body, which ends in CR LF
// (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
const (
	signatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	timestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// signatureAge is how old, or how far ahead, a signed request may be. SendGrid
// names no tolerance and repeats a delivery for 24 hours after the event, maybe
// with its first signature; a repeated event is recognised by its id.
const signatureAge = 26 * time.Hour

// parseKey reads the public key as SendGrid shows it: the base64 of its DER
// form. PEM lines around it are passed over.
func parseKey(text string) (*ecdsa.PublicKey, error) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
			b.WriteString(line)
		}
	}
	der, err := base64.StdEncoding.DecodeString(b.String())
	if err != nil {
		return nil, errors.New("is not the base64 of a public key")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("is not a public key; copy the verification key, not an API key")
	}
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("is not an ECDSA key on P-256, which SendGrid signs with")
	}
	return public, nil
}

// verify proves the sender.
func (c *Connector) verify(r *connectors.Request) error {
	if len(c.keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set verification_key, so that the sender can be proved")
	}
	signature, err := single(r, signatureHeader)
	if err != nil {
		return err
	}
	stamp, err := single(r, timestampHeader)
	if err != nil {
		return err
	}
	der, decode := base64.StdEncoding.DecodeString(signature)
	if decode != nil {
		return connectors.Reject(connectors.ErrSignature, "the header %s is not base64", signatureHeader)
	}
	h := sha256.New()
	h.Write([]byte(stamp))
	h.Write(r.Body)
	digest := h.Sum(nil)
	signed := false
	for _, key := range c.keys {
		signed = ecdsa.VerifyASN1(key, digest, der) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no verification_key of this connection", signatureHeader)
	}
	seconds, parse := strconv.ParseInt(stamp, 10, 64)
	if parse != nil || !connectors.Fresh(time.Unix(seconds, 0), c.arrived(r), signatureAge) {
		return connectors.Reject(connectors.ErrStale, "the signature's time is more than %v away from this server's", signatureAge)
	}
	return nil
}

// single gives the only value of a header.
func single(r *connectors.Request, name string) (string, error) {
	values := r.Header.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", connectors.Reject(connectors.ErrUnsigned, "the header %s is missing; switch Signature Verification on", name)
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
