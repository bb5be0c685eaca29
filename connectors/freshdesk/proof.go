package freshdesk

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/stagebridge/stagebridge/connectors"
)

// headerKey is the custom header that may carry the secret.
const headerKey = "X-Webhook-Key"

// verify proves the sender by the secret that the webhook was set up with,
// since Freshdesk signs nothing: in the header, else as the password (or the
// name, which is where an API key would stand) of Basic authentication, else in
// the URL. The first of these that is there decides.
func (c *Connector) verify(r *connectors.Request) error {
	keys := c.cfg.Keys(secretWebhook)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set webhook_secret, so that the sender can be proved")
	}
	where, given, err := proofs(r)
	switch {
	case err != nil:
		return err
	case len(given) == 0:
		return connectors.Reject(connectors.ErrUnsigned, "the secret is missing: enter it at Freshdesk as ?key= in the URL, in the header %s or as the password", headerKey)
	}
	matched := false
	for _, key := range keys {
		for _, one := range given {
			matched = key.Equal(one) || matched
		}
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "the secret in %s fits no webhook_secret of this connection", where)
	}
	return nil
}

// proofs gives what the request shows as its secret, and where.
func proofs(r *connectors.Request) (where string, given []string, err error) {
	keys, authorizations := r.Header.Values(headerKey), r.Header.Values("Authorization")
	query, bad := url.ParseQuery(r.Query)
	switch {
	case len(keys) > 1 || len(authorizations) > 1 || len(query["key"]) > 1:
		return "", nil, connectors.Reject(connectors.ErrSignature, "the secret is there more than once")
	case len(keys) == 1 && keys[0] != "":
		return "the header " + headerKey, keys, nil
	case len(authorizations) == 1:
		name, password, ok := (&http.Request{Header: http.Header{"Authorization": authorizations}}).BasicAuth()
		if !ok {
			return "", nil, connectors.Reject(connectors.ErrSignature, "the header Authorization is not Basic")
		}
		return "the header Authorization", notEmpty(password, name), nil
	case bad != nil:
		return "", nil, connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	return "the URL", notEmpty(query["key"]...), nil
}

func notEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}
