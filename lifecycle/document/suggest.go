package document

import (
	"maps"
	"slices"
)

// nearest gives the known name that differs least from a wrong one, or "" when
// none is close. The first in alphabetical order wins a draw.
func nearest(wrong string, known map[string]bool) string {
	best, least := "", len(wrong)/3+2
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if d := distance(wrong, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// Nearest gives the name of a list that a wrong one was probably meant to be,
// or "".
func Nearest(wrong string, known []string) string {
	set := make(map[string]bool, len(known))
	for _, k := range known {
		set[k] = true
	}
	return nearest(wrong, set)
}

// distance counts the letters to change, add, drop or swap with their
// neighbour between two short names.
func distance(a, b string) int {
	if len(a) > maxKeyBytes || len(b) > maxKeyBytes {
		return maxKeyBytes
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
