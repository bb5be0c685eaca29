package lifecycle

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/stagebridge/stagebridge/lifecycle/document"
)

// PII says how far a value tells who somebody is. What is sensitive is never
// pushed to a vendor.
type PII string

// The classes. The empty one says nothing, so that a value which looks
// personal is a violation.
const (
	PIIUnmarked  PII = ""
	PIINone      PII = "none"      // never personal, whatever it looks like
	PIIPersonal  PII = "personal"  // tells who somebody is
	PIISensitive PII = "sensitive" // kept here: neither pushed nor logged
)

var piiClasses = [...]PII{PIINone, PIIPersonal, PIISensitive}

func readPII(r *document.Reader, field string) PII {
	class := PII(r.Text(field))
	if class != "" && !slices.Contains(piiClasses[:], class) {
		r.Fail(field, "is %q, want none, personal or sensitive", cutText(string(class), 80))
		return PIIUnmarked
	}
	return class
}

// TraitPII gives what the plan says of a trait. An address and a phone number
// are personal without a word.
func (p *Plan) TraitPII(name string) PII {
	if class := p.rules.traits[name]; class != PIIUnmarked {
		return class
	}
	if name == TraitEmail || name == NamespacePhone {
		return PIIPersonal
	}
	return PIIUnmarked
}

// Traits gives what the plan says of traits, by name. It must not be changed.
func (p *Plan) Traits() map[string]PII { return p.rules.traits }

// Bounds of a search for personal values in lists and maps.
const (
	maxPIIValues = 100
	maxPIIDepth  = 4
)

// looksPersonal says what a value, or one inside a list or map, looks like:
// an e-mail address, a phone number with its country code, an IBAN or the
// number of a payment card; "" for nothing of it. Only whole texts are looked
// at, so a sentence that holds an address is not found.
func looksPersonal(v any) string {
	room := maxPIIValues
	return looksPersonalDeep(v, maxPIIDepth, &room)
}

func looksPersonalDeep(v any, depth int, room *int) string {
	*room--
	if *room < 0 || depth < 0 {
		return ""
	}
	switch x := v.(type) {
	case string:
		return looksPersonalText(x)
	case []any:
		for _, item := range x {
			if what := looksPersonalDeep(item, depth-1, room); what != "" {
				return what
			}
		}
	case map[string]any:
		if len(x) > *room {
			return ""
		}
		// A map has no order of its own: the answer must not be left to chance.
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if what := looksPersonalDeep(x[key], depth-1, room); what != "" {
				return what
			}
		}
	}
	return ""
}

func looksPersonalText(s string) string {
	if len(s) < 6 || len(s) > maxKeyBytes {
		return ""
	}
	switch {
	case isAddress(s):
		return "an e-mail address"
	case isPhone(s):
		return "a phone number"
	case isIBAN(s):
		return "an IBAN"
	case isCard(s):
		return "the number of a payment card"
	}
	return ""
}

// isAddress asks for one @ with a host behind it that has a dot; links are none.
func isAddress(s string) bool {
	at := strings.IndexByte(s, '@')
	if at < 1 || strings.ContainsAny(s, "/:?=") {
		return false
	}
	clean, ok := cleanEmail(strings.TrimSpace(s))
	if !ok {
		return false
	}
	host := clean[strings.LastIndexByte(clean, '@')+1:]
	dot := strings.LastIndexByte(host, '.')
	return dot > 0 && dot < len(host)-2
}

// isPhone asks for a + and 8 to 15 digits with the usual signs between them.
func isPhone(s string) bool {
	rest, plus := strings.CutPrefix(s, "+")
	if !plus {
		return false
	}
	n := 0
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= '0' && c <= '9':
			n++
		case c != ' ' && c != '-' && c != '(' && c != ')' && c != '.' && c != '/':
			return false
		}
	}
	return n >= 8 && n <= 15
}

// isIBAN checks the form and the check digits (ISO 13616: the rest of a
// division by 97 is 1).
func isIBAN(s string) bool {
	if !upper(s[0]) || !upper(s[1]) || !digit(s[2]) {
		return false // before anything is copied: every text of every event comes here
	}
	s = strings.ReplaceAll(s, " ", "")
	if len(s) < 15 || len(s) > 34 || !upper(s[0]) || !upper(s[1]) || !digit(s[2]) || !digit(s[3]) {
		return false
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case digit(c):
			rest = (rest*10 + int(c-'0')) % 97
		case upper(c):
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// isCard checks length, first digits and check digit (ISO/IEC 7812). One in ten
// other numbers of that form passes as well; a property that holds such ids is
// marked `pii: none`.
func isCard(s string) bool {
	if s[0] < '2' || s[0] > '6' || len(s) < 15 || len(s) > 31 {
		return false
	}
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	if len(s) != 15 && len(s) != 16 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) || r > '9' }) {
		return false
	}
	if len(s) == 15 && s[:2] != "34" && s[:2] != "37" || len(s) == 16 && !strings.ContainsRune("2456", rune(s[0])) {
		return false
	}
	sum := 0
	for i := range len(s) {
		n := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }
func digit(c byte) bool { return c >= '0' && c <= '9' }
