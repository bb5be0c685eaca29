package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/lifecycle/lint"
)

// planWorkspace makes a workspace with two connections, one of them with rules
// of its own, and gives the path of the plan.
func planWorkspace(t *testing.T, plan string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"plan.yaml":             plan,
		"connections/crm.yaml":  "id: crm\nconnector: generic-webhook\npush: { traits: { IBAN: iban } }\n",
		"connections/mail.yaml": "id: mail\nconnector: mailchimp\n",
		"rules/crm.yaml":        "rules:\n  - { name: gift, type: gift, emit: { event: \"Gift:Send\", identity: { email: body.email } } }\n",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "plan.yaml")
}

const lintedPlan = `name: shop
stages:
  - { name: Visit }
  - { name: Customer, when: seen("Gift:Sent") || seen("Newsletter:Subscribed") }
events:
  Gift:Sent: A gift went out.
  Newsletter:Subscribed: The person subscribed.
governance:
  categories: [Gift]
  traits: { iban: sensitive }
`

func TestPlanLint(t *testing.T) {
	t.Parallel()
	file := planWorkspace(t, lintedPlan)
	got := stagebridge(t, nil, "plan", "lint", file)
	if got.code != exitOK {
		t.Errorf("warnings alone: code %d, errors %q", got.code, got.stderr)
	}
	for _, want := range []string{
		file + `:4:29: warning: never_sent: "Gift:Sent" is read, and no rule sends it`,
		filepath.Join(filepath.Dir(file), "rules", "crm.yaml") + `:2:`,
		`near_duplicate: crm: rule "gift": "Gift:Send" is nearly the same as "Gift:Sent"`,
		`sensitive_pushed: crm: the trait "iban" is sensitive`,
		"0 errors, ",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("lacks %q:\n%s", want, got.stdout)
		}
	}

	strict := planWorkspace(t, lintedPlan+"  unplanned_event: quarantine\n")
	got = stagebridge(t, nil, "plan", "lint", "-json", strict)
	var told struct {
		Items            []lint.Finding
		Errors, Warnings int
	}
	if err := json.Unmarshal([]byte(got.stdout), &told); err != nil || got.code != exitError || told.Errors == 0 || len(told.Items) != told.Errors+told.Warnings {
		t.Errorf("code %d, %v, %d errors of %d:\n%s", got.code, err, told.Errors, len(told.Items), got.stdout)
	}

	alone := write(t, "plan.yaml", "name: x\nstages: [ { name: Visit } ]\nevents: { order_completed: it }\n")
	got = stagebridge(t, nil, "plan", "lint", alone)
	if got.code != exitError || !strings.Contains(got.stdout, "error: shape") || !strings.Contains(got.stdout, "write Order:Completed") {
		t.Errorf("a plan by itself: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := stagebridge(t, nil, "plan", "lint", write(t, "bad.yaml", "name: x\n")); got.code != exitError || !strings.Contains(got.stderr, "stages: is missing") {
		t.Errorf("no plan: code %d, %s", got.code, got.stderr)
	}
}

func TestPlanDocs(t *testing.T) {
	t.Parallel()
	file := planWorkspace(t, lintedPlan)
	got := stagebridge(t, nil, "plan", "docs", file)
	for _, want := range []string{"# The tracking plan shop", "“Gift:Sent” has happened", "sent by mail (rule “", "- sent by crm (rule “gift”)"} {
		if got.code != exitOK || !strings.Contains(got.stdout, want) {
			t.Errorf("code %d, lacks %q:\n%s%s", got.code, want, got.stdout, got.stderr)
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	if got := stagebridge(t, nil, "plan", "docs", "-format", "html", "-o", page, file); got.code != exitOK || got.stdout != "" {
		t.Fatalf("code %d, %s%s", got.code, got.stdout, got.stderr)
	}
	body, err := os.ReadFile(page)
	if err != nil || !strings.HasPrefix(string(body), "<!DOCTYPE html>") || !strings.Contains(string(body), "Gift:Sent") {
		t.Errorf("%v\n%s", err, body)
	}
	if got := stagebridge(t, nil, "plan", "docs", "-format", "pdf", file); got.code != exitUsage {
		t.Errorf("a format that is none: code %d", got.code)
	}
}

// TestPlanOfTheInstallation: without a file both look at the plan in force.
func TestPlanOfTheInstallation(t *testing.T) {
	t.Parallel()
	env := map[string]string{"STAGEBRIDGE_DATA_DIR": t.TempDir()}
	if got := stagebridge(t, env, "plan", "lint"); got.code != exitOK || !strings.Contains(got.stdout, "0 errors, 0 warnings") {
		t.Errorf("lint: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := stagebridge(t, env, "plan", "docs"); got.code != exitOK || !strings.Contains(got.stdout, "# The tracking plan classic\n\nVersion 1.") {
		t.Errorf("docs: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
