package lifecycle

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestNormaliseKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, namespace, value string
		want                   string // "" means refused
	}{
		{"plain e-mail", "email", "ann@example.com", "ann@example.com"},
		{"both parts lower-cased", "email", " Ann.Lee+News@Example.COM\r\n", "ann.lee+news@example.com"},
		{"full-width letters", "email", "ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com"},
		{"zero-width space at the end", "email", "ann@example.com\u200b", "ann@example.com"},
		{"byte order mark", "email", "\ufeffann@example.com", "ann@example.com"},
		{"decomposed accent", "email", "rene\u0301@example.com", "ren\u00e9@example.com"},
		{"capital that composes only in lower case", "email", "H\u0331@example.com", "\u1e96@example.com"},
		{"quoted local part", "email", `"a@b"@example.com`, `"a@b"@example.com`},
		{"two at signs", "email", "a@b@example.com", ""},
		{"no at sign", "email", "n/a", ""},
		{"no local part", "email", "@example.com", ""},
		{"no domain", "email", "ann@", ""},
		{"name and address", "email", "Ann <ann@example.com>", ""},
		{"two addresses", "email", "ann@example.com,bob@example.com", ""},
		{"space inside", "email", "ann lee@example.com", ""},

		{"phone as it should be", "phone", "+493012345678", "+493012345678"},
		{"separators", "phone", "+1 (555) 010-9999", "+15550109999"},
		{"slash, dots, trunk zero", "phone", "+49 (0)30 / 1234.5678", "+493012345678"},
		{"Italy keeps a bracketed zero", "phone", "+39 (0)6 12345678", "+390612345678"},
		{"double zero", "phone", "0049 30 12345678", "+493012345678"},
		{"link", "phone", "tel:+1-555-010-9999", "+15550109999"},
		{"embedding marks", "phone", "\u202a+1\u00a0555\u2011010\u20119999\u202c", "+15550109999"},
		{"country code in brackets", "phone", "(+49) 30 12345678", "+493012345678"},
		{"no country code", "phone", "(555) 010-9999", ""},
		{"digits alone could be anywhere", "phone", "13812345678", ""},
		{"extension", "phone", "+1 555 010 9999 ext. 12", ""},
		{"too short", "phone", "+12345", ""},
		{"too long", "phone", "+1234567890123456", ""},
		{"no country begins with 0", "phone", "+0555010999", ""},
		{"letters", "phone", "+1-800-FLOWERS", ""},

		{"vendor id keeps its case", "hubspot-eu", " AbC-51 ", "AbC-51"},
		{"salesforce id", "salesforce", "003xx0000012345AAA", "003xx0000012345AAA"},
		{"space inside an id", "user", "ann lee", "ann lee"},
		{"ligature", "user", "ﬁnn", "finn"},
		{"only spaces", "user", " \t\u00a0\u2003 ", ""},
		{"empty", "user", "", ""},
		{"NUL", "user", "a\x00b", ""},
		{"control", "user", "a\x1bb", ""},
		{"C1 control", "user", "a\u0085b", ""},
		{"delete", "user", "a\x7fb", ""},
		{"line break inside", "user", "a\nb", ""},
		{"invalid UTF-8", "user", "a\xffb", ""},
		{"half a rune", "user", "a\xe2\x82", ""},
		{"200 bytes", "user", strings.Repeat("x", 200), strings.Repeat("x", 200)},
		{"200 bytes after trimming", "user", strings.Repeat(" ", 900) + strings.Repeat("x", 200), strings.Repeat("x", 200)},
		{"201 bytes", "user", strings.Repeat("x", 201), ""},
		{"grows by NFKC", "user", strings.Repeat("\ufdfa", 60), ""},
		{"shrinks by NFKC", "user", strings.Repeat("ａ", 100), strings.Repeat("a", 100)},
		{"huge", "user", strings.Repeat("x", 1<<20), ""},

		{"no namespace", "", "x", ""},
		{"capital in the namespace", "User", "x", ""},
		{"namespace begins with a hyphen", "-a", "x", ""},
		{"colon in the namespace", "a:b", "x", ""},
		{"underscore inside", "ga_client", "1.2", "1.2"},
		{"40 bytes of namespace", strings.Repeat("a", 40), "x", "x"},
		{"41 bytes of namespace", strings.Repeat("a", 41), "x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key, ok := NormaliseKey(tt.namespace, tt.value)
			want := Key{}
			if tt.want != "" {
				want = Key{tt.namespace, tt.want}
			}
			if ok != (tt.want != "") || key != want {
				t.Errorf("NormaliseKey(%q, %q) = %q, %v; want %q", tt.namespace, tt.value, key, ok, want)
			}
		})
	}
}

func TestNormaliseKeyDoesNotAllocateOnCleanASCII(t *testing.T) {
	for _, k := range []Key{{"email", "ann@example.com"}, {"phone", "+493012345678"}, {"user", " u-1 "}, {"hubspot-eu", "51"}} {
		if n := testing.AllocsPerRun(100, func() { NormaliseKey(k.Namespace, k.Value) }); n != 0 {
			t.Errorf("%s: %v allocations", k, n)
		}
	}
	keys := []Key{{"anonymous", "x"}, {"email", "ann@example.com"}, {"hubspot", "51"}, {"user", "1"}}
	if n := testing.AllocsPerRun(100, func() { SortKeys(keys) }); n != 0 {
		t.Errorf("SortKeys: %v allocations", n)
	}
}

func TestSortKeys(t *testing.T) {
	t.Parallel()
	got := SortKeys([]Key{
		{"anonymous", "b"}, {"stripe", "1"}, {"phone", "+493012345678"}, {"hubspot", "9"}, {"email", "b@example.com"},
		{"user", "7"}, {"anonymous", "a"}, {"hubspot", "51"}, {"email", "a@example.com"}, {"user", "7"}, {"stripe", "1"},
	})
	want := []Key{
		{"user", "7"}, {"email", "a@example.com"}, {"email", "b@example.com"}, {"phone", "+493012345678"},
		{"hubspot", "51"}, {"hubspot", "9"}, {"stripe", "1"}, {"anonymous", "a"}, {"anonymous", "b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SortKeys (-want +got):\n%s", diff)
	}
	if got := SortKeys(nil); len(got) != 0 {
		t.Errorf("SortKeys(nil) = %v", got)
	}
}

func TestSortKeysInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Key {
			return Key{
				rapid.SampledFrom([]string{"user", "email", "phone", "anonymous", "hubspot", "stripe"}).Draw(t, "namespace"),
				rapid.StringMatching(`[a-c]{1,2}`).Draw(t, "value"),
			}
		}), 0, 12).Draw(t, "keys")
		other := rapid.Permutation(slices.Concat(keys, keys)).Draw(t, "other")
		if a, b := SortKeys(slices.Clone(keys)), SortKeys(other); !slices.Equal(a, b) {
			t.Fatalf("order or duplicates changed the result: %v, %v", a, b)
		}
	})
}

func FuzzNormaliseKey(f *testing.F) {
	for _, v := range []string{"Ann@Example.com", "+49 (0)30 123456", "０１２", "\u1e9e\u0331@x", "a\x00", "\ufdfa", "ϓ@É", "İ@i\u0307"} {
		for _, ns := range []string{"email", "phone", "user", "anonymous", "hubspot-eu", "-"} {
			f.Add(ns, v)
		}
	}
	f.Fuzz(func(t *testing.T, namespace, value string) {
		key, ok := NormaliseKey(namespace, value)
		if !ok {
			if key != (Key{}) {
				t.Fatalf("refused, yet a key: %q", key)
			}
			return
		}
		if key.Namespace != namespace || key.Value == "" || len(key.Value) > 200 || !utf8.ValidString(key.Value) ||
			strings.ContainsFunc(key.Value, unicode.IsControl) {
			t.Fatalf("NormaliseKey(%q, %q) = %q", namespace, value, key)
		}
		if again, ok := NormaliseKey(key.Namespace, key.Value); !ok || again != key {
			t.Fatalf("a second time: %q, %v; first %q", again, ok, key)
		}
	})
}
