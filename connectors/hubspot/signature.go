package hubspot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// Signature headers and rules: developers.hubspot.com, "Validating requests",
// read 2026-11.
const (
	headerV3        = "X-Hubspot-Signature-V3" // canonical form of X-HubSpot-Signature-v3
	headerTimestamp = "X-Hubspot-Request-Timestamp"
	headerOld       = "X-Hubspot-Signature"
	headerVersion   = "X-Hubspot-Signature-Version"

	// tolerance is how old, or how far ahead, a v3 request may be.
	tolerance = 5 * time.Minute
)

// verify proves that HubSpot sent the request: by v3 where its header is there,
// else by v2 or v1 unless the connection demands v3. The error is a
// *connectors.RejectError.
func (c *Connector) verify(r *connectors.Request) error {
	secrets := c.config.Secrets[secretClient]
	if c.config.Secret(secretClient).Empty() {
		return connectors.Reject(connectors.ErrUnconfigured, "the connection has no client secret to verify with")
	}
	switch v3, old := r.Header[headerV3], r.Header[headerOld]; {
	case len(v3) > 1 || len(old) > 1 || len(r.Header[headerTimestamp]) > 1:
		return connectors.Reject(connectors.ErrSignature, "a signature header is there more than once")
	case len(v3) == 1:
		return verifyV3(r, v3[0], secrets, c.now())
	case len(old) == 0:
		return connectors.Reject(connectors.ErrUnsigned, "there is neither X-HubSpot-Signature-v3 nor X-HubSpot-Signature")
	case c.requireV3:
		return connectors.Reject(connectors.ErrUnsigned, "there is no X-HubSpot-Signature-v3 and the connection demands it")
	default:
		return verifyOld(r, old[0], secrets)
	}
}

// verifyV3 checks base64(HMAC-SHA256(secret, method + URI + body + timestamp)),
// then the time, so that "stale" is only said to the true sender.
func verifyV3(r *connectors.Request, given string, secrets []secret.Text, now time.Time) error {
	stamp := r.Header.Get(headerTimestamp)
	uri := decodeURI(r.URL)
	right := anySecret(secrets, func(key []byte) bool {
		mac := connectors.MAC(sha256.New, key, []byte(r.Method), []byte(uri), r.Body, []byte(stamp))
		return connectors.EqualBase64(given, mac)
	})
	if !right {
		return connectors.Reject(connectors.ErrSignature, "X-HubSpot-Signature-v3 does not match; it covers the address %s, so compare that with the target URL at HubSpot, and check the client secret", withoutQuery(r.URL))
	}
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !connectors.Fresh(time.UnixMilli(ms), now, tolerance) {
		return connectors.Reject(connectors.ErrStale, "X-HubSpot-Request-Timestamp is more than five minutes from now")
	}
	return nil
}

// verifyOld checks v2, hex(SHA-256(secret + method + URI + body)), or v1,
// hex(SHA-256(secret + body)), as the version header says; v1 where it says
// nothing. Neither covers a time.
func verifyOld(r *connectors.Request, given string, secrets []secret.Text) error {
	version := r.Header.Get(headerVersion)
	right := anySecret(secrets, func(key []byte) bool {
		h := sha256.New()
		h.Write(key)
		switch version {
		case "v2":
			h.Write([]byte(r.Method + r.URL))
		case "v1", "":
		default:
			return false
		}
		h.Write(r.Body)
		return connectors.EqualHex(given, h.Sum(nil))
	})
	if !right {
		return connectors.Reject(connectors.ErrSignature, "X-HubSpot-Signature does not match; check the client secret")
	}
	return nil
}

// anySecret tries every live secret, whichever fits, in the same time.
func anySecret(secrets []secret.Text, fits func(key []byte) bool) bool {
	right := false
	for _, s := range secrets {
		if !s.Empty() {
			right = fits([]byte(s.Reveal())) || right
		}
	}
	return right
}

// uriEscapes are the only escapes that HubSpot undoes before it signs.
var uriEscapes = map[string]byte{
	"3A": ':', "2F": '/', "3F": '?', "40": '@', "21": '!', "24": '$',
	"27": '\'', "28": '(', "29": ')', "2A": '*', "2C": ',', "3B": ';',
}

// decodeURI undoes uriEscapes and leaves every other escape as it is.
func decodeURI(uri string) string {
	if !strings.Contains(uri, "%") {
		return uri
	}
	var out strings.Builder
	for i := 0; i < len(uri); i++ {
		if uri[i] == '%' && i+2 < len(uri) {
			if plain, ok := uriEscapes[strings.ToUpper(uri[i+1:i+3])]; ok {
				out.WriteByte(plain)
				i += 2
				continue
			}
		}
		out.WriteByte(uri[i])
	}
	return out.String()
}

func withoutQuery(uri string) string {
	plain, _, _ := strings.Cut(uri, "?")
	return plain
}

// Sign sets the v3 headers of a request as HubSpot would: for trying a
// connection out, for stand-ins and for tests.
func Sign(h http.Header, client secret.Text, method, uri string, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	m := hmac.New(sha256.New, []byte(client.Reveal()))
	m.Write([]byte(method + decodeURI(uri)))
	m.Write(body)
	m.Write([]byte(stamp))
	h.Set(headerV3, base64.StdEncoding.EncodeToString(m.Sum(nil)))
	h.Set(headerTimestamp, stamp)
}
