package document

import (
	"strings"

	"github.com/goccy/go-yaml/token"
)

// inQuotes is the advice that mends nearly every clash of YAML with an
// expression.
const inQuotes = "put an expression with a comma, a bracket, #, ! or ?, or with a quote at its start, in quotes or on the line below a |"

// place is a line and column of the file.
type place struct{ line, column int }

// refuse reports the parts of YAML that we do not take. It gives the places of
// the plain scalars that a comment cuts short, and those of what has to go
// before the parser sees the text.
func (c *collector) refuse(tokens token.Tokens) (cut map[place]bool, gone []place) {
	for i, tk := range tokens {
		line, column := tk.Position.Line, tk.Position.Column
		switch tk.Type {
		case token.TagType, token.AnchorType, token.AliasType, token.MergeKeyType, token.MappingKeyType:
			gone = append(gone, place{line, column})
		}
		switch tk.Type {
		case token.TagType:
			c.add(line, column, "", "starts a YAML tag with !, which would silently drop it; "+inQuotes)
		case token.AnchorType:
			c.add(line, column, "", "starts a YAML anchor with &, which is not taken; "+inQuotes)
		case token.AliasType:
			c.add(line, column, "", "starts a YAML alias with *, which is not taken; "+inQuotes)
		case token.MergeKeyType:
			c.add(line, column, "", "is a YAML merge key (<<), which is not taken; write the fields out")
		case token.MappingKeyType:
			c.add(line, column, "", "starts a YAML complex key with ?, which is not taken; "+inQuotes)
		case token.DirectiveType:
			c.add(line, column, "", "starts a YAML directive with %, which is not taken")
		case token.CommentType:
			if i > 0 && cutsShort(tokens[i-1], tk) {
				c.add(line, column, "", "cuts the text before it short; put the text in quotes if # belongs to it, or, for a comment, two spaces before the # and one after it")
				if cut == nil {
					cut = map[place]bool{}
				}
				cut[place{tokens[i-1].Position.Line, tokens[i-1].Position.Column}] = true
			}
		}
		if c.full() {
			break
		}
	}
	return cut, gone
}

// cutsShort tells whether a comment may have been meant as part of the plain
// scalar before it. Two spaces before the sign and one after it, the usual
// form of a comment behind a value, show that it was not.
func cutsShort(before, comment *token.Token) bool {
	switch before.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType,
		token.HexIntegerType, token.OctetIntegerType, token.BinaryIntegerType, token.InfinityType, token.NanType:
	default:
		return false
	}
	space := before.Origin[len(strings.TrimRight(before.Origin, " \t\n")):]
	if strings.Contains(space, "\n") {
		return false
	}
	spaced := comment.Value == "" || strings.HasPrefix(comment.Value, " ")
	return len(space) < 2 || !spaced
}
