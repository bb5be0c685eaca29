package mailchimp

import (
	"net/url"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

// signatureHeader is a connectors.TimedSignature.
const signatureHeader = "X-Mailchimp-Signature"

// signatureTolerance is how old, or how far ahead, a signed request may be.
const signatureTolerance = 300 * time.Second

// verify proves the sender of an audience webhook. With a signing secret only
// the header counts; webhooks made before Mailchimp signed them are proved by
// the secret in their URL. Without either, nothing is taken.
func (c *Connector) verify(r *connectors.Request) error {
	if keys := c.cfg.Keys(secretSigning); len(keys) > 0 {
		return connectors.TimedSignature{
			Header: signatureHeader, Secret: secretSigning, Keys: keys, Tolerance: signatureTolerance, Now: c.cfg.Now,
			Missing: "a webhook made before signatures has none: make it anew, or clear signing_secret and use webhook_secret",
		}.Verify(r)
	}
	if keys := c.cfg.Keys(secretWebhook); len(keys) > 0 {
		return verifyQuery(r.Query, keys)
	}
	return connectors.Reject(connectors.ErrUnconfigured, "set signing_secret or webhook_secret, so that the sender can be proved")
}

// verifyQuery compares ?key= of the webhook's URL.
func verifyQuery(query string, keys []secret.Text) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	given := values["key"]
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the URL lacks ?key=; enter it at Mailchimp with this connection's webhook_secret")
	case len(given) > 1:
		return connectors.Reject(connectors.ErrSignature, "the URL has key= %d times", len(given))
	}
	matched := false
	for _, key := range keys {
		matched = key.Equal(given[0]) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "key= in the URL fits no webhook_secret of this connection")
	}
	return nil
}
