package store

import (
	"strconv"
	"strings"
)

// mostArms is how many selects one statement joins at most; SQLite takes 500.
const mostArms = 100

// arms joins selects, one per part of a list that has an index of its own (each
// connection, each beginning of a key), into one statement, so that a page of a
// list costs the same number of statements however many parts there are. Each
// row begins with the number of its select, from 0.
func arms(n int, columns, each string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(" union all ")
		}
		// A select with an order and a limit of its own stands in parentheses, which
		// SQLite takes as a table only.
		b.WriteString("select " + strconv.Itoa(i) + " as arm, " + columns + " from (" + each + ") a" + strconv.Itoa(i))
	}
	return b.String()
}
