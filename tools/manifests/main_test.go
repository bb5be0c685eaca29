package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManifests reads those of this repository.
func TestManifests(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../deploy/kubernetes/*.yaml")
	if err != nil || len(paths) < 2 {
		t.Fatalf("found %v, %v", paths, err)
	}
	var out strings.Builder
	if err := run(paths, &out); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"apps/v1 Deployment stagebridge-web", "apps/v1 Deployment stagebridge-worker", "v1 Secret stagebridge"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s was not read", want)
		}
	}
}

func TestManifestsRefuse(t *testing.T) {
	t.Parallel()
	const good = "apiVersion: v1\nkind: Service\nmetadata: { name: x }\n"
	for _, tt := range []struct{ document, mistake string }{
		{good, ""},
		{good + "spec: { selektor: { a: b } }\n", `unknown field "selektor"`},
		{good + "spec: { ports: many }\n", "cannot unmarshal string"},
		{"apiVersion: v1\nkind: Service\n", "has no name"},
		{"apiVersion: v2\nkind: Service\nmetadata: { name: x }\n", "not one of ours"},
		{good + "kind: Service\n", "already set in map"},
	} {
		file := filepath.Join(t.TempDir(), "x.yaml")
		if err := os.WriteFile(file, []byte(tt.document), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run([]string{file}, io.Discard)
		if (err == nil) != (tt.mistake == "") || err != nil && !strings.Contains(err.Error(), tt.mistake) {
			t.Errorf("%q: %v, want %q", tt.document, err, tt.mistake)
		}
	}
}
