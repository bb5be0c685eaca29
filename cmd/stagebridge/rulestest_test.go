package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rulesWorkspace makes a folder with one connection and its rules; it gives the
// path of the rules.
func rulesWorkspace(t *testing.T, rules string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"connections/crm-eu.yaml": "id: crm-eu\nconnector: crm\npush: { stages: { Customer: closed } }\n",
		"rules/crm-eu.yaml":       rules,
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "rules", "crm-eu.yaml")
}

const dealRules = `rules:
  - name: deal won
    type: deal.*
    when: body.state == "won"
    emit:
      event: Deal:Won
      identity: { email: body.email, crm: body.id }
      stage: body.stage
tests:
  - name: won
    type: deal.changed
    body: { state: won, email: ANN@example.com, id: 7, stage: closed }
    want: [ { event: Deal:Won, identity: { email: ann@example.com, crm: "7" }, stage: Customer } ]
  - name: lost
    type: deal.changed
    body: { state: lost }
    want: []
`

func TestRulesTest(t *testing.T) {
	t.Parallel()
	file := rulesWorkspace(t, dealRules)
	got := stagebridge(t, nil, "rules", "test", file)
	if want := (result{exitOK, "ok  " + file + "  2 tests\n", ""}); got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	got = stagebridge(t, nil, "rules", "test", "-v", file)
	if want := "ok  " + file + "  2 tests\n    line 10: won\n    line 14: lost\n"; got.stdout != want {
		t.Errorf("got %q\nwant %q", got.stdout, want)
	}
}

func TestRulesTestFails(t *testing.T) {
	t.Parallel()
	file := rulesWorkspace(t, strings.Replace(dealRules, "want: []", "want: [ { event: Deal:Lost } ]", 1))
	got := stagebridge(t, nil, "rules", "test", file)
	want := result{exitError, "", file + ":14: test \"lost\": gives no event, want 1 event\n"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRulesTestListsMistakes(t *testing.T) {
	t.Parallel()
	file := rulesWorkspace(t, "rules:\n  - nmae: x\n    type: a\n    when: !x\n    emit: { event: nonsense, identity: { email: body.email } }\n")
	got := stagebridge(t, nil, "rules", "test", file)
	if got.code != exitError || got.stdout != "" {
		t.Errorf("code %d, output %q", got.code, got.stdout)
	}
	for _, want := range []string{file + ":2:", "did you mean name?", file + ":4:", file + ":5:"} {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("the errors lack %q:\n%s", want, got.stderr)
		}
	}
}

// TestDefaultRules runs the tests of every connector's own rules as a user would.
func TestDefaultRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../connectors/*/rules.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	got := stagebridge(t, nil, append([]string{"rules", "test"}, files...)...)
	if got.code != exitOK || strings.Contains(got.stdout, "no tests") {
		t.Errorf("code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
