package salesforcemarketingcloud

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureHeader reads the base64 of HMAC-SHA256 over the body. It has no time
// (…/guide/ens-notification-signing.html).
const signatureHeader = "x-sfmc-ens-signature"

// verify proves the sender over the raw body. The key is used as the text that
// it is, though it looks like base64.
func (c *Connector) verify(r *connectors.Request) error {
	keys := c.cfg.Keys(secretSignature)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set signature_key, so that the sender can be proved")
	}
	values := r.Header.Values(signatureHeader)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", signatureHeader)
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", signatureHeader, len(values))
	}
	signed := false
	for _, key := range keys {
		signed = connectors.EqualBase64(values[0], connectors.MAC(sha256.New, []byte(key.Reveal()), r.Body)) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no signature_key of this connection", signatureHeader)
	}
	return nil
}

// pathToken ends the callback's URL. The challenge to a new callback is not
// signed and may come before anybody knows its signature key, so the URL itself
// is the proof; a query is not allowed in it. Made from the client secret, it
// needs no place of its own.
func pathToken(client secret.Text, connection string) string {
	mac := connectors.MAC(sha256.New, []byte(client.Reveal()), []byte("ens callback of "), []byte(connection))
	return hex.EncodeToString(mac[:16])
}

// challenge is what a new callback is asked.
type challenge struct {
	CallbackID      loose `json:"callbackId"`
	VerificationKey loose `json:"verificationKey"`
}

// challenged reads the challenge out of an unsigned request that came to the
// secret path; false for any other request.
func (c *Connector) challenged(r *connectors.Request) bool {
	if len(r.Header.Values(signatureHeader)) > 0 {
		return false
	}
	given, known := strings.Trim(r.Path, "/"), false
	for _, client := range c.cfg.Keys(secretClient) {
		token := secret.New(pathToken(client, c.cfg.ID))
		known = token.Equal(given) || known
	}
	if !known {
		return false
	}
	in, ok := readChallenge(r.Body)
	return ok && in.CallbackID != "" && in.VerificationKey != ""
}

func readChallenge(body []byte) (challenge, bool) {
	var in challenge
	return in, json.Unmarshal(body, &in) == nil
}
