package connectors

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// HTTP gives a client for libraries that make requests of their own, such as
// that of an identity provider, with the same guard: it refuses addresses as Do
// does, always verifies certificates, takes no proxy from the environment,
// follows no redirect, and ends after the same time and the same number of
// bytes.
func (c *Client) HTTP() *http.Client {
	return &http.Client{
		Transport:     guarded{c},
		Timeout:       c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guarded is the transport of such a client.
type guarded struct{ c *Client }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Scheme == "http" && g.c.guard.mayPlain():
		r = r.WithContext(context.WithValue(r.Context(), plainKey{}, true))
	case r.URL.Scheme != "https":
		return nil, fmt.Errorf("connectors: %w", errPlain)
	}
	res, err := g.c.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: g.c.maxAnswer}
	return res, nil
}

// boundedBody fails once an answer is longer than it may be.
type boundedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("connectors: the answer is longer than it may be")
	}
	return n, err
}
