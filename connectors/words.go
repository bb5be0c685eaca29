package connectors

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/secret"
)

// Bounds of the vendor's words.
const (
	maxWordRunes = 500
	// maxWordBytes are looked at; what a vendor says beyond is never shown.
	maxWordBytes = 64 << 10
	// maxErrorJSON is the longest error body that is decoded to find its message.
	maxErrorJSON = 256 << 10
)

// Words makes a text of a vendor's fit for people: secrets, credentials and
// queries of URLs cut out, white space and control characters made single
// spaces, valid UTF-8, at most 500 runes.
func Words(text string, hide ...secret.Text) string {
	cut := len(text) > maxWordBytes
	if cut {
		text = text[:maxWordBytes]
	}
	forms := plainForms(hide)
	for _, f := range forms {
		text = strings.ReplaceAll(text, f, secret.Redacted)
	}
	if cut && len(forms) > 0 {
		// A secret may have been cut in two at the end.
		text = text[:max(0, len(text)-len(forms[0]))]
	}
	text = singleSpaced(redactURLs(text))
	if utf8.RuneCountInString(text) <= maxWordRunes {
		return text
	}
	runes := []rune(text)
	return string(runes[:maxWordRunes-1]) + "…"
}

// plainForms lists the secrets as they may stand in a text, longest first, so
// that one secret inside another leaves no rest.
func plainForms(hide []secret.Text) []string {
	var forms []string
	for _, s := range hide {
		plain := s.Reveal()
		if plain == "" {
			continue
		}
		coded := hex.EncodeToString([]byte(plain))
		forms = append(forms, plain, url.QueryEscape(plain), url.PathEscape(plain), html.EscapeString(plain), coded, strings.ToUpper(coded),
			base64.StdEncoding.EncodeToString([]byte(plain)), base64.URLEncoding.EncodeToString([]byte(plain)))
		if len(plain) >= minShifted {
			forms = append(forms, shifted(plain, base64.RawStdEncoding)...)
			forms = append(forms, shifted(plain, base64.RawURLEncoding)...)
		}
		if quoted, err := json.Marshal(plain); err == nil {
			forms = append(forms, string(quoted[1:len(quoted)-1]))
		}
	}
	slices.SortFunc(forms, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return slices.Compact(forms)
}

// minShifted is the shortest secret that is looked for inside of longer base64:
// of a shorter one hardly more than a word would be left.
const minShifted = 8

// shifted gives the forms that a text has within the base64 of a longer one, as
// in user:password, without what its neighbours have a part in.
func shifted(plain string, coding *base64.Encoding) []string {
	var forms []string
	for ahead := range 3 {
		b := append(make([]byte, ahead), plain...)
		forms = append(forms, coding.EncodeToString(b)[(ahead*8+5)/6:len(b)*8/6])
	}
	return forms
}

// redactURLs cuts user:password@ and the query out of every URL in a text.
func redactURLs(text string) string {
	var out strings.Builder
	for {
		i := strings.Index(text, "://")
		if i < 0 {
			break
		}
		rest := text[i+3:]
		end := strings.IndexFunc(rest, func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune("\"'<>`", r)
		})
		if end < 0 {
			end = len(rest)
		}
		out.WriteString(text[:i+3])
		out.WriteString(bareURL(rest[:end]))
		text = rest[end:]
	}
	if out.Len() == 0 {
		return text
	}
	out.WriteString(text)
	return out.String()
}

// bareURL shortens what follows the scheme of a URL.
func bareURL(rest string) string {
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = secret.Redacted + authority[i:]
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 && len(path) > i+1 {
		path = path[:i+1] + secret.Redacted
	}
	return authority + path
}

// singleSpaced makes every run of white space, control and format characters
// one space, and bytes that are not UTF-8 the replacement character.
func singleSpaced(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	var out strings.Builder
	out.Grow(len(text))
	gap := false
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			gap = true
			continue
		}
		if gap && out.Len() > 0 {
			out.WriteByte(' ')
		}
		gap = false
		out.WriteRune(r)
	}
	return out.String()
}

// cutScheme splits an Authorization value into scheme and credentials.
func cutScheme(v string) (scheme, credentials string, ok bool) {
	return strings.Cut(strings.TrimSpace(v), " ")
}

// vendorWords finds the message in an error body: the usual members of a JSON
// object, else the text itself.
func vendorWords(body []byte) string {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && len(trimmed) <= maxErrorJSON && (trimmed[0] == '{' || trimmed[0] == '[') {
		var v any
		if json.Unmarshal(trimmed, &v) == nil {
			if words := wordsIn(v, 3); words != "" {
				return words
			}
		}
	}
	return string(trimmed[:min(len(trimmed), maxWordBytes+1)])
}

// wordsIn looks for the message in a decoded value, a few levels deep: problem
// documents (title, detail), {"message"}, {"error": text or object},
// {"errors": [...]}.
func wordsIn(v any, depth int) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 && depth > 0 {
			return wordsIn(v[0], depth-1)
		}
	case map[string]any:
		if depth == 0 {
			return ""
		}
		var found []string
		for _, name := range []string{"title", "message", "error", "error_description", "detail", "errors"} {
			words := wordsIn(v[name], depth-1)
			if words != "" && !slices.Contains(found, words) {
				found = append(found, words)
			}
		}
		return strings.Join(found, ": ")
	}
	return ""
}
