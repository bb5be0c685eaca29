package document

import (
	"fmt"
	"strings"
)

// maxDiff bounds the lines compared and maxShown those shown; beyond, only
// counts are given.
const (
	maxDiff  = 2000
	maxShown = 60
)

// LineDiff gives the lines that differ, "-12 text" for those that go and
// "+12 text" for those that come, each with its number in its own text; nil
// where nothing does. Long texts and long answers are cut, and say so.
func LineDiff(from, to string) []string {
	if from == to {
		return nil
	}
	a, b := strings.Split(strings.TrimSuffix(from, "\n"), "\n"), strings.Split(strings.TrimSuffix(to, "\n"), "\n")
	if len(a) > maxDiff || len(b) > maxDiff {
		return []string{fmt.Sprintf("%d lines become %d", len(a), len(b))}
	}
	// longest[i][j] is the length of the longest common run of lines, gaps
	// allowed, of a from i and b from j.
	longest := make([][]int16, len(a)+1)
	for i := range longest {
		longest[i] = make([]int16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			lines = append(lines, fmt.Sprintf("-%d %s", i+1, a[i]))
			i++
		default:
			lines = append(lines, fmt.Sprintf("+%d %s", j+1, b[j]))
			j++
		}
	}
	if len(lines) == 0 {
		return []string{"only the end of the last line differs"}
	}
	if len(lines) > maxShown {
		lines = append(lines[:maxShown], fmt.Sprintf("and %d more lines", len(lines)-maxShown))
	}
	return lines
}
