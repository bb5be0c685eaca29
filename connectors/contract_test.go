package connectors

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/secret"
)

func TestDedupeKeepsPartsApart(t *testing.T) {
	t.Parallel()
	if Dedupe("ab", "c") == Dedupe("a", "bc") || Dedupe("a") == Dedupe("a", "") || Dedupe() == Dedupe("") {
		t.Error("different parts give the same key")
	}
	first := Dedupe("a", "b")
	if again := Dedupe([]string{"a", "b"}...); again != first {
		t.Error("the same parts give different keys")
	}
}

func TestSignatureHelpers(t *testing.T) {
	t.Parallel()
	mac := MAC(sha256.New, []byte("topsecret"), []byte(`{"hello":`), []byte(`"world"}`))
	text := hex.EncodeToString(mac)
	if text != "afd00617ceb8f63e65ea5c310f06bf78c3901e7a713db532e25da26ad63c7236" {
		t.Errorf("MAC = %s", text)
	}
	b64 := base64.StdEncoding.EncodeToString(mac)
	for given, want := range map[string]bool{text: true, strings.ToUpper(text): true, text[2:]: false, "": false, "zz": false, b64: false} {
		if EqualHex(given, mac) != want {
			t.Errorf("EqualHex(%q) is not %t", given, want)
		}
	}
	for given, want := range map[string]bool{b64: true, b64[4:]: false, "": false, "~": false, text: false} {
		if EqualBase64(given, mac) != want {
			t.Errorf("EqualBase64(%q) is not %t", given, want)
		}
	}
	for offset, want := range map[time.Duration]bool{0: true, time.Minute: true, -time.Minute: true, time.Minute + 1: false, -time.Minute - 1: false} {
		if Fresh(clock.Add(offset), clock, time.Minute) != want {
			t.Errorf("Fresh at %v is not %t", offset, want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("refused")
	e := &PushError{Act: "toy: write", Status: 503, Reason: ReasonServer, Retryable: true, RetryAfter: time.Second, Message: "busy", Err: cause}
	if e.Error() != "toy: write: 503: server: busy" || !errors.Is(e, cause) || (&PushError{Reason: ReasonTimeout}).Error() != "vendor call: timeout" {
		t.Errorf("errors are %q, %q", e, &PushError{Reason: ReasonTimeout})
	}
	if diff := cmp.Diff(Result{Outcome: Retry, Reason: ReasonServer, Message: "busy", Delay: time.Second}, e.Result()); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	e.Retryable = false
	if e.Result().Outcome != Permanent {
		t.Errorf("result = %+v", e.Result())
	}
	r := Reject(ErrStale, "%d minutes old", 7)
	if r.Error() != "stale: 7 minutes old" || !errors.Is(r, ErrStale) {
		t.Errorf("rejection = %v", r)
	}
}

const form = `
id: toy
name: Toy
category: tests
summary: A toy.
secrets:
  - { name: key, label: Key, help: signs, required: always }
settings:
  - { name: url, label: URL, help: where to, required: destination }
  - { name: mode, label: Mode, help: how, choices: [a, b] }
events: []
limits: []
links: []
`

func folder(form string) fstest.MapFS {
	return fstest.MapFS{"connector.yaml": {Data: []byte(form)}, "rules.yaml": {Data: []byte("rules")}, "guide.md": {Data: []byte("guide")}}
}

func TestDescriptorCheck(t *testing.T) {
	t.Parallel()
	d := MustDescriptor(folder(form))
	if string(d.Rules) != "rules" || string(d.Guide) != "guide" {
		t.Errorf("rules %q, guide %q", d.Rules, d.Guide)
	}
	good := Config{Secrets: map[string][]secret.Text{"key": {secret.New("k")}}}
	tests := []struct {
		name   string
		config Config
		want   []string
	}{
		{"source only", good, nil},
		{"push without address", Config{Secrets: good.Secrets, Push: PushConfig{Enabled: true}}, []string{"url"}},
		{"all at once, in the form's order", Config{
			Settings: map[string]string{"mode": "c", "zeta": "1"}, Secrets: map[string][]secret.Text{"alpha": nil}, Push: PushConfig{Enabled: true},
		}, []string{"key", "url", "mode", "alpha", "zeta"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, e := range d.Check(tt.config) {
				got = append(got, e.Field)
				if !strings.HasPrefix(e.Error(), e.Field+": ") {
					t.Errorf("error = %q", e)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMustDescriptorRefusesMistakes(t *testing.T) {
	t.Parallel()
	missing := folder(form)
	delete(missing, "guide.md")
	for name, f := range map[string]fstest.MapFS{"unknown field": folder(form + "nonsense: 1\n"), "missing file": missing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("taken")
				}
			}()
			MustDescriptor(f)
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	c := Config{Secrets: map[string][]secret.Text{"key": {secret.New("now"), secret.New("before")}}}
	if c.Secret("key").Reveal() != "now" || !c.Secret("none").Empty() {
		t.Error("the current secret is not the first")
	}
	filled := c.WithDefaults()
	if filled.HTTP == nil || filled.Now == nil || filled.Log == nil {
		t.Errorf("defaults are missing: %+v", filled)
	}
	client := NewClient(ClientOptions{})
	client.CloseIdle()
	if (Config{HTTP: client}).WithDefaults().HTTP != client {
		t.Error("the given client was replaced")
	}
}
