package jobs

import (
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// mentions finds the texts that name somebody whose keys are known. It finds what
// Blocks finds of people of whom hashes are all that is left, and hashes no word
// for it: that takes longer than all else where every raw event is looked at.
type mentions struct {
	values map[string]bool            // that tell people apart wherever they stand, in lower case
	own    map[string]map[string]bool // a connection's own ids, by namespace
	any    []string                   // all of them in lower case: a text without any names nobody
}

func mentionsOf(keys []lifecycle.Key) *mentions {
	m := &mentions{values: map[string]bool{}, own: map[string]map[string]bool{}}
	for _, k := range keys {
		value := strings.ToLower(k.Value)
		if m.any = append(m.any, value); telling(value) {
			m.values[value] = true
		}
		if m.own[k.Namespace] == nil {
			m.own[k.Namespace] = map[string]bool{}
		}
		m.own[k.Namespace][k.Value] = true
	}
	return m
}

// in reports a text, told by a connection, that names the person.
func (m *mentions) in(text []byte, connection string) bool {
	plain := string(text)
	if !m.perhaps(plain) && !m.perhaps(unescaped(plain)) {
		return false
	}
	found := false
	eachToken(plain, func(token string) bool {
		found = m.values[strings.ToLower(token)] || m.own[connection][token] && strings.ContainsAny(token, "0123456789")
		return !found
	})
	return found
}

// perhaps reports a text that holds one of the values, be it as part of a word.
func (m *mentions) perhaps(text string) bool {
	if text == "" {
		return false
	}
	text = strings.ToLower(text)
	for _, value := range m.any {
		if strings.Contains(text, value) {
			return true
		}
	}
	return false
}
