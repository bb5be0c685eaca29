package mparticle

import (
	"net/http"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

// Receive implements connectors.Source: one batch of one person.
func (c *Connector) Receive(r *connectors.Request) (*connectors.Receipt, error) {
	if strings.TrimSuffix(r.Path, "/") != "" {
		return nil, connectors.Reject(connectors.ErrUnsupported, "nothing is received under this path; the webhook is the connection's own URL")
	}
	if r.Method != http.MethodPost {
		return nil, connectors.Reject(connectors.ErrUnsupported, "the method is not POST")
	}
	if err := c.verify(r); err != nil {
		return nil, err
	}
	return &connectors.Receipt{Events: c.split(r.Body)}, nil
}

// verify compares the whole header, scheme and all, since it is whatever was
// typed in at mParticle.
func (c *Connector) verify(r *connectors.Request) error {
	keys := c.cfg.Keys(secretWebhook)
	if len(keys) == 0 {
		return connectors.Reject(connectors.ErrUnconfigured, "set %s, so that the sender can be proved", secretWebhook)
	}
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return connectors.Reject(connectors.ErrUnsigned, "the header Authorization is missing; enter one in the Webhook's configuration at mParticle")
	case len(values) > 1:
		return connectors.Reject(connectors.ErrSignature, "the header Authorization is there %d times", len(values))
	}
	given, matched := strings.TrimSpace(values[0]), false
	for _, key := range keys {
		matched = key.Equal(given) || matched
	}
	if !matched {
		return connectors.Reject(connectors.ErrSignature, "the header Authorization fits no %s of this connection", secretWebhook)
	}
	return nil
}

// now is the connection's clock.
func (c *Connector) now() time.Time { return c.cfg.Now() }
