package segment

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// trackingRoot is where the tracking API begins, below the connection's own
// URL or at the root of the server.
const trackingRoot = "/v1/"

// Receive implements connectors.Source. Webhooks of Segment come to the
// connection's own URL, calls of client libraries below /v1/.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	path := strings.TrimSuffix(r.Path, "/")
	switch {
	case path == "":
		return c.receiveWebhook(r)
	case strings.HasPrefix(path, trackingRoot):
		return c.receiveTracking(r, path)
	}
	return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path; webhooks come to the connection's own URL, calls of client libraries below %s", trackingRoot)
}

// receiveWebhook takes what the destinations Webhooks (Actions) and Webhooks
// send: one event, or a list of them where batching is on.
func (c *Connector) receiveWebhook(r *connectors.Request) (*connectors.Receipt, error) {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not one of POST, PUT and PATCH")
	}
	proof, err := c.verifyWebhook(r)
	if err != nil {
		return nil, err
	}
	s := &split{c: c, received: c.arrived(r), forwarded: true, proof: proof}
	return &connectors.Receipt{Events: s.webhook(r.Body)}, nil
}

// arrived is when the request came; the clock where the caller does not say.
func (c *Connector) arrived(r *connectors.Request) time.Time {
	if r.Received.IsZero() {
		return c.cfg.Now()
	}
	return r.Received
}
