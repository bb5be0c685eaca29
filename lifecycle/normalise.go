package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The namespaces that mean the same in every connection. Any other namespace
// holds a vendor's record ids and is named after the connection that tells
// them, so no connection may be called by one of these.
const (
	NamespaceUser      = "user"
	NamespaceEmail     = "email"
	NamespacePhone     = "phone"
	NamespaceAnonymous = "anonymous"
)

const (
	maxKeyBytes       = 200
	maxNamespaceBytes = 40
	// maxRawKeyBytes bounds the work on a hostile value: compatibility forms
	// shrink to a fraction of their bytes at best, so a longer text could not
	// become a usable one by much more than trimming, which comes first.
	maxRawKeyBytes = 4 * maxKeyBytes
)

// NormaliseKey makes the key under which a person is found, so that two
// spellings of one identifier are equal: the value is trimmed and brought to
// Unicode NFKC; an e-mail address is lower-cased; a phone number becomes "+"
// and digits (E.164), which needs its country code. Other values keep their
// case, since vendors' ids may differ by nothing else.
//
// It answers false where nothing usable is left: an empty value, one over 200
// bytes (cutting it could join two people), invalid UTF-8, control characters,
// an address without its two parts, a phone number without country code or
// with an extension, or a namespace that does not match
// [a-z0-9][a-z0-9_-]{0,39}. Normalising a normalised key changes nothing, and
// a clean ASCII value is returned without allocating.
func NormaliseKey(namespace, value string) (Key, bool) {
	if !validNamespace(namespace) {
		return Key{}, false
	}
	value, ok := cleanKeyValue(value)
	if !ok {
		return Key{}, false
	}
	switch namespace {
	case NamespaceEmail:
		value, ok = cleanEmail(value)
	case NamespacePhone:
		value, ok = cleanPhone(value)
	}
	if !ok {
		return Key{}, false
	}
	return Key{Namespace: namespace, Value: value}, true
}

func validNamespace(s string) bool {
	if s == "" || len(s) > maxNamespaceBytes || s[0] == '_' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// cleanKeyValue trims, brings to NFKC and checks what holds for every namespace.
func cleanKeyValue(s string) (string, bool) {
	s = strings.TrimFunc(s, invisible)
	if len(s) > maxRawKeyBytes || !utf8.ValidString(s) {
		return "", false
	}
	if !isASCII(s) {
		// Compatibility forms may turn into spaces at the ends.
		s = strings.TrimFunc(norm.NFKC.String(s), invisible)
	}
	if s == "" || len(s) > maxKeyBytes || strings.ContainsFunc(s, unicode.IsControl) {
		return "", false
	}
	return s, true
}

// invisible says what a copy and paste leaves around a value: spaces, and
// format characters such as the zero-width space and the byte order mark.
func invisible(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || '\t' <= r && r <= '\r'
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cleanEmail asks for a part on either side of the last @ and no space in
// between: a name or a "n/a" in an address field must not become a key that
// strangers share. Plus-tags and dots are kept, for only some hosts ignore
// them.
func cleanEmail(s string) (string, bool) {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || strings.ContainsFunc(s, unicode.IsSpace) || strings.ContainsAny(s, "<>,;") {
		return "", false
	}
	if strings.IndexByte(s, '@') != at && s[0] != '"' {
		return "", false
	}
	s = strings.ToLower(s)
	if !isASCII(s) {
		// A lower-case letter may compose with a mark that its capital does not.
		s = norm.NFKC.String(s)
	}
	return s, len(s) <= maxKeyBytes
}

// cleanPhone gives "+" and 7 to 15 digits. A number without + or 00 in front
// is refused: the same national number belongs to different people in
// different countries.
func cleanPhone(s string) (string, bool) {
	if isE164(s) {
		return s, true
	}
	s = strings.TrimPrefix(strings.ToLower(s), "tel:")
	s = strings.TrimLeft(s, " (")
	rest, plus := strings.CutPrefix(s, "+")
	if !plus {
		if rest, plus = strings.CutPrefix(s, "00"); !plus {
			return "", false
		}
	}
	if !strings.HasPrefix(rest, "39") {
		// +49 (0)30: the bracketed zero is only dialled inside the country.
		// Italy dials its zero from abroad as well.
		rest = strings.Replace(rest, "(0)", "", 1)
	}
	out := make([]byte, 1, 16)
	out[0] = '+'
	for _, r := range rest {
		switch {
		case '0' <= r && r <= '9':
			if len(out) == cap(out) {
				return "", false
			}
			out = append(out, byte(r))
		case strings.ContainsRune(" -.()/", r), unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r):
		default:
			return "", false
		}
	}
	s = string(out)
	return s, isE164(s)
}

func isE164(s string) bool {
	if len(s) < 8 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// SortKeys sorts by priority, strongest first (user, e-mail, phone, vendors'
// ids by namespace and value, anonymous), and removes duplicates. It works in
// place and returns the shortened slice.
func SortKeys(keys []Key) []Key {
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// compareKeys is the order of SortKeys.
func compareKeys(a, b Key) int {
	return cmp.Or(
		cmp.Compare(namespaceRank(a.Namespace), namespaceRank(b.Namespace)),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Value, b.Value),
	)
}

func namespaceRank(namespace string) int {
	switch namespace {
	case NamespaceUser:
		return 0
	case NamespaceEmail:
		return 1
	case NamespacePhone:
		return 2
	case NamespaceAnonymous:
		return 4
	default:
		return 3
	}
}
