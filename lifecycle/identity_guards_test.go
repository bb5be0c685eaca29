package lifecycle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestUsable(t *testing.T) {
	t.Parallel()
	own := DefaultGuards()
	own.Blocked["user:4711"] = true
	own.Devices = map[string]bool{"ga-web": true}
	tests := []struct {
		name       string
		keys, want string
	}{
		{"all", "user:1 email:ann@example.com hubspot:51 anonymous:x", "user:1 email:ann@example.com hubspot:51 anonymous:x"},
		{"words", "user:NULL hubspot:undefined stripe:-1 phone:none anonymous:Anonymous", ""},
		{"zeros", "user:0 hubspot:000 stripe:- anonymous:00000000-0000-0000-0000-000000000000 ga:10", "ga:10"},
		{"placeholders", "user:{{user.id}} email:*|EMAIL|* stripe:${id}", ""},
		{"addresses of nobody", "email:test@example.com email:noreply@example.com email:no-reply+51@example.com email:ann@localhost email:null@example.com email:tess@example.com", "email:tess@example.com"},
		{"one namespace only", "user:4711 hubspot:4711", "hubspot:4711"},
		{"role behind vendor, device last", "email:info@example.com ga-web:7 hubspot:51", "hubspot:51 email:info@example.com ga-web:7"},
		{"role without a vendor's id", "email:sales@example.com anonymous:x", "email:sales@example.com anonymous:x"},
		{"unsorted and twice", "hubspot:51 user:1 hubspot:51", "user:1 hubspot:51"},
		{"none", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(append([]Key{}, keyList(tt.want)...), append([]Key{}, own.Usable(keyList(tt.keys))...)); diff != "" {
				t.Errorf("Usable (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUsableDoesNotAllocateWhereNothingChanges(t *testing.T) {
	g, keys := DefaultGuards(), keyList("user:1 email:ann@example.com hubspot:51 anonymous:x")
	if n := testing.AllocsPerRun(100, func() { g.Usable(keys) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestZeroGuardsGuardNothing(t *testing.T) {
	t.Parallel()
	var g Guards
	a, b := g.KeySet(keyList("user:1 user:2 hubspot:51")...), g.KeySet(keyList("user:3 email:info@example.com")...)
	if reason := g.Allows(a, b); reason != "" {
		t.Errorf("Allows = %q", reason)
	}
	if reason := g.Joins(a, b, Key{"user", "1"}, Key{"user", "3"}); reason != "" {
		t.Errorf("Joins = %q", reason)
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	g := DefaultGuards()
	tests := []struct{ name, a, b, want string }{
		{"nothing", "", "", ""},
		{"a new key", "user:1", "email:ann@example.com", ""},
		{"two users", "user:1", "user:2", "limit:user"},
		{"five addresses", "email:a@example.com email:b@example.com", "email:c@example.com email:d@example.com email:e@example.com", ""},
		{"six addresses", "email:a@example.com email:b@example.com email:c@example.com", "email:d@example.com email:e@example.com email:f@example.com", "limit:email"},
		{"six of a vendor", "stripe:1 stripe:2 stripe:3 stripe:4 stripe:5", "stripe:6", "limit:stripe"},
		{"different kinds with a device", "email:ann@example.com anonymous:x", "user:1", ""},
		{"same kind with a device", "email:ann@example.com anonymous:x", "email:bob@example.com", "order"},
		{"a role address and one id", "email:info@example.com", "hubspot:51", ""},
		{"a role address and two ids", "email:info@example.com hubspot:51", "user:1", "order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := g.KeySet(keyList(tt.a)...), g.KeySet(keyList(tt.b)...)
			if got := g.Allows(a, b); got != tt.want {
				t.Errorf("Allows = %q, want %q", got, tt.want)
			}
			if got := g.Allows(b, a); got != tt.want {
				t.Errorf("Allows the other way = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	g := DefaultGuards()
	a, b := g.KeySet(keyList("user:1 email:ann@example.com email:info@example.com")...), g.KeySet(keyList("email:lee@example.com anonymous:x")...)
	u := a.Union(b)
	if u.Len() != 5 || u.Count("email") != 3 || u.Count("user") != 1 || u.Count("stripe") != 0 {
		t.Errorf("union = %+v", u)
	}
	if a.Len() != 3 || a.Count("email") != 2 || b.Len() != 2 {
		t.Errorf("the parts were changed: %+v, %+v", a, b)
	}
}

// TestAllowsIsMonotone is what the store's plain union rests on.
func TestAllowsIsMonotone(t *testing.T) {
	t.Parallel()
	g := tightGuards()
	rapid.Check(t, func(t *rapid.T) {
		keys := SortKeys(rapid.SliceOfN(rapid.SampledFrom(fewKeys), 0, 12).Draw(t, "keys"))
		part := func(label string) (in, out KeySet) {
			for _, k := range keys {
				if rapid.Bool().Draw(t, label) {
					in = in.Union(g.KeySet(k))
				} else {
					out = out.Union(g.KeySet(k))
				}
			}
			return in, out
		}
		a, b := part("first cut")
		c, d := part("second cut")
		whole := g.Allows(a, b)
		if again := g.Allows(c, d); (again == "") != (whole == "") {
			t.Fatalf("the same union: %q and %q", whole, again)
		}
		if whole != "" {
			return
		}
		for _, s := range []KeySet{a, b, c, d} {
			if reason := g.Allows(s, KeySet{}); reason != "" {
				t.Fatalf("the whole is allowed, a part is not: %q", reason)
			}
		}
		for _, anchor := range keys {
			for _, key := range keys {
				if reason := g.Joins(a, b, anchor, key); reason != "" {
					t.Fatalf("the union is allowed, the step from %s to %s is not: %q", anchor, key, reason)
				}
			}
		}
	})
}
