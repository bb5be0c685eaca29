package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/secret"
)

func TestTextShowsNothing(t *testing.T) {
	t.Parallel()
	const plain = "hunter2-hunter2"
	s := secret.New(plain)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "nested", struct{ S secret.Text }{s})
	js, err := json.Marshal(map[string]any{"a": s, "b": []secret.Text{s}})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), fmt.Sprintf("%+v", struct{ S secret.Text }{s}),
		fmt.Sprintf("%v", errors.New(s.String())), string(js), log.String(),
	} {
		if strings.Contains(shown, plain) {
			t.Errorf("shown: %s", shown)
		}
	}
	if !s.Equal(plain) || s.Equal(plain+"x") || s.Equal("") {
		t.Error("Equal is wrong")
	}
}

func TestVault(t *testing.T) {
	t.Parallel()
	v, err := secret.NewVault(secret.New("0123456789abcdef-one"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := v.Seal([]byte("token"), "hubspot-eu")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("token")) {
		t.Error("sealed bytes hold the plain text")
	}
	if plain, err := v.Open(sealed, "hubspot-eu"); err != nil || string(plain) != "token" {
		t.Errorf("open: %q, %v", plain, err)
	}
	if _, err := v.Open(sealed, "another"); !errors.Is(err, secret.ErrKey) {
		t.Errorf("another place: %v", err)
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if _, err := v.Open(broken, "hubspot-eu"); !errors.Is(err, secret.ErrKey) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	other, err := secret.NewVault(secret.New("0123456789abcdef-two"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(sealed, "hubspot-eu"); !errors.Is(err, secret.ErrKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := secret.NewVault(secret.New("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	one, err := secret.KeyFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	two, err := secret.KeyFile(dir)
	if err != nil || one.Reveal() != two.Reveal() || one.Empty() {
		t.Errorf("second read differs: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "secret.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
