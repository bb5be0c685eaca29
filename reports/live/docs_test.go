package live

import (
	"os"
	"strings"
	"testing"
)

// Every report has its section in the page about them, in their order.
func TestReportsAreDescribed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(page)
	for _, info := range Reports() {
		_, after, ok := strings.Cut(rest, "\n## "+info.Name+"\n")
		if !ok {
			t.Errorf("%s has no section, or not in its place", info.Name)
			continue
		}
		section, _, _ := strings.Cut(after, "\n## ")
		if !strings.Contains(section, " "+info.Name+"\n") || !strings.Contains(section, "    stagebridge report") {
			t.Errorf("the section of %s has no command", info.Name)
		}
		rest = after
	}
}
