package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// day is the time of the tests' releases.
var day = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// TestArchives have the same bytes each time, and hold each file with its rights.
func TestArchives(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{"stagebridge": []byte("binary"), "LICENSE": []byte("text"), "completion/bash": []byte("script")}
	want := map[string]string{"x/stagebridge": "-rwxr-xr-x binary", "x/LICENSE": "-rw-r--r-- text", "x/completion/bash": "-rw-r--r-- script"}
	for name, pack := range map[string]func(string, map[string][]byte, time.Time) ([]byte, error){"tar": tarred, "zip": zipped} {
		first, err := pack("x", files, day)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // a map comes in another order each time
			again, err := pack("x", files, day.In(time.FixedZone("elsewhere", 3600)))
			if err != nil || !bytes.Equal(first, again) {
				t.Fatalf("%s differs from one time to the next (%v)", name, err)
			}
		}
		got := map[string]string{}
		if name == "tar" {
			untar(t, first, got)
		} else {
			unzip(t, first, got)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func untar(t *testing.T, packed []byte, got map[string]string) {
	t.Helper()
	g, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(g); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = h.FileInfo().Mode().String() + " " + string(body)
		if !h.ModTime.Equal(day) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s: time %s, user %d %q", h.Name, h.ModTime, h.Uid, h.Uname)
		}
	}
}

func unzip(t *testing.T, packed []byte, got map[string]string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = f.Mode().String() + " " + string(body)
		if !f.Modified.Equal(day) {
			t.Errorf("%s: time %s", f.Name, f.Modified)
		}
	}
}

// TestLicences finds one for every module that the program is linked from on
// any of the systems.
func TestLicences(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	listed, err := output(t.Context(), root, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/stagebridge")
	if err != nil {
		t.Fatal(err)
	}
	modules := []module{{path: "std", version: "1.26"}}
	for line := range strings.Lines(listed) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.ContainsFunc(modules, func(m module) bool { return m.path == path }) {
			modules = append(modules, module{path: path, version: version, sum: "h1:sum"})
		}
	}
	if err := readLicences(t.Context(), root, modules); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, m := range modules {
		found[m.path] = m.licence
	}
	for path, want := range map[string]string{
		"std": "BSD-3-Clause", "github.com/labstack/echo/v4": "MIT", "github.com/prometheus/client_golang": "Apache-2.0", "github.com/redis/go-redis/v9": "BSD-2-Clause",
	} {
		if found[path] != want {
			t.Errorf("%s: %q, want %s", path, found[path], want)
		}
	}
	text := string(licenceTexts(modules))
	for _, want := range []string{"  github.com/labstack/echo/v4 v", "Copyright 2009 The Go Authors"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not told", want)
		}
	}

	r := release{version: "1.2.3", revision: "abc", time: day}
	first, err := r.billOfMaterials("linux/amd64", []byte("binary"), modules)
	if err != nil {
		t.Fatal(err)
	}
	var b bill
	if err := json.Unmarshal(first, &b); err != nil {
		t.Fatal(err)
	}
	if len(b.Components) != len(modules) || len(b.Dependencies[0].DependsOn) != len(modules) || b.Metadata.Timestamp != "2026-11-30T12:00:00Z" {
		t.Errorf("%s", first)
	}
	again, err := r.billOfMaterials("linux/amd64", []byte("binary"), modules)
	other, otherErr := r.billOfMaterials("linux/amd64", []byte("another"), modules)
	if err != nil || otherErr != nil || !bytes.Equal(first, again) || bytes.Contains(other, []byte(b.Serial)) {
		t.Error("the serial number does not follow from the binary")
	}
}

func TestLicencesIn(t *testing.T) {
	t.Parallel()
	const bsd = "Redistributions in binary form must\n  reproduce the above copyright notice"
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"Apache License\n      Version 2.0, January 2004", []string{"Apache-2.0"}},
		{bsd, []string{"BSD-2-Clause"}},
		{bsd + " ... to endorse or promote products derived from", []string{"BSD-3-Clause"}},
		{"Permission is hereby granted, free of charge, to any person obtaining a copy. Apache License Version 2.0, January 2004", []string{"Apache-2.0", "MIT"}},
		{"All rights reserved.", nil},
		{"GNU GENERAL PUBLIC LICENSE Version 3", nil},
	} {
		if got := licencesIn(tt.text); !cmp.Equal(got, tt.want) {
			t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
		}
	}
	if err := (&module{path: "example.com/x"}).readLicence(t.TempDir()); err == nil {
		t.Error("a module without a licence is taken")
	}
}

func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	const changelog = "# Changelog\n\n## [Unreleased]\n\n- soon\n\n## [1.2.0] - 2026-11-30\n\n### Added\n\n- this\n\n## [1.1.0]\n\n- that\n\n## [1.0.0] - 2026-01-01\n"
	for _, tt := range []struct{ section, want, mistake string }{
		{"Unreleased", "- soon\n", ""},
		{"1.2.0", "### Added\n\n- this\n", ""},
		{"1.1.0", "", "has no day"},
		{"1.0.0", "", "nothing stands under [1.0.0]"},
		{"1.2", "", "nothing stands under [1.2]"},
	} {
		got, err := releaseNotes(changelog, tt.section)
		if got != tt.want || (err == nil) != (tt.mistake == "") || err != nil && !strings.Contains(err.Error(), tt.mistake) {
			t.Errorf("%s: %q, %v, want %q, %q", tt.section, got, err, tt.want, tt.mistake)
		}
	}
}

func TestPackageURL(t *testing.T) {
	t.Parallel()
	if got, want := packageURL("github.com/a/b/v2", "v2.0.0+incompatible"), "pkg:golang/github.com/a/b/v2@v2.0.0%2Bincompatible"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
