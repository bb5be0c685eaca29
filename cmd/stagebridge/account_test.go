package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAccount has two people of a company buy, and asks about the company.
func TestAccount(t *testing.T) {
	t.Parallel()
	c := newCLI(t, settings(t, nil))
	plan := shortPlan + `
accounts:
  by: [domain]
  stages:
    - { name: Known }
    - { name: Busy, when: 'people >= 2 && !any(seen("Demo:Requested"))' }
`
	if err := os.WriteFile(filepath.Join(c.folder, "plan.yaml"), []byte(plan), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run(exitOK, "apply", c.folder)
	s := serve(t, c.env)
	for i, who := range []string{"ann", "bo"} {
		if status, _ := s.post("shop", fmt.Sprintf("m%d", i), fmt.Sprintf(`{"type":"bought","email":"%s@example.com"}`, who)); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	silentInbox(t, s)
	got := c.run(exitOK, "account", "Example.com")
	for _, want := range []string{"account domain:example.com: 2 people", "stage: Busy", "yes people >= 2  (now 2)", "email:bo@example.com", " -> Busy"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told:\n%s", want, got)
		}
	}
	if got := c.run(exitError, "account", "other.example.com"); !strings.Contains(got, "nobody belongs to the account domain:other.example.com") {
		t.Errorf("an account without people: %s", got)
	}
}
