package connectortest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/connectors"
)

// hostileBody is a body that a healthy sender does not send.
type hostileBody struct {
	name string
	body []byte
	// undecodable bodies are no JSON value and no form of any vendor's.
	undecodable bool
}

// hostileBodies derives them from a good body.
func hostileBodies(good []byte) []hostileBody {
	utf16 := []byte{0xff, 0xfe}
	for _, b := range good {
		utf16 = append(utf16, b, 0)
	}
	return []hostileBody{
		{"truncated JSON", []byte(`{"type":"user.created","data":{"email":"ann@exam`), true},
		{"truncated", good[:len(good)*2/3], false},
		{"invalid UTF-8", []byte("{\"type\":\"user.cre\xff\xfeated\"}"), true},
		{"invalid UTF-8 at the end", append(bytes.Clone(good), 0xff, 0xfe), false},
		{"NUL bytes", append([]byte{0, 0}, good...), false},
		{"escaped NUL", []byte(`{"type":"user\u0000created","data":{"email":"a\u0000@example.com"}}`), false},
		{"10,000 arrays deep", bytes.Repeat([]byte("["), 10000), true},
		{"10,000 objects deep", []byte(strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)), false},
		{"duplicate keys", []byte(`{"type":"user.created","type":"user.deleted","data":{},"data":{}}`), false},
		{"UTF-16", utf16, false},
		{"empty", nil, false},
		{"null", []byte("null"), false},
		{"empty array", []byte("[]"), false},
		{"array of nonsense", []byte(`[1,"a",null,[],{}]`), false},
		{"text", []byte(`"text"`), false},
		{"number", []byte("12345678901234567890123456789e999999"), false},
		{"two values", append(bytes.Clone(good), good...), false},
		{"form", []byte("type=subscribe&data%5Bemail%5D=ann%40example.com"), false},
		{"broken form", []byte("a=%zz&%=&&=&;"), false},
		{"html", []byte("<!doctype html><title>502</title>"), false},
		{"long text", []byte(`{"type":"` + strings.Repeat("x", 1<<20) + `"}`), false},
		{"many members", []byte("{" + strings.Repeat(`"a":1,`, 100000) + `"type":"x"}`), false},
	}
}

// runHostile sends each body authentic, under the good delivery's content type
// and others, and unauthentic. Nothing may panic, nothing authentic may be
// refused or dropped in silence, nothing unauthentic accepted.
func runHostile(t *testing.T, c Case) {
	s := c.Source
	src, o := c.openSource(t, s.Keys[0])
	now := o.config.Now()
	bodies := hostileBodies(s.Body)
	for _, b := range s.Undecodable {
		bodies = append(bodies, hostileBody{"the vendor's undecodable " + string(b[:min(len(b), 40)]), b, true})
	}
	kinds := []string{"", "application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "text/xml; charset=\x00", "multipart/form-data"}
	for _, h := range bodies {
		t.Run(h.name, func(t *testing.T) {
			for _, kind := range kinds {
				r := s.delivery(o.config, s.Keys[0], now, bytes.Clone(h.body))
				if kind != "" {
					r.Header.Set("Content-Type", kind)
				}
				rc, err := src.Receive(r)
				if err != nil {
					t.Errorf("content type %q: an authentic request was refused: %v", kind, err)
					continue
				}
				if h.undecodable && !s.AnyBody && !isParked(rc, h.body) {
					t.Errorf("content type %q: %d events, want one that holds the bytes and cannot be decoded", kind, len(rc.Events))
				}
				for _, e := range rc.Events {
					if e.Dedupe == [32]byte{} {
						t.Errorf("content type %q: an event without dedupe key", kind)
					}
				}
				if s.BodyUnsigned {
					continue
				}
				r = s.delivery(o.config, s.Keys[2], now, bytes.Clone(h.body))
				if rc, err := src.Receive(r); err == nil && len(rc.Events) > 0 {
					t.Errorf("content type %q: accepted without proof", kind)
				}
			}
		})
	}
	checkClean(t, o.config, "the log", o.log.String())
}

// isParked reports whether undecodable bytes are kept as one event that will
// be parked: the source has marked it, or mapping cannot read it.
func isParked(rc *connectors.Receipt, body []byte) bool {
	if len(rc.Events) != 1 || !bytes.Equal(rc.Events[0].Body, body) {
		return false
	}
	return rc.Events[0].Broken != "" || !decodes(rc.Events[0])
}
