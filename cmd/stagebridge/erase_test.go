package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEraseFromTheCommandLine erases somebody, restores a backup from before
// that, and holds it against the list of what was erased.
func TestEraseFromTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.csv")
	if err := os.WriteFile(file, []byte("id,day,usd\nann-7731,2026-01-05,10\nann-7731,2026-02-05,20\nbo-5512,2026-01-06,30\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := imported(t, file, 3)
	c := &cli{t, env, dir}
	backup, list, told := filepath.Join(dir, "old.backup"), filepath.Join(dir, "erased.json"), filepath.Join(dir, "ann.json")
	c.run(exitOK, "backup", "-o", backup)
	c.run(exitOK, "export-person", "-o", told, "user:ann-7731")
	if b, err := os.ReadFile(told); err != nil || !strings.Contains(string(b), "ann-7731") || strings.Contains(string(b), "bo-5512") {
		t.Errorf("%s %v", b, err)
	}
	c.has(c.run(exitError, "erase", "user:ann-7731"), "will be erased for good", "nothing was erased")
	c.has(c.run(exitError, "erase", "-yes", "user:nobody"), "nobody has the key user:nobody")
	c.has(c.run(exitOK, "erase", "-yes", "-reason", "asked", "user:ann-7731"), "erasure 1: done\n", "2 events and the bytes of 2 raw events are gone\n")
	c.has(c.run(exitError, "explain", "user:ann-7731"), "nobody has the key")
	c.has(c.run(exitOK, "erasures"), "done", "command line")
	c.run(exitOK, "erasures", "-o", list)

	later := maps.Clone(env)
	later["STAGEBRIDGE_DATA_DIR"] = t.TempDir()
	key, err := os.ReadFile(filepath.Join(env["STAGEBRIDGE_DATA_DIR"], "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	later["STAGEBRIDGE_SECRET_KEY"] = strings.TrimSpace(string(key))
	c.env = later
	c.run(exitOK, "restore", backup)
	c.run(exitOK, "explain", "user:ann-7731")
	c.has(c.run(exitOK, "erasures", "-apply", list), "was held against")
	c.has(c.run(exitError, "explain", "user:ann-7731"), "nobody has the key")
	c.run(exitOK, "explain", "user:bo-5512")
	c.has(c.run(exitError, "erasures", "-apply", file), "is no list of erasures")
}
