package connectors

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

func TestParseAllow(t *testing.T) {
	t.Parallel()
	a, err := ParseAllow([]string{"10.2.0.0/16", " 192.168.7.9", "fd00::/8", "CRM.internal.", "crm", "", "10.9.9.9/16"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range a.Networks {
		got = append(got, p.String())
	}
	if all := strings.Join(append(got, a.Hosts...), " "); all != "10.2.0.0/16 192.168.7.9/32 fd00::/8 10.9.0.0/16 crm.internal crm" {
		t.Errorf("read %s", all)
	}
	for _, wrong := range []string{"10.0.0.0/33", "http://crm", "crm:443", "*.internal", "a..b", "-", "0177.0.0.1", "2130706433", "127.1", "0x7f.1", "host with blank"} {
		if _, err := ParseAllow([]string{wrong}); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q is taken for an entry: %v", wrong, err)
		}
	}
}

// TestGuard is the table of what is dialled: by the default, with private
// networks allowed, with a network listed, and with the host listed by name.
func TestGuard(t *testing.T) {
	t.Parallel()
	listed, err := ParseAllow([]string{"10.2.0.0/16", "169.254.10.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	closed, private, networks := &guard{}, &guard{private: true}, &guard{allow: listed}
	for address, want := range map[string]struct{ closed, private, networks, named bool }{
		"93.184.215.14:443":           {true, true, true, true},
		"[2606:4700::1111]:443":       {true, true, true, true},
		"10.2.3.4:443":                {false, true, true, true},
		"10.3.3.4:443":                {false, true, false, true},
		"[::ffff:10.2.3.4]:443":       {false, true, true, true},
		"[64:ff9b::a02:304]:443":      {false, true, true, true},
		"127.0.0.1:80":                {false, true, false, true},
		"[::1]:80":                    {false, true, false, true},
		"[::127.0.0.1]:80":            {false, true, false, true},
		"0.0.0.0:80":                  {false, true, false, true},
		"[fd12::1]:80":                {false, true, false, true},
		"169.254.169.254:80":          {false, false, false, false},
		"169.254.10.1:80":             {false, false, true, false},
		"[::ffff:169.254.169.254]:80": {false, false, false, false},
		"[64:ff9b::a9fe:a9fe]:80":     {false, false, false, false},
		"[2002:a9fe:a9fe::1]:80":      {false, false, false, false},
		"[fe80::1%eth0]:80":           {false, false, false, false},
		"[fd00:ec2::254]:80":          {false, false, false, false},
		"100.100.100.200:80":          {false, false, false, false},
		"168.63.129.16:80":            {false, false, false, false},
		"224.0.0.1:80":                {false, false, false, false},
		"not an address":              {false, false, false, false},
		"localhost:80":                {false, false, false, false},
	} {
		for name, c := range map[string]struct {
			g     *guard
			named bool
			want  bool
		}{"closed": {closed, false, want.closed}, "private": {private, false, want.private}, "networks": {networks, false, want.networks}, "named": {closed, true, want.named}} {
			if err := c.g.check(address, c.named, false); (err == nil) != c.want {
				t.Errorf("%s, %s: %v", address, name, err)
			}
		}
	}
	if err := private.check("93.184.215.14:80", true, true); !errors.Is(err, errPlain) {
		t.Errorf("plain http on the open internet: %v", err)
	}
	if err := private.check("10.0.0.1:80", false, true); err != nil {
		t.Errorf("plain http at home: %v", err)
	}
}

// dnsServer answers every question for an IPv4 address with the next of a list,
// the last for ever, and every other one with nothing.
func dnsServer(t *testing.T, answers ...string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	asked := &atomic.Int64{}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := l.ReadFrom(buf)
			if err != nil {
				return
			}
			q := buf[:n]
			end := 12 // behind the header: the name, its type and class
			for q[end] != 0 {
				end += int(q[end]) + 1
			}
			kind := binary.BigEndian.Uint16(q[end+1:])
			reply := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end+5]...)
			if kind == 1 {
				i := min(int(asked.Add(1)), len(answers)) - 1
				a := netip.MustParseAddr(answers[i]).As4()
				reply[7] = 1
				reply = append(append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), a[:]...)
			}
			_, _ = l.WriteTo(reply, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", l.LocalAddr().String())
	}}, asked
}

// TestNameThatChangesItsAddress: a name that looks public when somebody checks
// it, and leads home when it is dialled.
func TestNameThatChangesItsAddress(t *testing.T) {
	t.Parallel()
	home := serveCounting(t)
	_, port, _ := net.SplitHostPort(home.address)
	resolver, asked := dnsServer(t, "93.184.215.14", "127.0.0.1")
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.com")
	if err != nil || len(first) != 1 || !Public(first[0]) {
		t.Fatalf("the first look: %v, %v", first, err)
	}
	c := NewClient(ClientOptions{Resolver: resolver})
	for range 3 {
		_, err = c.Do(t.Context(), Call{Act: "test: call", URL: "https://rebind.example.com:" + port + "/"})
		if e := pushError(t, err); e.Reason != ReasonBlocked || e.Retryable {
			t.Errorf("error %+v", e)
		}
	}
	if home.n.Load() != 0 || asked.Load() < 2 {
		t.Errorf("%d connections arrived, the name was asked for %d times", home.n.Load(), asked.Load())
	}
}

// TestHostsThatAreListed: a name that is listed leads home, another one with the
// same address does not, and neither leads to where credentials are.
func TestHostsThatAreListed(t *testing.T) {
	t.Parallel()
	home := serveCounting(t)
	_, port, _ := net.SplitHostPort(home.address)
	allow, err := ParseAllow([]string{"crm.internal"})
	if err != nil {
		t.Fatal(err)
	}
	resolver, _ := dnsServer(t, "127.0.0.1")
	c := NewClient(ClientOptions{Resolver: resolver, Allow: allow})
	if _, err := c.Do(t.Context(), Call{Act: "test: call", URL: "http://CRM.internal.:" + port}); err != nil {
		t.Errorf("the host that is listed: %v", err)
	}
	_, err = c.Do(t.Context(), Call{Act: "test: call", URL: "http://crm.internal.example.com:" + port})
	if e := pushError(t, err); e.Reason != ReasonBlocked {
		t.Errorf("another host: %+v", e)
	}
	toMachine, _ := dnsServer(t, "169.254.169.254")
	_, err = NewClient(ClientOptions{Resolver: toMachine, Allow: allow}).Do(t.Context(), Call{Act: "test: call", URL: "http://crm.internal/latest/meta-data"})
	if e := pushError(t, err); e.Reason != ReasonBlocked {
		t.Errorf("credentials behind a listed name: %+v", e)
	}
	if home.n.Load() != 1 {
		t.Errorf("%d requests arrived", home.n.Load())
	}
}

// TestSpellingsOfLoopback: whatever a resolver makes of it, nothing arrives.
func TestSpellingsOfLoopback(t *testing.T) {
	t.Parallel()
	home := serveCounting(t)
	_, port, _ := net.SplitHostPort(home.address)
	resolver, _ := dnsServer(t, "127.0.0.1") // as a resolver answers that reads them all
	c := NewClient(ClientOptions{Resolver: resolver})
	for _, host := range []string{"127.0.0.1", "localhost", "localhost.", "LOCALHOST", "2130706433", "0x7f000001", "0177.0.0.1", "0177.0.0.01", "127.1", "127.0.1", "0",
		"0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "127.0.0.1.nip.example.com",
		"①②⑦.⓪.⓪.①", "127。0。0。1", "evil.example.com@127.0.0.1", "127.0.0.1%23.example.com"} {
		for _, scheme := range []string{"https", "http"} {
			if _, err := c.Do(t.Context(), Call{Act: "test: call", URL: scheme + "://" + withPort(host, port) + "/"}); err == nil {
				t.Errorf("%s://%s was called", scheme, host)
			}
		}
	}
	if home.n.Load() != 0 {
		t.Errorf("%d connections arrived", home.n.Load())
	}
}

func withPort(host, port string) string { return host + ":" + port }
