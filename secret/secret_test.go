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

// TestVaultRotates: what one key sealed is opened by a vault that knows it, and
// sealed again with the key in force.
func TestVaultRotates(t *testing.T) {
	t.Parallel()
	one, two := secret.New("0123456789abcdef-one"), secret.New("0123456789abcdef-two")
	vault := func(keys ...secret.Text) *secret.Vault {
		v, err := secret.NewVault(keys[0], keys[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	before, both, after := vault(one), vault(two, one, two), vault(two)
	if ids := both.IDs(); len(ids) != 2 || ids[0] != after.Sealing() || ids[1] != before.Sealing() || strings.Contains(ids[0], "two") {
		t.Fatalf("ids %v", ids)
	}
	sealed, err := before.Seal([]byte("token"), "crm")
	if err != nil || secret.SealedBy(sealed) != before.Sealing() {
		t.Fatalf("sealed by %q, %v", secret.SealedBy(sealed), err)
	}
	if plain, err := both.Open(sealed, "crm"); err != nil || string(plain) != "token" {
		t.Errorf("with both keys: %q, %v", plain, err)
	}
	if err := before.Prefer(after.Sealing()); !errors.Is(err, secret.ErrKey) {
		t.Errorf("a key that is not known: %v", err)
	}
	if err := both.Prefer(before.Sealing()); err != nil {
		t.Fatal(err)
	}
	if same, changed, err := both.Reseal(sealed, "crm"); err != nil || changed || !bytes.Equal(same, sealed) {
		t.Errorf("sealed by the key in force: %v, %v", changed, err)
	}
	if err := both.Prefer(after.Sealing()); err != nil {
		t.Fatal(err)
	}
	again, changed, err := both.Reseal(sealed, "crm")
	if err != nil || !changed {
		t.Fatalf("%v, %v", changed, err)
	}
	if plain, err := after.Open(again, "crm"); err != nil || string(plain) != "token" {
		t.Errorf("with the new key alone: %q, %v", plain, err)
	}
	if _, _, err := both.Reseal(sealed, "another"); !errors.Is(err, secret.ErrKey) {
		t.Errorf("for another place: %v", err)
	}
	for _, wrong := range [][]byte{nil, []byte("sb1"), []byte("sb1abcdefghijklmnopqrstuvwxyz"), sealed[:20]} {
		if _, err := both.Open(wrong, "crm"); !errors.Is(err, secret.ErrKey) {
			t.Errorf("%q: %v", wrong, err)
		}
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
	if err != nil || len(one) != 1 || len(two) != 1 || one[0].Reveal() != two[0].Reveal() || one[0].Empty() {
		t.Errorf("second read differs: %v", err)
	}
	if err := secret.AddKey(dir); err != nil {
		t.Fatal(err)
	}
	all, err := secret.KeyFile(dir)
	if err != nil || len(all) != 2 || all[1].Reveal() != one[0].Reveal() || all[0].Reveal() == all[1].Reveal() {
		t.Errorf("%d keys after one was added: %v", len(all), err)
	}
	info, err := os.Stat(filepath.Join(dir, "secret.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	if err := secret.AddKey(t.TempDir()); err == nil {
		t.Error("a key was added where there is none")
	}
}
