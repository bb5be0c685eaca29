package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is one that a binary was linked from.
type module struct {
	path, version, sum string
	// licence is its SPDX expression.
	licence string
	// texts are its licence and notice files.
	texts []string
}

// modulesOf reads out of a binary which modules it was linked from, the standard
// library first, and their licences.
func modulesOf(ctx context.Context, root, binary string) ([]module, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	all := []module{{path: "std", version: strings.TrimPrefix(info.GoVersion, "go")}}
	for _, d := range info.Deps {
		if d.Replace != nil {
			return nil, fmt.Errorf("%s is replaced", d.Path)
		}
		all = append(all, module{path: d.Path, version: d.Version, sum: d.Sum})
	}
	return all, readLicences(ctx, root, all)
}

// readLicences fills in the licences of modules, out of the module cache; the
// first module is the standard library. One without a licence that is known here
// is an error: somebody has to look at it.
func readLicences(ctx context.Context, root string, all []module) error {
	goroot, err := output(ctx, root, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	dirs := []string{goroot}
	if len(all) > 1 {
		args := []string{"list", "-m", "-f", "{{.Dir}}"}
		for _, m := range all[1:] {
			args = append(args, m.path)
		}
		listed, err := output(ctx, root, "go", args...)
		if err != nil {
			return err
		}
		dirs = append(dirs, strings.Split(listed, "\n")...)
	}
	var mistakes []error
	for i, dir := range dirs {
		mistakes = append(mistakes, all[i].readLicence(dir))
	}
	return errors.Join(mistakes...)
}

// licenceFile matches the names that licences and notices go by.
var licenceFile = regexp.MustCompile(`(?i)^(un)?licen[cs]e|^copying|^notice|^patents`)

// readLicence fills licence and texts from a module's folder.
func (m *module) readLicence(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", m.path, err)
	}
	var ids []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !licenceFile.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		m.texts = append(m.texts, strings.ReplaceAll(string(body), "\r\n", "\n"))
		for _, id := range licencesIn(string(body)) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return fmt.Errorf("%s: no file with a licence that is known", m.path)
	}
	slices.Sort(ids)
	m.licence = strings.Join(ids, " AND ")
	return nil
}

// licencesIn tells by their words which licences a text holds, as SPDX ids. All
// of those known may be linked into an Apache-2.0 program.
func licencesIn(text string) []string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	var ids []string
	for _, l := range []struct{ id, has string }{
		{"Apache-2.0", "apache license version 2.0, january 2004"},
		{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
		{"MPL-2.0", "mozilla public license version 2.0 ===="},
		{"MPL-2.0", "mozilla public license, version 2.0"},
		{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
		{"ISC", "permission to use, copy, modify, and distribute this software for any purpose"},
		{"CC0-1.0", "cc0 1.0 universal"},
		{"Unlicense", "this is free and unencumbered software released into the public domain"},
		{"BSD-3-Clause", "redistributions in binary form must reproduce"},
	} {
		if !strings.Contains(text, l.has) || slices.Contains(ids, l.id) {
			continue
		}
		if l.id == "BSD-3-Clause" && !strings.Contains(text, "to endorse or promote products") {
			l.id = "BSD-2-Clause"
		}
		ids = append(ids, l.id)
	}
	return ids
}

// licenceTexts is one file with the licences of everything that was linked.
func licenceTexts(modules []module) []byte {
	var b bytes.Buffer
	b.WriteString("Stagebridge itself is under the licence in the file LICENSE. It is linked from\nthese modules, each under its own:\n\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "  %s %s: %s\n", m.path, m.version, m.licence)
	}
	for _, m := range modules {
		fmt.Fprintf(&b, "\n%s\n%s %s\n\n", strings.Repeat("=", 80), m.path, m.version)
		for _, text := range m.texts {
			b.WriteString(strings.TrimRight(text, "\n") + "\n")
		}
	}
	return b.Bytes()
}
