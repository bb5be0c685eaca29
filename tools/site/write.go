package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// templates are the page, the list of versions and the style.
//
//go:embed templates
var templates embed.FS

// view is what a page is rendered from.
type view struct {
	Title, Version string
	// Top leads to the root of the version, from the page.
	Top  string
	Body template.HTML
	Menu []section
}

// section is one group of the menu.
type section struct {
	Title string
	// Open while the page is in it.
	Open    bool
	Entries []entry
}

// entry is one line of the menu.
type entry struct {
	Title, Link string
	Here        bool
}

// versionName keeps a version one plain folder.
var versionName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`)

// write renders every page into out/version, and the list of versions.
func (s *site) write(out, version string) error {
	if !versionName.MatchString(version) {
		return fmt.Errorf("%q is no version", version)
	}
	t, err := template.ParseFS(templates, "templates/*.html")
	if err != nil {
		return err
	}
	root := filepath.Join(out, version)
	if err := os.RemoveAll(root); err != nil {
		return err
	}
	for _, p := range s.pages {
		var body, whole bytes.Buffer
		if err := s.markdown.Renderer().Render(&body, p.body, p.tree); err != nil {
			return fmt.Errorf("%s: %w", p.path, err)
		}
		v := view{Title: p.title, Version: version, Top: strings.Repeat("../", strings.Count(p.path, "/")), Menu: s.menu(p)}
		v.Body = template.HTML(body.String()) // goldmark escapes; raw markup in the text is left out
		if err := t.ExecuteTemplate(&whole, "page.html", v); err != nil {
			return err
		}
		if err := put(root, address(p.path), whole.Bytes()); err != nil {
			return err
		}
	}
	for name := range s.assets {
		body, err := fs.ReadFile(s.files, name)
		if err != nil {
			return err
		}
		if err := put(root, name, body); err != nil {
			return err
		}
	}
	style, err := templates.ReadFile("templates/style.css")
	if err != nil {
		return err
	}
	return errors.Join(put(root, "style.css", style), listVersions(t, out))
}

// menu lists all pages, as seen from one of them.
func (s *site) menu(from *page) []section {
	top := strings.Repeat("../", strings.Count(from.path, "/"))
	groups := []section{{Title: "Stagebridge", Open: true}, {Title: "Guide", Open: true}, {Title: "Connectors"}, {Title: "Decisions"}}
	add := func(i int, p *page) {
		here := p == from
		groups[i].Open = groups[i].Open || here
		groups[i].Entries = append(groups[i].Entries, entry{p.title, top + address(p.path), here})
	}
	for _, p := range front {
		add(0, s.pages[p])
	}
	paths := make([]string, 0, len(s.pages))
	for p := range s.pages {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		switch path.Dir(p) {
		case ".":
		case "docs/connectors":
			add(2, s.pages[p])
		case "docs/decisions":
			add(3, s.pages[p])
		default:
			add(1, s.pages[p])
		}
	}
	return groups
}

// listVersions writes the page of all versions that are there, newest first.
func listVersions(t *template.Template, out string) error {
	entries, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	var versions []string
	for _, e := range entries {
		if e.IsDir() {
			versions = append(versions, e.Name())
		}
	}
	slices.SortFunc(versions, newer)
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "versions.html", versions); err != nil {
		return err
	}
	return put(out, "index.html", b.Bytes())
}

// newer orders versions: numbers as numbers, the newest first, and names that
// are no numbers, such as next, behind all that are.
func newer(a, b string) int {
	return -slices.Compare(numbers(a), numbers(b))
}

// numbers are the leading numbers of a version.
func numbers(version string) []int {
	var all []int
	for part := range strings.FieldsFuncSeq(version, func(r rune) bool { return r == '.' || r == '-' || r == '+' }) {
		n := 0
		if _, err := fmt.Sscanf(part, "%d", &n); err != nil {
			break
		}
		all = append(all, n)
	}
	return all
}

func put(root, name string, body []byte) error {
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o644)
}
