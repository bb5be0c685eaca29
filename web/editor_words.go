package web

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/mapping"
	"github.com/stagebridge/stagebridge/store"
)

// payload shows what a raw event holds as rules read it: a member a line, JSON
// with every digit as it came, a form or XML decoded. What cannot be decoded is
// shown as it is, and what is long is cut.
func payload(format string, raw []byte) string {
	text := string(raw)
	if !json.Valid(raw) {
		if body, err := mapping.Decode(format, raw); err == nil {
			raw, _ = json.Marshal(body) // maps, lists and texts: it always can be
		}
	}
	if json.Valid(raw) {
		var out strings.Builder
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if e.Encode(json.RawMessage(raw)) == nil { // keeps every digit of a number
			text = out.String()
		}
	}
	if len(text) > shownPayload {
		cut := shownPayload
		for !utf8.RuneStart(text[cut]) && cut > shownPayload-utf8.UTFMax {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// bodyFormat is the format that a raw event's bytes are decoded by.
func bodyFormat(row *store.Row) string { return jobs.ParseMeta(row.Meta).Format }

// words lists what the editor of rules completes, one a line: members of the
// payloads and records shown and of what rules looked for, events and traits of
// the plan. Where they are too many, members of payloads are left out first.
func words(t *jobs.Trial, plan *lifecycle.Plan) string {
	ours, seen := map[string]bool{}, map[string]bool{}
	for name := range plan.Events() {
		ours[string(name)] = true
	}
	for _, name := range plan.ReadsTraits() {
		ours["traits."+name] = true
	}
	for _, e := range t.Shown {
		for _, r := range e.Why.Rules {
			for _, v := range r.Read {
				seen[v.Path] = true
			}
		}
		if body, err := mapping.Decode(bodyFormat(&e.Row), e.Row.Body); err == nil {
			members(seen, "body", body, 0)
		}
		if record, err := mapping.Decode("", e.Row.Record); err == nil {
			members(seen, "record", record, 0)
		}
	}
	all := sortedKeys(ours)
	for _, word := range sortedKeys(seen) {
		if len(all) < mostWords && !ours[word] {
			all = append(all, word)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func sortedKeys(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// members notes the paths of an object's members that an expression can name;
// those of a list's first element as `each` gives them, under item.
func members(seen map[string]bool, path string, v any, depth int) {
	if list, ok := v.([]any); ok && len(list) > 0 {
		path, v = "item", list[0]
	}
	object, ok := v.(map[string]any)
	if !ok || depth > 4 {
		return
	}
	for name, inner := range object {
		if len(seen) > 4*mostWords {
			return
		}
		if !plainName(name) {
			continue
		}
		seen[path+"."+name] = true
		members(seen, path+"."+name, inner, depth+1)
	}
}

func plainName(name string) bool {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 60
}
