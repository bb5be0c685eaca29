package connectors

import (
	"context"
	"net"
)

// Dial connects to host:port for what is not HTTP, such as sending mail. The
// same addresses are refused as for requests, at the same moment: after name
// resolution.
func (c *Client) Dial(ctx context.Context, address string) (net.Conn, error) {
	return c.guard.dial(ctx, "tcp", address)
}
