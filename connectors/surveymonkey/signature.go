package surveymonkey

import (
	"crypto/sha1"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureHeader holds the standard base64 of HMAC-SHA1 over the raw body; the
// key is client id and client secret joined by an ampersand. It has no time.
const signatureHeader = "Sm-Signature"

// verify proves the sender. With a client secret only the signature counts; an
// app whose secret is not to be seen is proved by the value that Register put
// into the webhook's authorization. Without either, nothing is taken.
func (c *Connector) verify(r *connectors.Request) error {
	if keys := c.cfg.Keys(secretClient); len(keys) > 0 {
		return c.verifySignature(r, keys)
	}
	if keys := c.cfg.Keys(secretWebhook); len(keys) > 0 {
		return verifyToken(r, keys)
	}
	return connectors.Reject(connectors.ErrUnconfigured, "set client_secret or webhook_token, so that the sender can be proved")
}

func (c *Connector) verifySignature(r *connectors.Request, keys []secret.Text) error {
	given, err := only(r, signatureHeader)
	if err != nil {
		return err
	}
	id := strings.TrimSpace(c.cfg.Settings[fieldClientID])
	signed := false
	for _, key := range keys {
		mac := connectors.MAC(sha1.New, []byte(id+"&"+key.Reveal()), r.Body)
		signed = connectors.EqualBase64(given, mac) || signed
	}
	if !signed {
		return connectors.Reject(connectors.ErrSignature, "the signature in %s fits no client_secret of this connection with its client_id", signatureHeader)
	}
	return nil
}

func verifyToken(r *connectors.Request, keys []secret.Text) error {
	given, err := only(r, "Authorization")
	if err != nil {
		return err
	}
	given = strings.TrimPrefix(given, "Bearer ")
	matched := false
	for _, key := range keys {
		matched = key.Equal(given) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "the header Authorization fits no webhook_token of this connection")
	}
	return nil
}

// only gives the value of a header that is there exactly once.
func only(r *connectors.Request, name string) (string, error) {
	values := r.Header.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", name)
	case len(values) > 1:
		return "", connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", name, len(values))
	}
	return values[0], nil
}
