package genericwebhook

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/connectors"
)

func TestAPIKey(t *testing.T) {
	t.Parallel()
	c := connect(t, map[string]string{"profile": "api_key", "signature_header": "X-Key"}, time.Now(), "current", "before")
	for key, want := range map[string]error{"current": nil, "before": nil, "currenT": connectors.ErrSignature, "": connectors.ErrUnsigned} {
		if _, err := c.Receive(deliver(`{}`, "X-Key", key)); !errors.Is(verdict(err), want) {
			t.Errorf("key %q: %v, want %v", key, err, want)
		}
	}
	if _, err := c.Receive(deliver(`{}`)); !errors.Is(err, connectors.ErrUnsigned) {
		t.Errorf("without a key: %v", err)
	}
}

func TestAllowedAddresses(t *testing.T) {
	t.Parallel()
	c := connect(t, map[string]string{"profile": "token", "allowed_addresses": "203.0.113.7, 198.51.100.0/24 2001:db8::/32"}, time.Now(), "token")
	for address, want := range map[string]error{
		"203.0.113.7": nil, "198.51.100.200": nil, "2001:db8::1": nil,
		"203.0.113.8": connectors.ErrSignature, "198.51.101.1": connectors.ErrSignature, "": connectors.ErrSignature,
	} {
		r := deliver(`{}`, "Authorization", "Bearer token")
		r.Remote, _ = netip.ParseAddr(address)
		if _, err := c.Receive(r); !errors.Is(verdict(err), want) {
			t.Errorf("from %q: %v, want %v", address, err, want)
		}
		// An allowed address proves nothing.
		r.Header.Set("Authorization", "Bearer another")
		if _, err := c.Receive(r); !errors.Is(err, connectors.ErrSignature) {
			t.Errorf("from %q with another token: %v", address, err)
		}
	}
	_, err := Vendor().Open(config(map[string]string{"allowed_addresses": "203.0.113.7 everywhere"}, time.Now(), specKey))
	if err == nil || !strings.Contains(err.Error(), `allowed_addresses: holds "everywhere"`) {
		t.Errorf("a network that is none: %v", err)
	}
}

func TestXML(t *testing.T) {
	t.Parallel()
	c := connect(t, map[string]string{"profile": "token", "type": "path:note.kind", "dedupe": "path:note.id"}, time.Now(), "token")
	receive := func(kind, body string) connectors.RawEvent {
		t.Helper()
		rc, err := c.Receive(deliver(body, "Authorization", "Bearer token", "Content-Type", kind))
		if err != nil || len(rc.Events) != 1 {
			t.Fatalf("%s: %+v, %v", body, rc, err)
		}
		return rc.Events[0]
	}
	const note = `<?xml version="1.0"?><n:note xmlns:n="urn:x"><id> 7 </id><n:kind>paid</n:kind></n:note>`
	e := receive("text/xml; charset=utf-8", note)
	if e.Type != "paid" || e.Format != connectors.FormatXML || e.Broken != "" || string(e.Body) != note {
		t.Errorf("event %+v", e)
	}
	if again := receive("application/soap+xml", `<note><kind>paid</kind><id>7</id></note>`); again.Dedupe != e.Dedupe {
		t.Error("one id in two messages is two events")
	}
	if e := receive("application/xml", `<order><id>7</id></order>`); e.Type != "order" {
		t.Errorf("the type of a message that names none is %q, want its root", e.Type)
	}
	for _, broken := range []string{"<note><id>7</id>", "<note/><note/>", "<a>" + strings.Repeat("<a>", xmlDepth), "<!-- -->"} {
		if e := receive("text/xml", broken); e.Broken == "" || e.Type == "" {
			t.Errorf("%.20s: %+v, want it kept as broken", broken, e)
		}
	}
}
