package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// build gives the archive of one target and the bill of materials of its binary.
// All files of the archive are in one folder of that name.
func (r *release) build(ctx context.Context, target, name string, shared map[string][]byte) (archive, bill []byte, err error) {
	dir, err := os.MkdirTemp("", "release-*")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "stagebridge")
	if err := r.compile(ctx, target, path); err != nil {
		return nil, nil, err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	modules, err := modulesOf(ctx, r.root, path)
	if err != nil {
		return nil, nil, err
	}
	if bill, err = r.billOfMaterials(target, binary, modules); err != nil {
		return nil, nil, err
	}
	files := maps.Clone(shared)
	files["THIRD_PARTY_LICENSES.txt"] = licenceTexts(modules)
	if strings.HasPrefix(target, "windows/") {
		delete(files, "stagebridge.service")
		files["stagebridge.exe"] = binary
		archive, err = zipped(name, files, r.time)
	} else {
		files["stagebridge"] = binary
		archive, err = tarred(name, files, r.time)
	}
	return archive, bill, err
}

// compile builds the static binary of a target.
func (r *release) compile(ctx context.Context, target, path string) error {
	system, machine, _ := strings.Cut(target, "/")
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", fmt.Sprintf("-s -w -buildid= -X main.release=%s -X main.revision=%s", r.version, r.revision),
		"-o", path, "./cmd/stagebridge")
	c.Dir = r.root
	// GOFLAGS and the level of the instruction set of whoever builds must not
	// change what comes out.
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+machine, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// modeOf gives a file's rights within an archive.
func modeOf(name string) os.FileMode {
	if name == "stagebridge" || name == "stagebridge.exe" {
		return 0o755
	}
	return 0o644
}

// tarred packs files, sorted by name, without a trace of who did it and when.
func tarred(folder string, files map[string][]byte, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	// A gzip header without time and name is what NewWriter writes.
	g, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(g)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: folder + "/" + name, Size: int64(len(files[name])), Mode: int64(modeOf(name)), ModTime: at, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := g.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// zipped does the same as tarred for those who have no tar.
func zipped(folder string, files map[string][]byte, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: folder + "/" + name, Method: zip.Deflate, Modified: at.UTC()}
		header.SetMode(modeOf(name))
		to, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(to, bytes.NewReader(files[name])); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
