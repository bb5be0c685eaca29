package main

import (
	"fmt"
	"strings"
)

// releaseNotes gives what the changelog says under a heading, "Unreleased" or a
// version. A version must be there with its day, `## [1.2.3] - 2026-11-30`.
func releaseNotes(changelog, section string) (string, error) {
	var found strings.Builder
	inside := false
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			if inside {
				break
			}
			name, day, _ := strings.Cut(strings.TrimSpace(heading), "]")
			inside = name == "["+section
			if inside && section != "Unreleased" && !strings.HasPrefix(day, " - 2") {
				return "", fmt.Errorf("CHANGELOG.md: the heading of %s has no day", section)
			}
			continue
		}
		if inside {
			found.WriteString(line)
		}
	}
	notes := strings.TrimSpace(found.String())
	if notes == "" {
		return "", fmt.Errorf("CHANGELOG.md: nothing stands under [%s]; name there what changed, with the day", section)
	}
	return notes + "\n", nil
}
