package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write puts a text into a file of the test's own folder and gives its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPlanCheck(t *testing.T) {
	t.Parallel()
	good := write(t, "good.yaml", `name: mine
stages:
  - name: Visit
  - { name: Customer, when: 'seen("Order:Completed") || seen("Ordr:Completed")' }
segments:
  idle: inactive("30d")
`)
	bad := write(t, "bad.yaml", `name: mine
stages:
  - name: Visit
  - { name: Customer, when: 'seen("Order:Completed"' }
  - nmae: Churned
`)
	missing := filepath.Join(t.TempDir(), "none.yaml")

	got := stagebridge(t, nil, "plan", "check", good, bad, missing)
	if got.code != exitError {
		t.Errorf("exit code %d, want %d", got.code, exitError)
	}
	want := "ok  " + good + "  2 stages, 1 segments\n" +
		"    reads Ordr:Completed, which nothing describes: a slip, or an event of your own to list under events\n"
	if diff := cmp.Diff(want, got.stdout); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	for _, want := range []string{bad + ":4:", "stages[1].when", bad + ":5:", "did you mean name?", missing} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("the errors lack %q:\n%s", want, got.stderr)
		}
	}
	if got := stagebridge(t, nil, "plan", "check", good); got.code != exitOK || got.stderr != "" {
		t.Errorf("a good plan: code %d, errors %q", got.code, got.stderr)
	}
	if got := stagebridge(t, nil, "plan", "check"); got.code != exitUsage {
		t.Errorf("no file: code %d, want %d", got.code, exitUsage)
	}
	if got := stagebridge(t, nil, "plan"); got.code != exitUsage || !strings.Contains(got.stderr, "did you mean 'stagebridge plan check'?") {
		t.Errorf("half a command: code %d, errors %q", got.code, got.stderr)
	}
}

// TestReadyMadePlans checks the plans that come with the program as a user would.
func TestReadyMadePlans(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../lifecycle/plans/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		if filepath.Base(file) == "events.yaml" {
			continue // the vocabulary
		}
		got := stagebridge(t, nil, "plan", "check", file)
		if got.code != exitOK || strings.Contains(got.stdout, "nothing describes") {
			t.Errorf("code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
	}
}
