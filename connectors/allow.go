package connectors

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Allow says what may be called although it is not on the open internet. The
// zero value allows nothing.
type Allow struct {
	// Networks may be called whatever they are.
	Networks []netip.Prefix
	// Hosts are names, in small letters and without a dot at the end, whose
	// addresses may be loopback or private ones.
	Hosts []string
}

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$`)

// ParseAllow reads networks (10.2.0.0/16), addresses (10.2.0.7) and host names.
// The error names every entry that is none of them.
func ParseAllow(entries []string) (Allow, error) {
	var a Allow
	var wrong []error
	for _, text := range entries {
		text = strings.ToLower(strings.TrimSpace(text))
		network, err := netip.ParsePrefix(text)
		if address, bad := netip.ParseAddr(text); err != nil && bad == nil {
			network, err = netip.PrefixFrom(address.Unmap().WithZone(""), address.Unmap().BitLen()), nil
		}
		name := strings.TrimSuffix(text, ".")
		last := name[strings.LastIndexByte(name, '.')+1:]
		switch {
		case text == "":
		case err == nil:
			a.Networks = append(a.Networks, network.Masked())
		case len(name) <= 253 && hostName.MatchString(name) && strings.ContainsFunc(last, notDigit):
			a.Hosts = append(a.Hosts, name)
		default:
			wrong = append(wrong, fmt.Errorf("%q is neither a network such as 10.2.0.0/16, nor an address, nor the name of a host", text))
		}
	}
	return a, errors.Join(wrong...)
}

// notDigit tells names from the many spellings of an IPv4 address, such as
// 0177.0.0.1 and 2130706433, which resolvers read in different ways.
func notDigit(r rune) bool { return r < '0' || r > '9' }

// Both are causes of a call that the guard refused.
var (
	errBlocked = errors.New("the address is in a private or reserved network")
	errPlain   = errors.New("plain http is not used; the address must begin with https://")
)

// guard decides about every address that is dialled.
type guard struct {
	private bool // loopback and private networks may be called
	allow   Allow
	dialer  net.Dialer
}

// plainKey marks the context of a request over plain http.
type plainKey struct{}

// mayPlain tells whether plain http is worth a try. It is used inside of one's
// own network only, which is seen when the address is dialled.
func (g *guard) mayPlain() bool {
	return g.private || len(g.allow.Networks)+len(g.allow.Hosts) > 0
}

// dial connects, and looks at every address just before: after name resolution.
// So a name that resolves to a public address when it is looked at and to a
// private one when it is dialled gains nothing.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, errBlocked
	}
	named := slices.Contains(g.allow.Hosts, strings.ToLower(strings.TrimSuffix(host, ".")))
	plain := ctx.Value(plainKey{}) != nil
	d := g.dialer
	d.Control = func(_, address string, _ syscall.RawConn) error { return g.check(address, named, plain) }
	return d.DialContext(ctx, network, address)
}

// check refuses an address by the rules, strictest first: what hands out a
// machine's credentials is called only where its network is listed.
func (g *guard) check(address string, named, plain bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errBlocked
	}
	a := at.Addr().WithZone("").Unmap()
	within := func(p netip.Prefix) bool { return p.Contains(a) || p.Contains(embedded(a)) }
	switch {
	case Public(a) && plain && !slices.ContainsFunc(g.allow.Networks, within):
		return errPlain
	case Public(a), slices.ContainsFunc(g.allow.Networks, within):
		return nil
	case machine(a):
		return errBlocked
	case g.private, named:
		return nil
	}
	return errBlocked
}

// machine reports whether an address is one at which clouds serve the
// credentials of a machine, or is link-local, where no vendor can be.
func machine(a netip.Addr) bool {
	a = embedded(a)
	return a.IsLinkLocalUnicast() || a.IsMulticast() || slices.Contains(metadata[:], a)
}

// metadata are the addresses outside of the link-local networks at which clouds
// serve credentials.
var metadata = [...]netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("fd00:ec2::23"),    // AWS, of containers
	netip.MustParseAddr("fd20:ce::254"),    // Google
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle, older
}
