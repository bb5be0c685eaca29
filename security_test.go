package stagebridge_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestAttackTable: every row of the table in docs/security.md names tests, and
// each of them exists.
func TestAttackTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, f := range texts(t, ".") {
		if strings.HasSuffix(f.path, "_test.go") {
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(f.body, -1) {
				declared[string(m[1])] = true
			}
		}
	}
	_, table, _ := strings.Cut(string(page), "| --- | --- | --- |\n")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows++
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(cells) != 3 || len(named) == 0 {
			t.Errorf("no test is named in %q", line)
		}
		for _, m := range named {
			if !declared[m[1]] {
				t.Errorf("%s is named for %q and does not exist", m[1], cells[0])
			}
		}
	}
	if rows < 25 {
		t.Errorf("the table has %d rows; is it still found?", rows)
	}
}

// TestCertificatesCannotBeIgnored: nothing in production turns verification off.
func TestCertificatesCannotBeIgnored(t *testing.T) {
	t.Parallel()
	for _, f := range texts(t, ".") {
		if strings.HasSuffix(f.path, ".go") && !strings.HasSuffix(f.path, "_test.go") && bytes.Contains(f.body, []byte("Insecure"+"SkipVerify")) {
			t.Errorf("%s turns the verification of certificates off", f.path)
		}
	}
}
