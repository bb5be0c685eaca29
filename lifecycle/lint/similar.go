package lint

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// spelled is a name by its stems.
type spelled struct {
	name    lifecycle.EventName
	words   []string // stems, the category's first
	text    string
	letters uint32 // which letters it holds, as bits
}

func spell(name lifecycle.EventName) spelled {
	s := spelled{name: name}
	for _, w := range split(string(name)) {
		s.words = append(s.words, stem(w))
	}
	s.text = strings.Join(s.words, " ")
	for _, c := range []byte(s.text) {
		s.letters |= 1 << (c % 32)
	}
	return s
}

// stem takes from a word what only its form adds: completed, completes,
// completing and completion are one.
func stem(word string) string {
	word = strings.ToLower(word)
	for _, end := range []string{"ations", "ation", "ings", "ing", "ions", "ion", "ies", "ied", "ed", "es", "s"} {
		rest, ok := strings.CutSuffix(word, end)
		if !ok || len(rest) < 3 || !strings.ContainsAny(rest, "aeiouy") {
			continue
		}
		word = rest
		if end == "ies" || end == "ied" {
			word += "y"
		}
		break
	}
	if n := len(word); n > 3 && word[n-1] == word[n-2] && !strings.ContainsRune("aeious", rune(word[n-1])) {
		word = word[:n-1] // cancelled, canceled
	}
	if len(word) > 3 {
		word = strings.TrimSuffix(word, "e")
	}
	return word
}

// meant gives the event of the vocabulary that a name is another word for.
func (s *spelled) meant() lifecycle.EventName {
	deed := strings.Join(s.words[min(1, len(s.words)):], " ")
	for _, syn := range synonyms {
		if deed == syn.deed || s.text == syn.deed {
			return lifecycle.EventName(syn.event)
		}
	}
	return ""
}

// near tells whether two names differ so little that one is probably a slip or
// another spelling of the other.
func near(a, b *spelled) bool {
	limit := min(len(a.text), len(b.text)) / 8
	limit = min(limit, 2)
	if abs(len(a.text)-len(b.text)) > limit || bits.OnesCount32(a.letters^b.letters) > 2*limit {
		return false
	}
	return within(a.text, b.text, limit) && !opposite(a.words, b.words)
}

// opposite tells whether two names differ in a prefix that turns the meaning
// around: Opened and Reopened, Subscribed and Unsubscribed.
func opposite(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	differ := false
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		long, short := a[i], b[i]
		if len(long) < len(short) {
			long, short = short, long
		}
		prefix, ok := strings.CutSuffix(long, short)
		if !ok || !slices.Contains([]string{"un", "re", "de", "in", "dis", "non", "mis"}, prefix) {
			return false
		}
		differ = true
	}
	return differ
}

// within tells whether at most limit letters have to be changed, added or
// dropped to make one text the other. It looks only at a band as wide as that.
func within(a, b string, limit int) bool {
	if limit == 0 {
		return a == b
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		low, high := max(1, i-limit), min(len(b), i+limit)
		diagonal := row[low-1]
		row[low-1] = limit + 1
		if low == 1 {
			row[0] = i
		}
		best := row[low-1]
		for j := low; j <= high; j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				above := row[j]
				if j == i+limit {
					above = limit + 1 // outside of the band
				}
				cost = 1 + min(diagonal, row[j-1], above)
			}
			diagonal, row[j] = row[j], cost
			best = min(best, cost)
		}
		if best > limit {
			return false
		}
	}
	return row[len(b)] <= limit
}

func abs(n int) int { return max(n, -n) }
