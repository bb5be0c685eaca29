package pipedrive

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
)

// verify proves the sender. Pipedrive signs nothing; it sends the user name
// and the password that the webhook was made with (guide for webhooks v2, HTTP
// Auth).
func (c *Connector) verify(r *connectors.Request) error {
	configured := false
	for _, key := range c.cfg.Secrets[secretPassword] {
		configured = configured || !key.Empty()
	}
	if !configured {
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_password, so that the sender can be proved")
	}
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the webhook carries no HTTP Auth; enter user name and password in the webhook at Pipedrive")
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header Authorization is there %d times", len(values))
	}
	user, password, ok := basic(values[0])
	if !ok {
		return connectors.Reject(connectors.ErrSignature, "the header Authorization is not HTTP Basic")
	}
	// Both are compared wholly, whatever the first comparison says.
	matched := 0
	for _, key := range c.cfg.Secrets[secretPassword] {
		if !key.Empty() {
			matched |= same(user, c.webhookUser) & same(password, key.Reveal())
		}
	}
	if matched == 0 {
		return connectors.Reject(connectors.ErrSignature, "user name or password of the webhook fit no webhook_password of this connection")
	}
	return nil
}

// basic takes HTTP Basic credentials apart.
func basic(header string) (user, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(plain), ":")
}

// same compares in a time that tells neither content nor length.
func same(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}
