package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/store/storetest"
)

// command runs a subcommand of the real program.
func runCommand(t *testing.T, env map[string]string, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(context.WithoutCancel(t.Context()), args, env, strings.NewReader(""), &out, &out)
	return code, out.String()
}

// lived is an installation that has seen some events, stopped again. It gives
// its settings and what the API says of its people.
func lived(t *testing.T, env map[string]string) []profile {
	t.Helper()
	env[prefix+"SECRET_KEY"] = strings.Repeat("k", 32)
	env["HOOK_SECRET"] = standardKey.Reveal()
	env[prefix+"WORKSPACE"] = files(t, map[string]string{
		"connections/hook.yaml": "id: hook\nconnector: generic-webhook\nsecrets: { signing_secret: \"${HOOK_SECRET}\" }\n",
	})
	s := serve(t, env)
	for id, body := range map[string]string{
		"1": `{"type":"order.completed","data":{"email":"ann@example.com","order_id":"A-1","total":"12.50","currency":"EUR"}}`,
		"2": `{"type":"something.else","data":{"email":"bo@example.com"}}`,
		"3": `not JSON`,
		"4": `{"type":"order.completed","data":{"email":"ann@example.com","order_id":"9007199254740993","total":"7","currency":"USD","note":"<script>\u0000é"}}`,
	} {
		if status, _ := s.post("hook", id, body); status/100 != 2 {
			t.Fatalf("event %s: %d", id, status)
		}
	}
	silent(t, nil, s)
	people := s.people()
	s.stop()
	delete(env, prefix+"WORKSPACE")
	if len(people) == 0 {
		t.Fatal("nobody is there, so the test would show nothing")
	}
	return people
}

func (s *serving) people() []profile {
	s.t.Helper()
	var all struct{ Items []profile }
	s.get("profiles", &all)
	return all.Items
}

// arrived compares an installation that was restored or moved with the first.
func arrived(t *testing.T, env map[string]string, want []profile) {
	t.Helper()
	s := serve(t, env)
	if diff := cmp.Diff(want, s.people()); diff != "" {
		t.Errorf("people (-before +after):\n%s", diff)
	}
	before := s.stats().Connections["hook"].Duplicates
	// The same delivery is known, and the credentials can be used.
	status, _ := s.post("hook", "1", `{"type":"order.completed","data":{"email":"ann@example.com","order_id":"A-1","total":"12.50","currency":"EUR"}}`)
	if status/100 != 2 {
		t.Fatalf("a delivery after it: %d", status)
	}
	if after := s.stats().Connections["hook"].Duplicates; after != before+1 {
		t.Errorf("the delivery was taken as new: %d duplicates, before %d", after, before)
	}
}

func TestBackupIsRestored(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, env map[string]string) {
		people := lived(t, env)
		file := filepath.Join(t.TempDir(), "all.backup")
		if code, out := runCommand(t, env, "backup", "-o", file); code != exitOK {
			t.Fatal(out)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file: %v, %v; want it readable for its owner alone", info, err)
		}
		body, err := os.ReadFile(file)
		if err != nil || bytes.Contains(body, []byte("ann@example.com")) {
			t.Errorf("the file is readable: %v", err)
		}
		eachDatabase(t, func(t *testing.T, to map[string]string) {
			to[prefix+"SECRET_KEY"] = strings.Repeat("x", 32)
			if code, out := runCommand(t, to, "restore", file); code == exitOK || !strings.Contains(out, "SECRET_KEY") {
				t.Errorf("restored with another key: %s", out)
			}
			to[prefix+"SECRET_KEY"] = env[prefix+"SECRET_KEY"]
			cut := filepath.Join(t.TempDir(), "cut.backup")
			if err := os.WriteFile(cut, body[:len(body)-20], 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out := runCommand(t, to, "restore", cut); code == exitOK || !strings.Contains(out, "not a whole backup") {
				t.Errorf("restored a file that was cut short: %s", out)
			}
			if code, out := runCommand(t, to, "restore", file); code != exitOK {
				t.Fatal(out)
			}
			arrived(t, to, people)
			if code, out := runCommand(t, to, "restore", file); code == exitOK || !strings.Contains(out, "not empty") {
				t.Errorf("restored over data: %s", out)
			}
		})
	})
}

func TestMoveToPostgres(t *testing.T) {
	t.Parallel()
	env := settings(t, nil)
	to := maps.Clone(env)
	to[prefix+"DATABASE_URL"] = storetest.NewDatabase(t)
	people := lived(t, env)
	if code, out := runCommand(t, env, "move", "-to", to[prefix+"DATABASE_URL"]); code != exitOK {
		t.Fatal(out)
	}
	to[prefix+"SECRET_KEY"] = env[prefix+"SECRET_KEY"]
	arrived(t, to, people)
	if code, out := runCommand(t, env, "serve"); code == exitOK || !strings.Contains(out, "moved to PostgreSQL") {
		t.Errorf("the old folder still starts: %s", out)
	}
	if code, out := runCommand(t, env, "move", "-to", to[prefix+"DATABASE_URL"]); code == exitOK {
		t.Errorf("moved twice: %s", out)
	}
}
