package googleanalytics

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

const (
	// secretHeader is ours; the tag of a server container sends it.
	secretHeader = "X-Stagebridge-Secret"
	// tagPath is where the Google tag sends below its server_container_url.
	tagPath = "/g/collect"
	// collectPath is another name of the connection's own URL, since Google's
	// own endpoints are called so.
	collectPath = "/mp/collect"
)

// Receive implements connectors.Source. JSON comes to the connection's own URL,
// the Google tag's own hits below it.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	path := strings.TrimSuffix(r.Path, "/")
	if path != "" && path != tagPath && path != collectPath {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path; events come to the connection's own URL, those of the Google tag to %s", tagPath)
	}
	if r.Method == http.MethodOptions {
		return &connectors.Receipt{Reply: connectors.Reply{Status: http.StatusNoContent, Header: crossOrigin(r.Header, true)}}, nil
	}
	if path == tagPath {
		return c.receiveTag(r)
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not POST")
	}
	public, err := c.verify(r)
	if err != nil {
		return nil, err
	}
	s := &split{c: c, received: c.arrived(r), public: public}
	return &connectors.Receipt{Events: s.collect(r.Body), Reply: connectors.Reply{Status: http.StatusNoContent, Header: crossOrigin(r.Header, false)}}, nil
}

// verify proves a server by its header, or admits a page by the public key in
// the URL. A header that is there must be right.
func (c *Connector) verify(r *connectors.Request) (public bool, err error) {
	secrets, keys := c.cfg.Keys(secretCollect), c.cfg.Keys(secretCollectKey)
	if len(secrets) == 0 && len(keys) == 0 {
		return false, connectors.Reject(connectors.ErrUnconfigured, "set %s or %s, so that senders can be told apart", secretCollect, secretCollectKey)
	}
	if values := r.Header.Values(secretHeader); len(values) > 0 && (len(values) > 1 || values[0] != "") {
		if len(values) > 1 {
			return false, connectors.Reject(connectors.ErrSignature, "the header %s is there %d times", secretHeader, len(values))
		}
		if !fits(values[0], secrets) {
			return false, connectors.Reject(connectors.ErrSignature, "the header %s fits no %s of this connection", secretHeader, secretCollect)
		}
		return false, nil
	}
	query, err := url.ParseQuery(r.Query)
	if err != nil {
		return false, connectors.Reject(connectors.ErrSignature, "the query of the URL cannot be read")
	}
	given := query["key"]
	switch {
	case len(given) == 0 || len(given) == 1 && given[0] == "":
		return false, connectors.Reject(connectors.ErrUnsigned, "there is neither the header %s nor ?key= in the URL", secretHeader)
	case len(given) > 1 || !fits(given[0], keys):
		return false, connectors.Reject(connectors.ErrSignature, "?key= in the URL fits no %s of this connection", secretCollectKey)
	}
	return true, nil
}

// arrived is when the request came; the clock where the caller does not say.
func (c *Connector) arrived(r *connectors.Request) time.Time {
	if r.Received.IsZero() {
		return c.cfg.Now()
	}
	return r.Received
}

// crossOrigin lets a page of any origin send: the answers hold nothing. A
// request with credentials does not take the asterisk, so the origin is named.
func crossOrigin(asked http.Header, preflight bool) http.Header {
	h := http.Header{"Access-Control-Allow-Origin": {"*"}}
	origin := asked.Get("Origin")
	if origin != "" && len(origin) <= 300 && !strings.ContainsFunc(origin, func(r rune) bool { return r <= ' ' || r > '~' }) {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Vary", "Origin")
	}
	if preflight {
		h.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "content-type, x-stagebridge-secret")
		h.Set("Access-Control-Max-Age", "86400")
	}
	return h
}
