package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// importLab is an installation with a connection, and files to be read into it.
type importLab struct {
	*cli
	dir string
}

func newImportLab(t *testing.T) *importLab {
	t.Helper()
	c := newCLI(t, settings(t, nil))
	c.run(exitOK, "apply", c.folder)
	return &importLab{c, t.TempDir()}
}

func (l *importLab) write(name, text string) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return path
}

func (l *importLab) read(name string) string {
	l.t.Helper()
	text, err := os.ReadFile(filepath.Join(l.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// imports reads a file and wants the beginning of what is said.
func (l *importLab) imports(code int, path, want string, flags ...string) {
	l.t.Helper()
	got := stagebridge(l.t, l.env, append(append([]string{"import"}, flags...), "shop", path)...)
	if got.code != code || !strings.HasPrefix(got.stdout, want) {
		l.t.Errorf("exit code %d, %s%s; want %d, %s", got.code, got.stdout, got.stderr, code, want)
	}
}

// TestMendedRows mends the refused rows of a file, in the file beside it and in
// the file itself; either brings those rows alone.
func TestMendedRows(t *testing.T) {
	t.Parallel()
	l := newImportLab(t)
	const bad = "day,id,total\n2026-01-10,o-1,49.00\nyesterday,o-2,5.00\n2026-01-10,o-1,49.00\n2026-01-12,\"o-3,7.00\n2026-01-13,o-4,1.00\n"
	path := l.write("orders.csv", bad)
	l.imports(exitError, path, "3 rows kept, 0 were there already, 2 refused", "-time-column", "day")
	if got := l.read("orders.refused.csv"); got != "day,id,total\nyesterday,o-2,5.00\n2026-01-12,\"o-3,7.00\n" {
		t.Errorf("refused rows:\n%s", got)
	}
	if got := l.read("orders.csv.errors"); !strings.Contains(got, `line 3: day is "yesterday"`) || !strings.Contains(got, "line 5: a quote is opened here that nothing closes: 2026-01-12,\"o-3,7.00\n") {
		t.Errorf("reasons:\n%s", got)
	}
	mended := l.write("orders.refused.csv", "day,id,total\n2026-01-11,o-2,5.00\n2026-01-12,o-3,7.00\n")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(mended, later, later); err != nil {
		t.Fatal(err)
	}
	if got := l.run(exitError, "import", "-time-column", "day", "shop", path); !strings.Contains(got, "orders.refused.csv was changed") {
		t.Errorf("what somebody mends is written over: %s", got)
	}
	l.imports(exitOK, mended, "2 rows kept, 0 were there already\n", "-time-column", "day")
	if err := os.Remove(mended); err != nil {
		t.Fatal(err)
	}
	path = l.write("orders.csv", strings.NewReplacer("yesterday", "2026-01-11", "\"o-3", "o-3").Replace(bad)+"2026-01-14,o-5,2.00\n")
	l.imports(exitOK, path, "1 rows kept, 5 were there already\n", "-time-column", "day")
	if _, err := os.Stat(path + ".errors"); !os.IsNotExist(err) {
		t.Errorf("the reasons of an earlier run stay: %v", err)
	}
}

// TestImportLines reads JSON Lines, among them some that are none.
func TestImportLines(t *testing.T) {
	t.Parallel()
	l := newImportLab(t)
	path := l.write("people.jsonl", "{\"id\":1}\n[2]\n{\"id\":3,\"tags\":[\"a\"]}\n\n{\"id\":\n")
	l.imports(exitError, path, "2 rows kept, 0 were there already, 2 refused")
	if got := l.read("people.refused.jsonl"); got != "[2]\n{\"id\":\n" {
		t.Errorf("refused: %q", got)
	}
	l.imports(exitOK, l.write("other.jsonl", "{ \"tags\": [\"a\"], \"id\": 3 }\n{\"id\":4}\n"), "1 rows kept, 1 were there already\n")
}

// stopAt ends something when a text is written to it.
type stopAt struct {
	bytes.Buffer
	text string
	end  context.CancelFunc
}

func (s *stopAt) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(s.text)) {
		s.end()
	}
	return s.Buffer.Write(b)
}

// TestAnInterruptedImportGoesOn ends an import behind its first rows and runs it
// again: each row is there once, those that stand twice in the file twice.
func TestAnInterruptedImportGoesOn(t *testing.T) {
	t.Parallel()
	l := newImportLab(t)
	const rows = 5000
	var text strings.Builder
	text.WriteString("id\n")
	for n := range rows {
		fmt.Fprintf(&text, "%d\n", n%(rows-500))
	}
	path := l.write("ids.csv", text.String())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := &stopAt{text: "rows kept", end: cancel}
	if code := run(ctx, []string{"import", "shop", path}, l.env, strings.NewReader(""), said, said); code == exitOK || !strings.Contains(said.String(), "run it again to go on") {
		t.Fatalf("exit code %d: %s", code, said)
	}
	var kept int
	if _, err := fmt.Sscanf(said.String()[strings.LastIndex(said.String(), "\n"+fmt.Sprint(importBatch))+1:], "%d rows kept", &kept); err != nil || kept != importBatch {
		t.Fatalf("%d rows were kept: %v\n%s", kept, err, said)
	}
	l.imports(exitOK, path, fmt.Sprintf("%d rows kept, %d were there already\n", rows-kept, kept))
	l.imports(exitOK, path, fmt.Sprintf("0 rows kept, %d were there already\n", rows))
}

func TestBarLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		read, size, rows int64
		took             time.Duration
		want             string
	}{
		{0, 100, 0, 0, "[                        ]   0 %  0 rows kept"},
		{50, 100, 3000, 2 * time.Second, "[============            ]  50 %  3000 rows kept, 1500/s, 2s left"},
		{100, 100, 6000, 4 * time.Second, "[========================] 100 %  6000 rows kept, 1500/s, 0s left"},
		{0, 0, 0, time.Second, "[========================] 100 %  0 rows kept, 0/s, 0s left"},
	} {
		if got := barLine(tt.read, tt.size, tt.rows, tt.took, "kept"); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
