package connectors

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/secret"
)

func TestWords(t *testing.T) {
	t.Parallel()
	key := secret.New("k3y/with+signs")
	quoted := secret.New(`qu"oted\key`)
	long := secret.New(strings.Repeat("ab", 900))
	tests := []struct {
		name, text, want string
		hide             []secret.Text
	}{
		{"plain", "no such contact", "no such contact", nil},
		{"white space", "  a\n\n\tb\u200b\x00c ", "a b c", nil},
		{"not UTF-8", "a\xffb", "a\uFFFDb", nil},
		{"secret", "key k3y/with+signs is wrong", "key [redacted] is wrong", []secret.Text{key}},
		{"escaped secret", "k=k3y%2Fwith%2Bsigns", "k=[redacted]", []secret.Text{key}},
		{"encoded secret", "Bearer azN5L3dpdGgrc2lnbnM=", "Bearer [redacted]", []secret.Text{key}},
		{"secret in JSON", `{"key":"qu\"oted\\key"}`, `{"key":"[redacted]"}`, []secret.Text{quoted}},
		{"secret in a secret", "abcd abc", "[redacted] [redacted]", []secret.Text{secret.New("abc"), secret.New("abcd")}},
		{"empty secret", "abc", "abc", []secret.Text{{}}},
		{"query", `see https://example.com/a/b?key=1&t=2 and`, `see https://example.com/a/b?[redacted] and`, nil},
		{"userinfo", `"https://ann:pw@example.com/a"`, `"https://[redacted]@example.com/a"`, nil},
		{"at sign in the password", `https://ann:p@w@example.com`, `https://[redacted]@example.com`, nil},
		{"secret cut in two", strings.Repeat("x", maxWordBytes-900-64) + " " + strings.Repeat("ab", 900), strings.Repeat("x", maxWordRunes-1) + "…", []secret.Text{long}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Words(tt.text, tt.hide...); got != tt.want {
				t.Errorf("Words = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWordsLeaveNoRestOfACutSecret(t *testing.T) {
	t.Parallel()
	// White space shrinks to nothing, so the cut end would move into view.
	plain := strings.Repeat("ab", 900)
	text := strings.Repeat(" ", maxWordBytes-100) + plain
	if got := Words(text, secret.New(plain)); strings.Contains(got, "ab") {
		t.Errorf("Words = %q", got)
	}
}

func TestVendorWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, want string }{
		{"empty", "", ""},
		{"text", " oops \n", "oops"},
		{"message", `{"status":"error","message":"boom"}`, "boom"},
		{"problem", `{"title":"Bad","detail":"worse","status":400}`, "Bad: worse"},
		{"error object", `{"error":{"code":7,"message":"deep"}}`, "deep"},
		{"oauth", `{"error":"invalid_grant","error_description":"expired"}`, "invalid_grant: expired"},
		{"list", `{"errors":[{"field":"email","message":"fake"},{"message":"second"}]}`, "fake"},
		{"said twice", `{"message":"same","error":"same"}`, "same"},
		{"nothing known", `{"code":7}`, `{"code":7}`},
		{"too deep", `{"error":{"error":{"error":{"message":"x"}}}}`, `{"error":{"error":{"error":{"message":"x"}}}}`},
		{"broken", `{"message":"half`, `{"message":"half`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := vendorWords([]byte(tt.body)); got != tt.want {
				t.Errorf("vendorWords = %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzWords(f *testing.F) {
	f.Add("https://a:b@c/?d", "secret-1")
	f.Add(`{"message":"secret-1"}`, "secret-1")
	f.Fuzz(func(t *testing.T, body, plain string) {
		got := Words(vendorWords([]byte(body)), secret.New(plain))
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxWordRunes {
			t.Fatalf("not clean: %q", got)
		}
		// A secret that is itself part of the mark, or that cleaning could
		// assemble anew out of white space, proves nothing.
		if len(plain) >= 8 && !strings.ContainsAny(plain, "[]? \t\n\r\x00…\uFFFD") && utf8.ValidString(plain) &&
			!strings.Contains("[redacted]", plain) && singleSpaced(plain) == plain &&
			strings.Contains(got, plain) && !strings.Contains(got, "://") {
			t.Fatalf("secret %q in %q", plain, got)
		}
	})
}
