package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecretKeyRotates changes the key of an installation that takes events all
// the while, and opens a backup from before.
func TestSecretKeyRotates(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		oldKey, newKey := strings.Repeat("k", 32), strings.Repeat("n", 32)
		lived(t, env)
		file := filepath.Join(t.TempDir(), "old.backup")
		if code, out := runCommand(t, env, "backup", "-o", file); code != exitOK {
			t.Fatal(out)
		}
		alone := maps.Clone(env)
		alone[prefix+"SECRET_KEY"] = newKey
		if code, out := runCommand(t, alone, "secrets", "status"); code != exitError || !strings.Contains(out, "nothing was changed") || !strings.Contains(out, "SECRET_KEY_PREVIOUS") {
			t.Errorf("with the new key alone: %d %s", code, out)
		}
		both := maps.Clone(alone)
		both[prefix+"SECRET_KEY_PREVIOUS"] = oldKey
		s := serve(t, both)
		if code, out := runCommand(t, both, "secrets", "status"); code != exitOK || strings.Count(out, "values") != 2 || !strings.Contains(out, "secrets rotate") {
			t.Errorf("status before: %d %s", code, out)
		}
		if code, out := runCommand(t, both, "secrets", "rotate"); code != exitOK || !strings.Contains(out, "encrypted 3 values anew") || strings.Contains(out, newKey) {
			t.Errorf("rotate: %d %s", code, out)
		}
		if status, _ := s.post("hook", "5", `{"type":"order.completed","data":{"email":"cy@example.com","order_id":"A-5","total":"1","currency":"EUR"}}`); status/100 != 2 {
			t.Errorf("a delivery behind the change: %d", status)
		}
		s.stop()
		s = serve(t, alone)
		if status, _ := s.post("hook", "6", `{"type":"order.completed","data":{"email":"cy@example.com","order_id":"A-6","total":"1","currency":"EUR"}}`); status/100 != 2 {
			t.Errorf("a delivery with the new key alone: %d", status)
		}
		s.stop()
		if code, out := runCommand(t, env, "secrets", "status"); code != exitError || !strings.Contains(out, "is not the key") {
			t.Errorf("with the old key alone: %d %s", code, out)
		}
		to := settings(t, map[string]string{prefix + "SECRET_KEY": newKey, prefix + "SECRET_KEY_PREVIOUS": oldKey})
		if code, out := runCommand(t, to, "restore", file); code != exitOK {
			t.Errorf("a backup made with the key before: %s", out)
		}
	})
}

// TestKeyFileRotates is the same for an installation whose key is in its folder,
// and for one whose key is lost.
func TestKeyFileRotates(t *testing.T) {
	t.Parallel()
	env := settings(t, map[string]string{"HOOK_SECRET": standardKey.Reveal()})
	if code, out := runCommand(t, env, "secrets", "new-key"); code != exitError || !strings.Contains(out, "no secret.key") {
		t.Errorf("a new key where there is none: %s", out)
	}
	folder := files(t, map[string]string{"connections/hook.yaml": "id: hook\nconnector: generic-webhook\nsecrets: { signing_secret: \"${HOOK_SECRET}\" }\n"})
	for _, args := range [][]string{{"apply", folder}, {"secrets", "new-key"}, {"secrets", "rotate"}} {
		if code, out := runCommand(t, env, args...); code != exitOK {
			t.Fatalf("%v: %s", args, out)
		}
	}
	path := filepath.Join(env[prefix+"DATA_DIR"], "secret.key")
	keys, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(keys), "\n")
	if err := os.WriteFile(path, []byte(first+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := runCommand(t, env, "secrets", "status"); code != exitOK || !strings.Contains(out, "3 values  SECRET_KEY, in force") {
		t.Errorf("with the new line alone: %d %s", code, out)
	}
	if err := os.Remove(path); err != nil { // lost
		t.Fatal(err)
	}
	if code, out := runCommand(t, env, "secrets", "status"); code != exitError || !strings.Contains(out, "is not the key") {
		t.Errorf("with the key lost: %d %s", code, out)
	}
	if code, out := runCommand(t, env, "secrets", "forget"); code != exitError || !strings.Contains(out, "connection:hook") || !strings.Contains(out, "Nothing was changed") {
		t.Errorf("forget without -yes: %d %s", code, out)
	}
	if code, out := runCommand(t, env, "secrets", "forget", "-yes"); code != exitOK || !strings.Contains(out, "dropped 3") {
		t.Errorf("forget: %d %s", code, out)
	}
	if code, out := runCommand(t, env, "secrets", "status"); code != exitOK {
		t.Errorf("behind it: %d %s", code, out)
	}
}
