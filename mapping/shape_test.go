package mapping

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestShape(t *testing.T) {
	t.Parallel()
	tests := []struct{ body, want string }{
		{`{"type":"a","data":{"id":1,"email":"x"}}`, "{data{email,id},type}"},
		{`{"data":{"email":null,"id":"2"},"type":5}`, "{data{email,id},type}"},
		{`{"l":[{"a":1},{"b":2}],"e":[]}`, "{e[],l[]{a}}"},
		{`{"users":{"1":{"a":1},"2":{"a":2},"x@example.com":{"a":1}}}`, "{users{*{a}}}"},
		{`{"8a25ff1d98a25ff1d98":1,"name":2}`, "{*,name}"},
		{`{"a":{"b":{"c":{"d":1}}}}`, "{a{b{c}}}"},
		{`5`, ""}, {`[]`, "[]"}, {`{}`, "{}"}, {`{"":1}`, "{*}"},
	}
	for _, tt := range tests {
		v, err := Decode("", []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if got := Shape(v); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.body, got, tt.want)
		}
	}
	long := func(last string) any {
		m := map[string]any{}
		for i := range 50 {
			m[fmt.Sprintf("field_%c%c", 'a'+i/26, 'a'+i%26)] = nil
		}
		m["zz"+last] = nil
		return m
	}
	a, b := Shape(long("a")), Shape(long("b"))
	if len(a) > maxShapeBytes || a == b || a != Shape(long("a")) || !strings.HasPrefix(a, "{field_aa,") {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestPropose(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, typ, body, want string }{
		{"a contact", "contact.created", `{"objectId":7,"occurredAt":1700000000000,"properties":{"user_email":"ann@example.com","phone":"+14155550100"}}`, `rules:
  - name: contact.created
    type: contact.created
    emit:
      # Take the name from the vocabulary where one fits.
      event: Contact:Created
      key: body.objectId
      at: fromUnixMilli(body.occurredAt)
      identity:
        phone: body.properties.phone
        email: body.properties.user_email
`},
		{"odd names", "order: paid #1", `{"created at":"2024-01-02 03:04:05","list":[{"E-Mail":"x","Buyer Email":"ann@example.com"}],"user_id":5}`, `rules:
  - name: 'order: paid #1'
    type: 'order: paid #1'
    emit:
      # Take the name from the vocabulary where one fits.
      event: Order:Paid
      at: 'parseTime(body["created at"])'
      identity:
        email: 'body.list[0]["Buyer Email"]'
        user: body.user_id
`},
		{"nobody", "ping", `{"id":"x"}`, `rules:
  - name: ping
    type: ping
    emit:
      # Take the name from the vocabulary where one fits.
      event: Custom:Ping
      key: body.id
      # No identifier of a person was found; say where it is.
      identity:
        email: body.email
`},
	}
	for _, tt := range tests {
		v, err := Decode("", []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, Propose(tt.typ, v)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// A proposed rule compiles, matches the event and maps it where a person was
// found.
func TestProposeIsARuleThatWorks(t *testing.T) {
	t.Parallel()
	types := []string{"contact.created", "", "*", "a*b", "true", "Null", "Ä", "123", "x'y", "a\nb\x00c", strings.Repeat("t", 300), "- x", "order/created", "\xff"}
	for _, typ := range types {
		body := map[string]any{"email": "ann@example.com", "not": map[string]any{"userId": "u", "in": int64(1)}, "ts": "1700000000"}
		rules := Propose(typ, body)
		rs, err := Compile("proposed.yaml", []byte(rules), hubspot)
		if err != nil {
			t.Errorf("%q: %v\n%s", typ, err, rules)
			continue
		}
		if strings.Contains(typ, "\n") || !utf8.ValidString(typ) {
			continue // the store cleans types before they get here
		}
		out := rs.Apply(&Input{Type: typ, Body: body})
		if out.Err != nil || len(out.Events) != 1 || len(out.Events[0].Identity) != 2 || out.Events[0].At != 1700000000000000 {
			t.Errorf("%q: %v\n%s", typ, out, rules)
		}
	}
}
