// Package sample makes requests as a vendor would: the same bytes in the same
// form, signed with the connection's own secret. They serve trying out a
// connection and the demo, and say in their user agent that they are samples.
package sample

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/secret"
)

// UserAgent of every request that a sample makes by itself.
const UserAgent = "Stagebridge sample"

// Standard makes a signed request of the Standard Webhooks specification. The
// secret is whsec_ and base64, or an ed25519 key, whsk_.
func Standard(ctx context.Context, target, id string, at time.Time, key secret.Text, body []byte) (*http.Request, error) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signature, err := sign(key, []byte(id+"."+stamp+"."+string(body)))
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("sample: make a request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", UserAgent)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", stamp)
	r.Header.Set("webhook-signature", signature)
	return r, nil
}

func sign(key secret.Text, text []byte) (string, error) {
	kind, encoded, ok := strings.Cut(key.Reveal(), "_")
	if !ok {
		kind, encoded = "whsec", key.Reveal()
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(encoded)
	}
	switch {
	case err != nil:
		return "", errors.New("sample: the secret is not base64 behind its prefix")
	case kind == "whsec" && len(raw) > 0:
		m := hmac.New(sha256.New, raw)
		m.Write(text)
		return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), nil
	case kind == "whsk" && len(raw) >= ed25519.SeedSize:
		private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, text)), nil
	}
	return "", errors.New("sample: the secret is no key to sign with (whsec_… or whsk_…); a sender with another key has to send by itself")
}
