package document

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// brokenMark is the value of an entry that was blanked. It comes from the
// private use area and is refused in the text itself.
const brokenMark = '\uE0FF'

// blank empties the entry at a place, with the lines that belong to it, and
// keeps the number of lines. It gives the text unchanged when that entry was
// emptied before. swallowed says that an open bracket may have swallowed the
// place, as it does with a syntax error.
func blank(text string, tokens token.Tokens, at place, swallowed bool) string {
	lines := strings.Split(text, "\n")
	first := at.line
	if outer := flowStart(tokens, at, swallowed); outer > 0 {
		first = outer
	}
	if first < 1 || at.line > len(lines) {
		return text
	}
	start := lines[first-1]
	head := entryHead(start)
	switch {
	case strings.ContainsRune(start, brokenMark) || strings.TrimSpace(start) == "":
		return text
	case head == "":
		lines[first-1] = ""
	default:
		lines[first-1] = head + ` "` + string(brokenMark) + `"`
	}
	indent := len(start) - len(strings.TrimLeft(start, " -"))
	for i := first; i < len(lines); i++ {
		l := strings.TrimLeft(lines[i], " ")
		if l != "" && l[0] != ':' && len(lines[i])-len(l) <= indent {
			break // an entry of its own, even where an open bracket swallowed it
		}
		lines[i] = ""
	}
	return strings.Join(lines, "\n")
}

// flowStart gives the line on which the outermost bracket opens that is still
// open at a place, or 0. Unless swallowed, a line that is indented no deeper
// than the entry with the bracket ends it.
func flowStart(tokens token.Tokens, at place, swallowed bool) int {
	depth, line := 0, 0
	entry, column, last := 0, 0, 0 // columns of the last key and of the bracket's; the line before
	for _, tk := range tokens {
		p := tk.Position
		if p.Line != last && !swallowed && p.Column <= column {
			depth = 0
		}
		if depth == 0 && tk.Next != nil && tk.Next.Type == token.MappingValueType {
			entry = p.Column
		}
		last = p.Line
		if p.Line > at.line || p.Line == at.line && p.Column >= at.column {
			break
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			if depth == 0 {
				line, column = p.Line, entry
			}
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(depth-1, 0)
		}
	}
	if depth == 0 {
		return 0
	}
	return line
}

// entryHead gives the start of a line up to and with the colon of its key, or
// "" when the line has none.
func entryHead(line string) string {
	i := strings.IndexByte(line, ':')
	if i < 0 || strings.ContainsAny(line[:i], "\t\"'{}[]#,&*!?<") {
		return ""
	}
	return line[:i+1]
}

// explain words a syntax error and adds advice where an unquoted expression is
// the likely cause.
func explain(message, text string, tokens token.Tokens, at *token.Position) string {
	words := say(message)
	line := at.Line
	if outer := flowStart(tokens, place{at.Line, at.Column}, true); outer > 0 {
		line = outer
	}
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) || strings.HasPrefix(words, "has a tab") {
		return words
	}
	value := lines[line-1][len(entryHead(lines[line-1])):]
	if strings.ContainsAny(value, ",\"'[]{}#!?:&*%@`|>") {
		return words + "; " + inQuotes
	}
	return words
}

// say puts the parser's words into ours where they would puzzle a person.
func say(message string) string {
	switch {
	case strings.Contains(message, "cannot start any token") && strings.Contains(message, "\t"):
		return "has a tab in the indentation; use spaces"
	case strings.Contains(message, "could not find end character"):
		return "has a quote that is never closed"
	case strings.Contains(message, "must be specified"):
		return "has a bracket that is never closed, or lacks a comma"
	case strings.Contains(message, "reserved character"):
		return "starts with a character that YAML reserves"
	case strings.Contains(message, "mapping value is not allowed"):
		return "has a second colon, or is indented differently from its neighbours"
	}
	return "is not YAML here (" + strings.ReplaceAll(message, "\n", " ") + ")"
}
