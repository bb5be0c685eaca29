package lint

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// The form of a name: Category:Name, together at most 64 bytes, the name one
// to three words of which the last is a past participle.
const (
	maxName  = 64
	maxWords = 3
)

// problem is what is wrong with a name.
type problem struct {
	code             string
	severity         Severity
	reason, proposal string
}

// names judges names by the categories that are allowed.
type names struct{ categories []string }

// judge gives everything that is wrong with a name, nil when nothing is.
func (n *names) judge(name lifecycle.EventName) []problem {
	text := string(name)
	category, rest, ok := strings.Cut(text, ":")
	if !ok || category == "" || rest == "" || strings.Contains(rest, ":") {
		return []problem{{"shape", Error, quoted(name) + " has not the form Category:Name", n.shaped(text)}}
	}
	var all []problem
	add := func(code string, s Severity, reason, proposal string) {
		all = append(all, problem{code, s, quoted(name) + " " + reason, proposal})
	}
	if len(text) > maxName {
		add("length", Error, fmt.Sprintf("is %d bytes long; the limit is %d", len(text), maxName), "say it shorter, and put the rest into properties")
	}
	foreign := strings.ContainsFunc(text, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ':'
	})
	if foreign {
		add("characters", Error, "holds characters other than the letters A to Z", n.shaped(text))
	}
	words := split(rest)
	digits := strings.ContainsAny(text, "0123456789")
	switch {
	case digits:
		add("value_in_name", Error, "holds a number: a date, an id or a version belongs into a property", n.renamed(category, without(words)))
	case slices.ContainsFunc(words, isCalendar):
		add("value_in_name", Warning, "holds a date: it belongs into a property", n.renamed(category, without(words)))
	case slices.ContainsFunc(append([]string{category}, words...), isSize):
		add("value_in_name", Warning, "holds the name of an offer or a size: it belongs into a property, such as account_tier", n.renamed(category, without(words)))
	}
	if !slices.Contains(n.categories, category) {
		add("category", Error, fmt.Sprintf("begins with %q, which is none of the categories", category), n.otherCategory(category))
	}
	if !foreign && !digits && text != n.form(category, words) {
		add("casing", Error, "does not begin each word with a capital", "write "+n.form(category, words))
	}
	if len(words) > maxWords {
		add("words", Error, fmt.Sprintf("has %d words behind the category, want 1 to %d", len(words), maxWords), "name what happened, and put the rest into properties")
	}
	if len(words) > 0 && !digits && !tellsDeed(words) {
		add("not_past", Warning, fmt.Sprintf("does not end with what happened: %q is no past participle", words[len(words)-1]), n.inPast(category, words))
	}
	if ui := firstUI(append([]string{category}, words...)); ui != "" {
		add("interface_word", Warning, fmt.Sprintf("names a part of a page (%s) instead of what it means for the business", ui), "name what the person achieved by it, such as Demo:Requested")
	}
	return all
}

func quoted(name lifecycle.EventName) string { return fmt.Sprintf("%q", cut(string(name), 100)) }

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// form spells a name as it should be.
func (n *names) form(category string, words []string) string {
	return title(category) + ":" + joined(words)
}

func joined(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(title(w))
	}
	return b.String()
}

// title makes the first letter a capital and leaves the others alone.
func title(word string) string {
	if word == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(first)) + word[size:]
}

// shaped proposes the form for a name without it, such as order_completed.
func (n *names) shaped(text string) string {
	words := split(text)
	words = slices.DeleteFunc(words, func(w string) bool { return strings.ContainsFunc(w, func(r rune) bool { return r > unicode.MaxASCII }) })
	for i, w := range words {
		words[i] = strings.ToLower(w)
	}
	if len(words) < 2 {
		return "name the thing first and then what happened to it, as in Order:Completed"
	}
	for i, w := range words {
		if slices.Contains(n.categories, title(w)) && i != 0 {
			words = append([]string{w}, slices.Delete(slices.Clone(words), i, i+1)...)
			break
		}
	}
	return "write " + n.form(words[0], words[1:])
}

func (n *names) renamed(category string, words []string) string {
	if len(words) == 0 {
		return "name what happened, and put the value into a property"
	}
	return "write " + n.form(category, words) + " and put the value into a property"
}

func (n *names) otherCategory(category string) string {
	if near := document.Nearest(category, n.categories); near != "" {
		return "did you mean " + near + "?"
	}
	return "choose one of the vocabulary, or list it under governance.categories"
}

// inPast proposes the participle of the last word.
func (n *names) inPast(category string, words []string) string {
	last := strings.ToLower(words[len(words)-1])
	if past := participleOf(last); past != "" && !strings.ContainsFunc(last, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "write " + n.form(category, append(slices.Clone(words[:len(words)-1]), past))
	}
	return "end with a word such as Completed, Started or Sent"
}

// without drops the words that are values.
func without(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return isCalendar(w) || isSize(w) || strings.ContainsAny(w, "0123456789") })
}

// split parts a text into words: at signs, at a small letter before a capital,
// and between letters and digits.
func split(text string) []string {
	var words []string
	begin := -1
	end := func(i int) {
		if begin >= 0 {
			words = append(words, text[begin:i])
		}
		begin = -1
	}
	var before rune
	for i, r := range text {
		letter, digit := unicode.IsLetter(r), unicode.IsDigit(r)
		switch {
		case !letter && !digit:
			end(i)
		case unicode.IsUpper(r) && unicode.IsLower(before), digit != unicode.IsDigit(before) && begin >= 0:
			end(i)
			begin = i
		case begin < 0:
			begin = i
		}
		before = r
	}
	end(len(text))
	return words
}
