package connectors

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"
)

// Sizes of the connection pool. A destination runs a few batches of some
// dozens of requests at once against one host; a connection above the idle
// limit would be closed after every request.
const (
	maxIdlePerHost = 256
	maxIdle        = 1024
	idleTimeout    = 90 * time.Second
	maxHeaderBytes = 1 << 20
	bufferBytes    = 8 << 10
)

// newTransport makes the transport of one client.
func newTransport(g *guard) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // an environment variable must not reroute customer data
		DialContext:            g.dial,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(64)},
		TLSHandshakeTimeout:    g.dialer.Timeout,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		WriteBufferSize:        bufferBytes,
		ReadBufferSize:         bufferBytes,
	}
}

// reserved are the networks that the methods of netip.Addr do not name. From
// the IANA special-purpose address registries, plus the host address of Azure,
// which answers with machine credentials although it looks public.
var reserved = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("100.64.0.0/10"),    // carrier-grade NAT, some clouds' metadata
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // old 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),      // reserved, broadcast
	netip.MustParsePrefix("168.63.129.16/32"), // Azure host
	netip.MustParsePrefix("::/96"),            // IPv4-compatible, unspecified, loopback
	netip.MustParsePrefix("64:ff9b:1::/48"),   // local NAT64
	netip.MustParsePrefix("100::/64"),         // discard
	netip.MustParsePrefix("2001::/23"),        // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("fec0::/10"),        // old site-local
	netip.MustParsePrefix("5f00::/16"),        // segment routing
	netip.MustParsePrefix("::ffff:0:0:0/96"),  // IPv4-translated
}

// Public reports whether an address is one of the open internet: not loopback,
// private, link-local (where clouds serve machine credentials), carrier-grade
// NAT, unspecified, multicast or reserved, also when an IPv4 address hides in
// an IPv6 one.
func Public(a netip.Addr) bool {
	a = embedded(a.WithZone("").Unmap())
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

var (
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	sixTo = netip.MustParsePrefix("2002::/16")
)

// embedded gives the IPv4 address that NAT64 and 6to4 addresses lead to.
func embedded(a netip.Addr) netip.Addr {
	b := a.As16()
	switch {
	case !a.Is6():
		return a
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixTo.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

// classifyCause sorts a failure without an answer.
func classifyCause(err error) (Reason, bool) {
	var op *net.OpError
	switch {
	case errors.Is(err, errBlocked), errors.Is(err, errPlain):
		return ReasonBlocked, false
	case errors.As(err, &op) && op.Op == "dial":
		return ReasonConnection, true // nothing was sent
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, os.ErrDeadlineExceeded):
		return ReasonTimeout, true
	}
	return ReasonConnection, true
}

// causeWords is what a person reads about a failure without an answer.
func causeWords(err error) string {
	switch {
	case errors.Is(err, errBlocked):
		return errBlocked.Error()
	case errors.Is(err, errPlain):
		return errPlain.Error()
	case errors.Is(err, context.Canceled):
		return "the request was broken off"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}

// cause wraps the error below a *PushError: its text is clean, and errors.Is
// and errors.As still find what is underneath.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string        { return c.text }
func (c *cause) Is(target error) bool { return errors.Is(c.err, target) }
func (c *cause) As(target any) bool   { return errors.As(c.err, target) }
