package web

import (
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// sentence says a condition in one line of plain words: “A”, “B” or “C” has
// happened, and the trait “x” is at least 5.
func sentence(c *lifecycle.Clause) string { return saying(c, false) }

func saying(c *lifecycle.Clause, inner bool) string {
	if c.Op == "" {
		return c.Words
	}
	if c.Op == "not" {
		return "it is not so that " + saying(&c.Kids[0], true)
	}
	var parts []string
	for i := range c.Kids {
		parts = append(parts, saying(&c.Kids[i], true))
	}
	if c.Op == "or" {
		parts = joined(parts)
	}
	text := strings.Join(parts, " "+c.Op+" ")
	if inner && len(parts) > 1 {
		return "(" + text + ")"
	}
	return text
}

// joined puts events of which the same is said into one part, where the first
// of them stood. What denies something is left alone: "neither" is another word.
func joined(parts []string) []string {
	var out, tails []string
	names := map[string][]string{}
	at := map[string]int{}
	for _, part := range parts {
		name, tail := cutName(part)
		if name == "" {
			out, tails = append(out, part), append(tails, "")
			continue
		}
		if _, ok := at[tail]; !ok {
			at[tail] = len(out)
			out, tails = append(out, ""), append(tails, tail)
		}
		names[tail] = append(names[tail], name)
	}
	for i, tail := range tails {
		if tail != "" {
			out[i] = listed(names[tail]) + tail
		}
	}
	return out
}

// cutName parts what is said of an event into its name, in quotes, and the
// rest; "" where that cannot be shared with other events.
func cutName(part string) (name, tail string) {
	if !strings.HasPrefix(part, "“") {
		return "", ""
	}
	end := strings.Index(part, "”")
	if end < 0 {
		return "", ""
	}
	end += len("”")
	name, tail = part[:end], part[end:]
	words := strings.Fields(tail)
	for _, not := range []string{"never", "not", "fewer", "no"} {
		if slices.Contains(words, not) {
			return "", ""
		}
	}
	return name, tail
}

// listed joins names as a sentence does: A, B or C.
func listed(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
