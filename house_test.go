package stagebridge_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Lines of a Go file beyond which it wants to be two subjects. Tests may be
// longer, since their tables are.
const (
	maxLines     = 400
	maxTestLines = 600
)

// longFiles are the files that may be longer, each with its reason.
func longFiles() map[string]string {
	return map[string]string{}
}

// TestFileLength keeps files to one subject.
func TestFileLength(t *testing.T) {
	t.Parallel()
	allowed := longFiles()
	for _, f := range texts(t, ".") {
		if !strings.HasSuffix(f.path, ".go") || strings.HasPrefix(filepath.Base(f.path), "zz_") {
			continue
		}
		limit := maxLines
		if strings.HasSuffix(f.path, "_test.go") {
			limit = maxTestLines
		}
		lines := bytes.Count(f.body, []byte("\n"))
		_, excused := allowed[f.path]
		switch {
		case lines > limit && !excused:
			t.Errorf("%s has %d lines, at most %d; split it or give a reason in longFiles", f.path, lines, limit)
		case lines <= limit && excused:
			t.Errorf("%s has %d lines and needs no exception any more", f.path, lines)
		}
	}
}

// TestDocComments asks for a comment on every package and every exported name,
// which starts with that name.
func TestDocComments(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		for _, f := range parsed(t, p) {
			for _, missing := range undocumented(f.file) {
				t.Errorf("%s: %s", f.path, missing)
			}
		}
	}
}

// TestNoInit keeps wiring visible: nothing happens by importing a package.
func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, f := range parsed(t, p) {
			for _, d := range f.file.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has an init function", f.path)
				}
			}
		}
	}
}

// TestLifecycleHasNoClock keeps the domain a function of its arguments: the
// time is one of them.
func TestLifecycleHasNoClock(t *testing.T) {
	t.Parallel()
	clocks := []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"}
	for _, p := range packages(t) {
		if !matches("lifecycle/...", strings.TrimPrefix(p.ImportPath, module+"/")) {
			continue
		}
		for _, f := range parsed(t, p) {
			ast.Inspect(f.file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, sel.Sel.Name) {
					t.Errorf("%s reads the clock with time.%s", f.path, sel.Sel.Name)
				}
				return true
			})
		}
	}
}

// TestForbiddenWords keeps the text about the product, and free of the paths
// of one machine.
func TestForbiddenWords(t *testing.T) {
	t.Parallel()
	words := []struct {
		pattern *regexp.Regexp
		except  []string
	}{
		{pattern: regexp.MustCompile(`(?i)\b(cl[a]ude|anthr[o]pic|chatg[p]t|cop[i]lot)\b`)},
		{pattern: regexp.MustCompile(`/(hom[e]|Us[e]rs|wor[k])/[a-z]`)},
		{pattern: regexp.MustCompile(`/roo[t]/`)},
		{pattern: regexp.MustCompile(`\.\./share[d]`), except: []string{".ci/run"}},
		{pattern: regexp.MustCompile(`(?i)\bfact shee[t]`)},
		{pattern: regexp.MustCompile(`\b(TOD[O]|FIXM[E]|XX[X])\b`)},
	}
	for _, f := range texts(t, ".") {
		for n, line := range strings.Split(string(f.body), "\n") {
			for _, w := range words {
				if found := w.pattern.FindString(line); found != "" && !slices.Contains(w.except, f.path) {
					t.Errorf("%s:%d: %q does not belong here", f.path, n+1, found)
				}
			}
		}
	}
}

// text is one file of the repository, its path with slashes from the root.
type text struct {
	path string
	body []byte
}

// texts reads every text file below root that is part of the repository.
func texts(t *testing.T, root string) []text {
	t.Helper()
	var all []text
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if d.IsDir() {
			if slices.Contains([]string{".git", "bin", "data"}, path) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || path == "go.sum" || strings.Contains(path, "/testdata/fuzz/") {
			return nil
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.Contains(body, []byte{0}) {
			all = append(all, text{path, body})
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the repository: %v", err)
	}
	return all
}

// source is one parsed production file.
type source struct {
	path string
	file *ast.File
}

func parsed(t *testing.T, p goPackage) []source {
	t.Helper()
	var all []source
	for _, name := range p.GoFiles {
		if strings.HasPrefix(name, "zz_") {
			continue
		}
		path := filepath.Join(p.Dir, name)
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		all = append(all, source{strings.TrimPrefix(p.ImportPath, module+"/") + "/" + name, file})
	}
	return all
}

// undocumented lists the exported names of a file that lack a comment, or whose
// comment does not start with the name. In a group of constants or variables
// the comment of the group is enough.
func undocumented(f *ast.File) []string {
	var wrong []string
	check := func(name string, doc *ast.CommentGroup) {
		words := strings.Fields(doc.Text())
		switch {
		case !ast.IsExported(name):
		case len(words) == 0:
			wrong = append(wrong, name+" has no comment")
		case words[0] != name && !slices.Contains([]string{"A", "An", "The"}, words[0]):
			wrong = append(wrong, fmt.Sprintf("the comment of %s starts with %q", name, words[0]))
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d)) {
				check(d.Name.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					doc := s.Doc
					if doc == nil {
						doc = d.Doc
					}
					check(s.Name.Name, doc)
				case *ast.ValueSpec:
					if d.Doc == nil && s.Doc == nil && s.Comment == nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
						wrong = append(wrong, s.Names[0].Name+" has no comment")
					}
				}
			}
		}
	}
	return wrong
}

// receiver names the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}
