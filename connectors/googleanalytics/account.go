package googleanalytics

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

const (
	// scopes are those of reading the export and of erasing people. Google
	// grants only what the account was given access to.
	scopes = "https://www.googleapis.com/auth/bigquery.readonly https://www.googleapis.com/auth/analytics.user.deletion"
	// assertionLife is the longest that Google takes
	// (https://developers.google.com/identity/protocols/oauth2/service-account,
	// read November 2026).
	assertionLife = time.Hour
	grantType     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// account is a service account of Google Cloud: it signs for itself, so no
// refresh token has to be kept.
type account struct {
	email, keyID, tokenURL string
	key                    *rsa.PrivateKey
}

// parseAccount reads the key file that Google Cloud gives out.
func parseAccount(file secret.Text) (*account, error) {
	var f struct {
		Type     string `json:"type"`
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		KeyID    string `json:"private_key_id"`
		TokenURI string `json:"token_uri"`
	}
	if json.Unmarshal([]byte(file.Reveal()), &f) != nil || f.Type != "service_account" || f.Email == "" {
		return nil, errors.New("is not the JSON key file of a service account")
	}
	block, _ := pem.Decode([]byte(f.Key))
	if block == nil {
		return nil, errors.New("holds no private key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("holds a private key that cannot be read")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("holds a private key that is not RSA")
	}
	tokenURL, err := address(f.TokenURI)
	if err != nil {
		return nil, errors.New("holds no token_uri")
	}
	return &account{f.Email, f.KeyID, tokenURL, key}, nil
}

// assertion is what the account says of itself, signed.
func (a *account) assertion(now time.Time) (string, error) {
	part := func(v any) (string, error) {
		b, err := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b), err
	}
	header, err := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": a.keyID})
	if err != nil {
		return "", err
	}
	claims, err := part(map[string]any{
		"iss": a.email, "scope": scopes, "aud": a.tokenURL, "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(header + "." + claims))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return header + "." + claims + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// token exchanges an assertion for an access token.
func (c *Connector) token(ctx context.Context) (connectors.Token, error) {
	const act = "google-analytics: fetch an access token"
	assertion, err := c.account.assertion(c.cfg.Now())
	if err != nil {
		return connectors.Token{}, &connectors.PushError{Act: act, Reason: connectors.ReasonSettings, Message: "the service account's key cannot sign"}
	}
	form := url.Values{"grant_type": {grantType}, "assertion": {assertion}}
	a, err := c.cfg.HTTP.Do(ctx, connectors.Call{
		Act: act, Method: http.MethodPost, URL: c.account.tokenURL, Body: []byte(form.Encode()),
		Header:  http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Secrets: append(c.secrets[:len(c.secrets):len(c.secrets)], secret.New(assertion)), Judge: refusedGrant,
	})
	if err != nil {
		return connectors.Token{}, err
	}
	var answer struct {
		Token  string `json:"access_token"`
		Expiry int64  `json:"expires_in"`
	}
	if err := a.JSON(act, &answer); err != nil {
		return connectors.Token{}, err
	}
	return connectors.Token{Value: secret.New(answer.Token), Life: time.Duration(min(max(answer.Expiry, 0), 1<<20)) * time.Second}, nil
}

// refusedGrant reads OAuth's 400 for what it mostly is: a key that was deleted
// or an account that was disabled.
func refusedGrant(a *connectors.Answer) *connectors.PushError {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if a.Status != http.StatusBadRequest || json.Unmarshal(a.Body, &said) != nil || said.Error != "invalid_grant" {
		return nil
	}
	return &connectors.PushError{Reason: connectors.ReasonAuth, Message: said.Error + ": " + said.Description}
}

// ask makes a call with the account's token, once more after a 401.
func (c *Connector) ask(ctx context.Context, call connectors.Call, out any) error {
	if c.account == nil {
		return &connectors.PushError{Act: call.Act, Reason: connectors.ReasonSettings, Message: secretAccount + " is not set"}
	}
	call.Secrets = c.secrets
	for again := false; ; again = true {
		t, err := c.tokens.Get(ctx)
		if err != nil {
			return err
		}
		call.Header = http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + t.Value.Reveal()}}
		a, err := c.cfg.HTTP.Do(ctx, call)
		if err == nil {
			return a.JSON(call.Act, out)
		}
		if connectors.AsPushError(err).Reason != connectors.ReasonAuth || again {
			return err
		}
		c.tokens.Forget(t.Value)
	}
}
