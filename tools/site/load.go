package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// front are the pages outside docs, in the order of the menu.
var front = [...]string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md"}

// source is where a file that is no page of the site can be read.
const source = "https://github.com/stagebridge/stagebridge/blob/main/"

// site is all pages, and the other files that they show or lead to.
type site struct {
	files    fs.FS
	markdown goldmark.Markdown
	// pages by path from the root of the repository.
	pages map[string]*page
	// assets are files that are copied.
	assets map[string]bool
}

// page is one Markdown file.
type page struct {
	path  string
	title string
	body  []byte
	tree  ast.Node
	// anchors are the ids that a link may lead to.
	anchors map[string]bool
}

// load reads all pages and points their links at the site. The error lists every
// link that leads nowhere.
func load(files fs.FS) (*site, error) {
	s := &site{
		files: files, pages: map[string]*page{}, assets: map[string]bool{},
		markdown: goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID())),
	}
	paths := slices.Clone(front[:])
	err := fs.WalkDir(files, "docs", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(p) == ".md" {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range paths {
		if err := s.read(p); err != nil {
			return nil, err
		}
	}
	var mistakes []error
	for _, p := range paths {
		mistakes = append(mistakes, s.link(s.pages[p])...)
	}
	return s, errors.Join(mistakes...)
}

func (s *site) read(name string) error {
	body, err := fs.ReadFile(s.files, name)
	if err != nil {
		return err
	}
	p := &page{path: name, title: name, body: body, anchors: map[string]bool{}}
	p.tree = s.markdown.Parser().Parse(text.NewReader(body))
	s.pages[name] = p
	titled := false
	return ast.Walk(p.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		h, ok := n.(*ast.Heading)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		if id, ok := h.AttributeString("id"); ok {
			p.anchors[string(id.([]byte))] = true
		}
		if h.Level == 1 && !titled {
			p.title, titled = words(h, body), true
		}
		return ast.WalkSkipChildren, nil
	})
}

// words is the plain text of a node.
func words(n ast.Node, body []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(body))
			continue
		}
		b.WriteString(words(c, body))
	}
	return b.String()
}

// link points every link and picture of a page at the site, and gives those
// that lead nowhere.
func (s *site) link(p *page) []error {
	var mistakes []error
	point := func(destination []byte) []byte {
		to, err := s.resolve(p, string(destination))
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", p.path, err))
		}
		return []byte(to)
	}
	// The walk's function never fails.
	_ = ast.Walk(p.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			n.Destination = point(n.Destination)
		case *ast.Image:
			n.Destination = point(n.Destination)
		}
		return ast.WalkContinue, nil
	})
	return mistakes
}

// resolve gives what a link from a page becomes.
func (s *site) resolve(from *page, link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("the link %q: %w", link, err)
	}
	if u.IsAbs() {
		return link, nil
	}
	target := from.path
	if u.Path != "" {
		target = path.Join(path.Dir(from.path), u.Path)
	}
	if !fs.ValidPath(target) {
		return "", fmt.Errorf("the link %q leads out of the repository", link)
	}
	info, err := fs.Stat(s.files, target)
	if err != nil {
		return "", fmt.Errorf("the link %q leads to %s, which is not there", link, target)
	}
	if info.IsDir() {
		if s.pages[target+"/README.md"] == nil {
			return s.folder(from, target)
		}
		target += "/README.md"
	}
	if to := s.pages[target]; to != nil {
		if u.Fragment != "" && !to.anchors[u.Fragment] {
			return "", fmt.Errorf("the link %q: %s has no heading %q", link, target, u.Fragment)
		}
		target = address(target)
	} else if slices.Contains([]string{".svg", ".png", ".env", ".yaml", ".service", ".json"}, path.Ext(target)) || target == "LICENSE" {
		s.assets[target] = true
	} else {
		return source + target, nil
	}
	relative := strings.Repeat("../", strings.Count(from.path, "/")) + target
	if u.Fragment != "" {
		relative += "#" + u.Fragment
	}
	return relative, nil
}

// folder leads to the first page of a folder, or to the folder in the source.
func (s *site) folder(from *page, target string) (string, error) {
	var inside []string
	for p := range s.pages {
		if path.Dir(p) == target {
			inside = append(inside, p)
		}
	}
	if len(inside) == 0 {
		return source + target, nil
	}
	return strings.Repeat("../", strings.Count(from.path, "/")) + address(slices.Min(inside)), nil
}

// address is where a page is found within a version.
func address(file string) string {
	if file == "README.md" {
		return "index.html"
	}
	if dir, ok := strings.CutSuffix(file, "/README.md"); ok {
		return dir + "/index.html"
	}
	return strings.TrimSuffix(file, ".md") + ".html"
}
