package document

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of one file. The parser keeps about a kilobyte per token and the path
// of every node as text, so both are bounded before it sees the tokens.
const (
	MaxBytes     = 1 << 20
	maxTokens    = 40_000
	maxDepth     = 40
	maxKeyBytes  = 200
	maxPathBytes = 16 << 20
	maxEmpty     = 500   // the parser moves all later tokens for each empty value
	maxKeys      = 2_000 // of one map in block form, which the parser copies for each key
)

// Parse reads one file. The name only stands in the errors. The error is an
// Errors with every mistake of the YAML itself; the node is then nil. An empty
// file is an empty map.
func Parse(file string, src []byte) (*Node, error) {
	n := parse(file, src)
	if err := n.top.err(); err != nil {
		return nil, err
	}
	return n, nil
}

// parse gives a tree in any case. Where something is wrong the tree holds a
// Broken node and the collector a message.
func parse(file string, src []byte) *Node {
	c := &collector{file: file}
	broken := &Node{Kind: Broken, Line: 1, Column: 1, top: c}
	text, ok := c.clean(src)
	if !ok {
		return broken
	}
	tokens, ok := c.tokens(text)
	if !ok || !c.bounded(tokens) {
		return broken
	}
	cut, refused := c.refuse(tokens)
	if c.full() {
		return broken
	}
	if len(refused) > 0 {
		// The parser would take what follows a tag or an anchor as its value.
		for _, at := range refused {
			text = blank(text, tokens, at, false)
		}
		tokens = lexer.Tokenize(text)
	}
	f, text := c.tree(text, tokens)
	if f == nil {
		return broken
	}
	return c.root(f, &builder{c: c, lines: strings.Split(text, "\n"), cut: cut})
}

// clean refuses what no text file of ours holds and gives lines that end in \n.
func (c *collector) clean(src []byte) (string, bool) {
	if len(src) > MaxBytes {
		c.add(0, 0, "", fmt.Sprintf("is %d bytes long; the limit is %d", len(src), MaxBytes))
		return "", false
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	line, column := 1, 1
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			c.add(line, column, "", "is not valid UTF-8 here")
			return "", false
		case r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == brokenMark || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029:
			c.add(line, column, "", fmt.Sprintf("has the control character U+%04X here", r))
			return "", false
		case r == '\n':
			line, column = line+1, 0
		}
		i += size
		column++
	}
	return string(src), true
}

// tokens splits the text. The scanner takes it in one go, so the signs that
// make tokens are counted first.
func (c *collector) tokens(text string) (token.Tokens, bool) {
	signs := 0
	for i := range len(text) {
		switch text[i] {
		case '[', ']', '{', '}', ',', ':', '!', '&', '*', '#', '?', '|', '>':
			signs++
		case '-':
			if i == 0 || text[i-1] == ' ' || text[i-1] == '\n' {
				signs++
			}
		}
	}
	if signs > maxTokens {
		c.add(0, 0, "", fmt.Sprintf("has more than %d parts; split it", maxTokens))
		return nil, false
	}
	return lexer.Tokenize(text), true
}

// bounded refuses what would make the parser use too much time or memory.
func (c *collector) bounded(tokens token.Tokens) bool {
	type level struct{ column, bytes, keys int }
	var stack []level // of the block structure; flow levels have column 0
	flow, path, total, empty := 0, 0, 0, 0
	push := func(column, bytes, keys int) {
		stack = append(stack, level{column, bytes, keys})
		path += bytes
	}
	pop := func() {
		path -= stack[len(stack)-1].bytes
		stack = stack[:len(stack)-1]
	}
	for _, tk := range tokens {
		key := tk.Next != nil && tk.Next.Type == token.MappingValueType
		if key && len(tk.Value) > maxKeyBytes {
			c.add(tk.Position.Line, tk.Position.Column, "", fmt.Sprintf("has a key of %d bytes; the limit is %d", len(tk.Value), maxKeyBytes))
			return false
		}
		opens := tk.Type == token.SequenceEntryType || tk.Type == token.MappingKeyType
		if flow == 0 && (key || opens) {
			keys := 1
			for len(stack) > 0 && stack[len(stack)-1].column >= tk.Position.Column {
				if top := stack[len(stack)-1]; key && top.column == tk.Position.Column {
					keys = top.keys + 1
				}
				pop()
			}
			if keys > maxKeys {
				c.add(tk.Position.Line, tk.Position.Column, "", fmt.Sprintf("is more than the %d keys that one map may have", maxKeys))
				return false
			}
			push(tk.Position.Column, len(tk.Value)+8, keys)
		}
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
			push(0, maxKeyBytes, 0)
		case token.MappingEndType, token.SequenceEndType:
			if flow > 0 {
				flow--
				pop()
			}
		}
		total += path
		if isEmpty(tk) {
			empty++
		}
		if empty > maxEmpty {
			c.add(tk.Position.Line, tk.Position.Column, "", fmt.Sprintf("has more than %d empty values", maxEmpty))
			return false
		}
		if len(stack) > maxDepth || total > maxPathBytes {
			c.add(tk.Position.Line, tk.Position.Column, "", fmt.Sprintf("is nested too deeply here; the limit is %d levels", maxDepth))
			return false
		}
	}
	return true
}

// isEmpty tells whether nothing follows a list dash or a key's colon.
func isEmpty(tk *token.Token) bool {
	if tk.Type != token.SequenceEntryType && tk.Type != token.MappingValueType {
		return false
	}
	start := tk.Position.Column
	if tk.Type == token.MappingValueType && tk.Prev != nil {
		start = tk.Prev.Position.Column
	}
	next := tk.Next
	for next != nil && next.Type == token.CommentType {
		next = next.Next
	}
	return next == nil || next.Position.Line != tk.Position.Line && next.Position.Column <= start
}

// tree runs the parser. A syntax error ends it, so the entry at fault is
// blanked and the rest parsed again: all syntax mistakes are told at once. The
// second answer is the text that was parsed in the end.
func (c *collector) tree(text string, tokens token.Tokens) (*ast.File, string) {
	rounds := min(max(MaxBytes/8/(len(text)+1), 1), 20)
	for range rounds {
		f, err := parseTokens(tokens)
		if err == nil {
			return f, text
		}
		var e yaml.Error
		if !errors.As(err, &e) || e.GetToken() == nil {
			c.add(1, 1, "", "is not YAML: "+err.Error())
			return nil, ""
		}
		// Positions are told by fresh tokens: the parser adds some of its own.
		tokens = lexer.Tokenize(text)
		at := e.GetToken().Position
		c.add(at.Line, max(at.Column, 1), "", explain(e.GetMessage(), text, tokens, at))
		next := blank(text, tokens, place{at.Line, at.Column}, true)
		if next == text {
			return nil, "" // what follows would be guesses
		}
		text = next
		tokens = lexer.Tokenize(text)
	}
	return nil, ""
}

// parseTokens turns a panic of the library into a refusal: files come from
// outside, and one of them must not end the process.
func parseTokens(tokens token.Tokens) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("document: parse: %v", p)
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// root gives the one document's body.
func (c *collector) root(f *ast.File, b *builder) *Node {
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.DirectiveType || d.Body.Type() == ast.CommentType {
			continue
		}
		bodies = append(bodies, d.Body)
	}
	switch len(bodies) {
	case 0:
		return &Node{Kind: Map, Line: 1, Column: 1, top: c}
	case 1:
		return b.node(bodies[0], "", 0)
	}
	second := b.node(bodies[1], "", 0)
	c.add(second.Line, second.Column, "", "starts a second document; a file holds one")
	return b.node(bodies[0], "", 0)
}
