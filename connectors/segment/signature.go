package segment

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	// signatureHeader holds the hex of HMAC-SHA1 over the event. There is no
	// time in it, so nothing to be stale.
	signatureHeader = "X-Signature"
	// secretHeaderName is ours; a mapping's header map sends it.
	secretHeaderName = "X-Stagebridge-Secret"
)

// proof says how much of a request its sender has proved.
type proof int

const (
	provesAll   proof = iota // the whole body
	provesFirst              // only the first element of the list
	provesNone               // the key is one that everybody can read
)

// verifyWebhook demands every proof that the connection has a secret for.
func (c *Connector) verifyWebhook(r *connectors.Request) (proof, error) {
	shared, header := c.cfg.Keys(secretShared), c.cfg.Keys(secretHeader)
	if len(shared) == 0 && len(header) == 0 {
		return 0, connectors.Reject(connectors.ErrUnconfigured, "set %s or %s, so that the sender can be proved", secretShared, secretHeader)
	}
	signed := provesAll
	if len(shared) > 0 {
		var err error
		if signed, err = verifySignature(r, shared); err != nil {
			return 0, err
		}
	}
	if len(header) == 0 {
		return signed, nil
	}
	given, err := single(r.Header, secretHeaderName)
	if err != nil {
		return 0, err
	}
	if !fits(given, header) {
		return 0, connectors.Reject(connectors.ErrSignature, "the header %s fits no %s of this connection", secretHeaderName, secretHeader)
	}
	return provesAll, nil
}

// verifySignature compares the header with the MAC of the body as it came.
// Where the body is a list, Segment signs the first element alone.
func verifySignature(r *connectors.Request, keys []secret.Text) (proof, error) {
	given, err := single(r.Header, signatureHeader)
	if err != nil {
		return 0, err
	}
	first := firstElement(r.Body)
	whole, partly := false, false
	for _, key := range keys {
		whole = connectors.EqualHex(given, connectors.MAC(sha1.New, []byte(key.Reveal()), r.Body)) || whole
		if first != nil {
			partly = connectors.EqualHex(given, connectors.MAC(sha1.New, []byte(key.Reveal()), first)) || partly
		}
	}
	switch {
	case whole:
		return provesAll, nil
	case partly:
		return provesFirst, nil
	}
	return 0, connectors.Reject(connectors.ErrSignature, "the signature in %s fits no %s of this connection", signatureHeader, secretShared)
}

// single gives a header that must be there exactly once.
func single(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", connectors.Reject(connectors.ErrUnsigned, "the header %s is missing", name)
	case len(values) > 1:
		return "", connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", name, len(values))
	}
	return values[0], nil
}

// firstElement gives the bytes of a list's first element as they stand, nil
// where the body is no list or has none.
func firstElement(body []byte) []byte {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '[' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil || !d.More() {
		return nil
	}
	var first json.RawMessage
	if d.Decode(&first) != nil {
		return nil
	}
	return first
}

// Accepts implements connectors.TrackingAPI. A preflight carries no key and is
// answered alike by every connection.
func (c *Connector) Accepts(r *connectors.Request) bool {
	if r.Method == http.MethodOptions {
		return len(c.cfg.Keys(secretServer))+len(c.cfg.Keys(secretBrowser)) > 0
	}
	_, err := c.verifyKey(r, strings.TrimSuffix(r.Path, "/"), envelopeOf(r.Body))
	return err == nil
}

// verifyKey finds the write key of a call: the path of the settings call, the
// user of Basic authentication, or the body.
func (c *Connector) verifyKey(r *connectors.Request, path string, body envelope) (proof, error) {
	server, browser := c.cfg.Keys(secretServer), c.cfg.Keys(secretBrowser)
	if len(server) == 0 && len(browser) == 0 {
		return 0, connectors.Reject(connectors.ErrUnconfigured, "set %s or %s, so that client libraries can be told apart", secretServer, secretBrowser)
	}
	given, ok := settingsKey(path)
	if !ok {
		var err error
		if given, err = headerKey(r.Header); err != nil {
			return 0, err
		}
	}
	if given == "" {
		given = body.key()
	}
	// Both are compared whatever the first says, so that the time tells nothing.
	proven, public := fits(given, server), fits(given, browser)
	switch {
	case given == "":
		return 0, connectors.Reject(connectors.ErrUnsigned, "there is no write key, neither as the user of Basic authentication nor as writeKey in the body")
	case proven:
		return provesAll, nil
	case public:
		return provesNone, nil
	}
	return 0, connectors.Reject(connectors.ErrSignature, "the write key fits neither %s nor %s of this connection", secretServer, secretBrowser)
}

// headerKey reads the user of Basic authentication; "" where there is none.
// Some libraries leave the colon out, which net/http would refuse.
func headerKey(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return "", connectors.Reject(connectors.ErrSignature, "the header Authorization is there %d times", len(values))
	}
	if len(values) == 0 {
		return "", nil
	}
	scheme, credentials, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", connectors.Reject(connectors.ErrSignature, "the header Authorization is not of the form Basic")
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil {
		return "", connectors.Reject(connectors.ErrSignature, "the header Authorization cannot be read")
	}
	user, _, _ := strings.Cut(string(plain), ":")
	return user, nil
}

// settingsKey gives the write key in /v1/projects/<key>/settings.
func settingsKey(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, "/v1/projects/")
	if !ok {
		return "", false
	}
	key, ok := strings.CutSuffix(rest, "/settings")
	if !ok {
		return "", false
	}
	if plain, err := url.PathUnescape(key); err == nil {
		key = plain
	}
	return key, true
}

// basic writes a write key as the user of Basic authentication without a password.
func basic(key secret.Text) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(key.Reveal()+":"))
}
