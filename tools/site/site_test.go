package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDocumentation makes the site of this repository, which fails on any link
// that leads nowhere, and looks whether its pages lead to each other.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if err := run("../..", out, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	pages := 0
	err := filepath.WalkDir(filepath.Join(out, "1.2.3"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".html" {
			return err
		}
		pages++
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, part := range strings.Split(string(body), `href="`)[1:] {
			link, _, _ := strings.Cut(part, `"`)
			link, _, _ = strings.Cut(link, "#")
			if link == "" || strings.Contains(link, ":") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(link))); err != nil {
				t.Errorf("%s leads to %s, which is not there", name, link)
			}
		}
		return nil
	})
	if err != nil || pages < 40 {
		t.Errorf("%d pages, %v", pages, err)
	}
}

// tree is a small repository.
func tree(readme string) fstest.MapFS {
	return fstest.MapFS{
		"README.md": {Data: []byte(readme)}, "CHANGELOG.md": {Data: []byte("# Changelog\n")}, "CONTRIBUTING.md": {Data: []byte("# Contributing\n")},
		"docs/stages.md":            {Data: []byte("# Stages\n\n## Ways out\n\n[back](../README.md) [here](#ways-out)\n")},
		"docs/connectors/README.md": {Data: []byte("# Connectors\n")},
		"docs/way.svg":              {Data: []byte("<svg/>")}, "Makefile": {Data: []byte("all:\n")},
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ link, want, mistake string }{
		{"docs/stages.md", "docs/stages.html", ""},
		{"docs/stages.md#ways-out", "docs/stages.html#ways-out", ""},
		{"docs/connectors", "docs/connectors/index.html", ""},
		{"docs", "docs/stages.html", ""},
		{"docs/way.svg", "docs/way.svg", ""},
		{"Makefile", source + "Makefile", ""},
		{"https://example.com/x", "https://example.com/x", ""},
		{"docs/stages.md#ways-in", "", `has no heading "ways-in"`},
		{"docs/gone.md", "", "docs/gone.md, which is not there"},
		{"../outside.md", "", "leads out of the repository"},
		{"#nowhere", "", `has no heading "nowhere"`},
	} {
		s, err := load(tree("# Bridge\n\n[a link](" + tt.link + ")\n"))
		if tt.mistake != "" {
			if err == nil || !strings.Contains(err.Error(), tt.mistake) {
				t.Errorf("%s: %v, want %q", tt.link, err, tt.mistake)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.link, err)
			continue
		}
		var b strings.Builder
		p := s.pages["README.md"]
		if err := s.markdown.Renderer().Render(&b, p.body, p.tree); err != nil || !strings.Contains(b.String(), `href="`+tt.want+`"`) {
			t.Errorf("%s became %s (%v), want %s", tt.link, b.String(), err, tt.want)
		}
	}
}

// TestVersions keeps what was made before, and lists the newest first.
func TestVersions(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	for _, version := range []string{"0.9.0", "0.10.0", "next"} {
		s, err := load(tree("# Bridge\n\n![way](docs/way.svg) <b>raw</b>\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.write(out, version); err != nil {
			t.Fatal(err)
		}
	}
	index, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	for _, version := range []string{"0.10.0", "0.9.0", "next"} {
		places = append(places, strings.Index(string(index), `href="`+version+`/index.html"`))
	}
	if !slices.IsSorted(places) || places[0] < 0 {
		t.Errorf("the versions are at %v of\n%s", places, index)
	}
	page, err := os.ReadFile(filepath.Join(out, "0.9.0", "index.html"))
	if err != nil || strings.Contains(string(page), "<b>raw") || !strings.Contains(string(page), "<title>Bridge · Stagebridge 0.9.0") {
		t.Errorf("%v\n%s", err, page)
	}
	if _, err := os.Stat(filepath.Join(out, "0.9.0", "docs", "way.svg")); err != nil {
		t.Error(err)
	}
	if err := (&site{}).write(out, "../x"); err == nil {
		t.Error("a version that leads out of the folder is taken")
	}
}
