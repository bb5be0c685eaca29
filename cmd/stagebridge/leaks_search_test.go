package main

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// needles are the forms of secrets that a search looks for.
type needles struct {
	// byStart finds forms by their first eight bytes, so that a text is read once
	// however many there are.
	byStart map[uint64][]needle
}

type needle struct{ form, about string }

const needleStart = 8

// newNeedles takes secrets by a name; those that are too short to tell from
// other texts are left out.
func newNeedles(secrets map[string]string) *needles {
	n := &needles{byStart: map[uint64][]needle{}}
	for about, plain := range secrets {
		for how, form := range spellings(plain) {
			if len(form) < needleStart+2 {
				continue
			}
			start := binary.LittleEndian.Uint64([]byte(form))
			if one := (needle{form, about + ", " + how}); !slices.ContainsFunc(n.byStart[start], func(x needle) bool { return x.form == form }) {
				n.byStart[start] = append(n.byStart[start], one)
			}
		}
	}
	return n
}

// spellings are the ways in which a secret might stand in a text.
func spellings(plain string) map[string]string {
	quoted, _ := json.Marshal(plain)
	twice, _ := json.Marshal(string(quoted))
	all := map[string]string{
		"plain": plain, "query-escaped": url.QueryEscape(plain), "path-escaped": url.PathEscape(plain), "JSON": strings.Trim(string(quoted), `"`),
		"JSON in JSON": strings.Trim(string(twice), `\"`), "HTML": html.EscapeString(plain), "quoted": strings.Trim(fmt.Sprintf("%q", plain), `"`),
		"hex": hex.EncodeToString([]byte(plain)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(plain))), "base32": strings.TrimRight(base32.StdEncoding.EncodeToString([]byte(plain)), "="),
		"bytes": strings.Trim(fmt.Sprint([]byte(plain)), "[]"),
	}
	// Within other bytes the base64 of a text has three forms. What its
	// neighbours have a part in is cut off.
	for shift := range 3 {
		b := append(make([]byte, shift), plain...)
		from, to := (shift*8+5)/6, len(b)*8/6
		all[fmt.Sprint("base64 at ", shift)] = base64.RawStdEncoding.EncodeToString(b)[from:to]
		all[fmt.Sprint("base64url at ", shift)] = base64.RawURLEncoding.EncodeToString(b)[from:to]
	}
	return all
}

// find lists what of the secrets stands in a text, each once.
func (n *needles) find(text string) []string {
	var found []string
	seen := map[string]bool{}
	if len(text) < needleStart {
		return nil
	}
	b := []byte(text)
	window := binary.LittleEndian.Uint64(b)
	for i := 0; ; i++ {
		for _, one := range n.byStart[window] {
			if strings.HasPrefix(text[i:], one.form) && !seen[one.about] {
				seen[one.about] = true
				found = append(found, fmt.Sprintf("%s at …%q", one.about, text[max(0, i-60):min(len(text), i+20)]))
			}
		}
		if i+needleStart >= len(b) {
			return found
		}
		window = window>>8 | uint64(b[i+needleStart])<<56
	}
}

// TestLeaksAreFound plants a secret in every form, alone and among other texts.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	const plain = `s3cret/"value"+of=the&<test>`
	n := newNeedles(map[string]string{"token": plain})
	for how, form := range spellings(plain) {
		for _, text := range []string{form, "before " + form, form + " behind", "x" + form + "y"} {
			if len(n.find(text)) == 0 {
				t.Errorf("%s is not found in %q", how, text)
			}
		}
	}
	for _, credentials := range []string{"user:" + plain, "another-user:" + plain, "ab:" + plain + ":c", "abc" + plain} {
		if header := "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials)); len(n.find("{\"Authorization\":\""+header+"\"}")) == 0 {
			t.Errorf("%s is not found", header)
		}
	}
	if found := n.find(strings.Repeat("nothing of it, s3cret/value, is here ", 1000)); len(found) != 0 {
		t.Errorf("found %v where nothing is", found)
	}
}
