package genericwebhook

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/secret"
)

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		settings map[string]string
		secrets  map[string]string
		want     []string
	}{
		{"nothing is wrong", nil, nil, nil},
		{"several at once", map[string]string{"profile": "custom", "timestamp": "body:x", "tolerance": "0", "base": "{nothing}"}, nil,
			[]string{"base", "signature_header", "timestamp", "tolerance"}},
		{"no such profile", map[string]string{"profile": "x", "signature_header": "x"}, nil, []string{"profile"}},
		{"shape on standard", map[string]string{"prefix": "x", "algorithm": "sha1"}, nil, []string{"algorithm", "prefix"}},
		{"shape on a token", map[string]string{"profile": "gitlab", "base": "{body}"}, nil, []string{"base"}},
		{"unsigned body", map[string]string{"profile": "custom", "signature_header": "x", "base": "x"}, nil, []string{"base"}},
		{"unclosed template", map[string]string{"profile": "custom", "signature_header": "x", "base": "{body} {"}, nil, []string{"base"}},
		{"time without a place", map[string]string{"profile": "custom", "signature_header": "x", "base": "{timestamp}{body}"}, nil, []string{"timestamp"}},
		{"unsigned time", map[string]string{"profile": "custom", "signature_header": "x", "timestamp": "header:x"}, nil, []string{"base"}},
		{"time in no list", map[string]string{"profile": "custom", "signature_header": "x", "timestamp": "param:t", "base": "{timestamp}{body}"}, nil, []string{"separator"}},
		{"id without a header", map[string]string{"profile": "custom", "signature_header": "x", "base": "{id}{body}"}, nil, []string{"dedupe"}},
		{"empty path", map[string]string{"type": "path:a..b", "time": "header:"}, nil, []string{"time", "type"}},
		{"key form", map[string]string{"profile": "custom", "signature_header": "x", "key": "hex"}, map[string]string{"source_secret": "xyz"}, []string{"source_secret"}},
		{"basic", map[string]string{"profile": "basic"}, map[string]string{"source_secret": "nocolon"}, []string{"source_secret"}},
		{"short key", nil, map[string]string{"source_secret": "whsec_AAAA"}, []string{"source_secret"}},
		{"long key", nil, map[string]string{"source_secret": "whsec_" + strings.Repeat("A", 88)}, []string{"source_secret"}},
		{"no base64", nil, map[string]string{"source_secret": "whsec_~"}, []string{"source_secret"}},
		{"other prefix", nil, map[string]string{"source_secret": "sk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, []string{"source_secret"}},
		{"short curve key", nil, map[string]string{"source_secret": "whpk_AAAA"}, []string{"source_secret"}},
		{"public key to sign with", map[string]string{"url": "https://example.com"}, map[string]string{"signing_secret": "whpk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, []string{"signing_secret"}},
		{"url", map[string]string{"url": "example.com/x"}, nil, []string{"url"}},
		{"url with a password", map[string]string{"url": "https://a:b@example.com"}, nil, []string{"url"}},
		{"headers", map[string]string{"headers": "a b: c\nno colon"}, nil, []string{"headers", "headers"}},
		{"header of ours", map[string]string{"headers": "webhook-id: 1"}, nil, []string{"headers"}},
		{"header with a control character", map[string]string{"headers": "X-A: a\x00b"}, nil, []string{"headers"}},
		{"bearer without", map[string]string{"auth": "bearer"}, nil, []string{"auth_secret"}},
		{"bearer of two lines", map[string]string{"auth": "bearer"}, map[string]string{"auth_secret": "a\nb"}, []string{"auth_secret"}},
		{"basic without a name", map[string]string{"auth": "basic"}, map[string]string{"auth_secret": "x"}, []string{"auth_username"}},
		{"key in the wrong header", map[string]string{"auth": "api_key", "auth_header": "webhook-id"}, map[string]string{"auth_secret": "x"}, []string{"auth_header"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(tt.settings, time.Now())
			for name, value := range tt.secrets {
				cfg.Secrets[name] = []secret.Text{secret.New(value)}
			}
			_, err := Vendor().Open(cfg)
			got := map[string]int{}
			for _, f := range fieldsOf(err) {
				got[f]++
			}
			want := map[string]int{}
			for _, f := range tt.want {
				want[f]++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s%v", diff, err)
			}
			for _, value := range tt.secrets {
				if len(value) > 3 && err != nil && strings.Contains(err.Error(), value) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		})
	}
}

func fieldsOf(err error) []string {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var fields []string
	for _, e := range many.Unwrap() {
		var s *connectors.SettingError
		if errors.As(e, &s) {
			fields = append(fields, s.Field)
		}
	}
	return fields
}
