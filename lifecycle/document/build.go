package document

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// builder turns the parser's tree into ours.
type builder struct {
	c     *collector
	lines []string
	cut   map[place]bool
}

func (b *builder) node(n ast.Node, path string, depth int) *Node {
	if n == nil || n.GetToken() == nil {
		return &Node{Kind: Null, Line: 1, Column: 1, top: b.c}
	}
	at := n.GetToken().Position
	out := &Node{Line: at.Line, Column: max(at.Column, 1), top: b.c}
	if depth > 2*maxDepth {
		b.c.add(at.Line, at.Column, path, "is nested too deeply")
		out.Kind = Broken
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		b.mapping(out, n.Values, path, depth)
	case *ast.MappingValueNode:
		b.mapping(out, []*ast.MappingValueNode{n}, path, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for i, v := range n.Values {
			out.Items = append(out.Items, b.node(v, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
	case *ast.LiteralNode:
		out.Kind, out.Style, out.Text = Text, Block, n.Value.Value
		out.folded = n.Start.Type == token.FoldedType
		b.blockPlace(out)
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		b.scalar(out, n.GetToken())
	default:
		// Tags, anchors and aliases: the token scan has reported them.
		out.Kind = Broken
	}
	return out
}

func (b *builder) scalar(out *Node, tk *token.Token) {
	switch {
	case tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType:
		out.Kind, out.Style, out.Text = Text, Quoted, tk.Value
		if tk.Value == string(brokenMark) {
			out.Kind = Broken
		}
	case tk.Type == token.ImplicitNullType:
		out.Kind = Null
	case b.cut[place{tk.Position.Line, tk.Position.Column}]:
		out.Kind = Broken
	default:
		out.Kind, out.Text = scalarKind(tk.Value), tk.Value
	}
}

func (b *builder) mapping(out *Node, values []*ast.MappingValueNode, path string, depth int) {
	out.Kind = Map
	seen := make(map[string]place, len(values))
	for _, v := range values {
		tk := v.Key.GetToken()
		at := place{tk.Position.Line, tk.Position.Column}
		if v.Key.IsMergeKey() {
			continue
		}
		if _, ok := v.Key.(ast.ScalarNode); !ok || tk.Type == token.AnchorType || tk.Type == token.TagType || tk.Type == token.AliasType {
			if tk.Type == token.SequenceStartType || tk.Type == token.MappingStartType {
				b.c.add(at.line, at.column, path, "has a list or map as a key; "+inQuotes)
			}
			continue
		}
		field := join(path, tk.Value)
		if first, twice := seen[tk.Value]; twice {
			b.c.add(at.line, at.column, field, fmt.Sprintf("is given twice; first on line %d", first.line))
			continue
		}
		seen[tk.Value] = at
		value := b.node(v.Value, field, depth+1)
		if value.Kind == Null && value.Text == "" {
			value.Line, value.Column = at.line, at.column
			if v.Start != nil && v.Start.Type != token.MappingValueType {
				// A key without a colon, {a, b}: what an unquoted comma leaves behind.
				b.c.add(at.line, at.column, field, "has no value; "+inQuotes)
				value.Kind = Broken
			}
		}
		out.Entries = append(out.Entries, Entry{tk.Value, at.line, at.column, value})
	}
	if len(out.Entries) > 0 {
		out.Line, out.Column = out.Entries[0].Line, out.Entries[0].Column
	}
}

// blockPlace moves a block text's place from its | to its first character.
func (b *builder) blockPlace(out *Node) {
	for i := out.Line; i < len(b.lines); i++ {
		trimmed := strings.TrimLeft(b.lines[i], " ")
		if trimmed == "" {
			continue
		}
		out.Line, out.Column = out.Line+1, len(b.lines[i])-len(trimmed)+1
		return
	}
}

// join adds a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
