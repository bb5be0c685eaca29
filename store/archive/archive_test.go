package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/storetest"
)

func FuzzRow(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte{null, integer, 2, text, 1, 'x', blob, 0, float, 0, 0, 0, 0, 0, 0, 0, 0}, 5)
	f.Add([]byte{text, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 1)
	f.Fuzz(func(t *testing.T, b []byte, columns int) {
		if columns < 0 || columns > 100 {
			return
		}
		row := make([]any, columns)
		if readRow(b, row) != nil {
			return
		}
		again, err := appendRow(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		second := make([]any, columns)
		if err := readRow(again, second); err != nil {
			t.Fatal(err)
		}
		third, err := appendRow(nil, second)
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("%x, then %x, %v", again, third, err)
		}
	})
}

// FuzzRestore gives the reader what is inside a file; whatever it is, it ends in
// an error and an empty database, or in a whole one.
func FuzzRestore(f *testing.F) {
	head := `{"form":1,"schema":1,"version":"x","database":"sqlite"}` + "\n"
	f.Add([]byte(head))
	f.Add([]byte(head + "Z\x010"))
	f.Add([]byte(head + "T\x2f" + `{"name":"state","columns":["name","value"]}    ` + "R\x06\x03\x01a\x03\x01b" + "Z\x011"))
	f.Add([]byte(head + "R\xff\xff\xff\xff\x03"))
	f.Add([]byte(`{"form":2}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := open(bytes.NewReader(b))
		if err != nil {
			return
		}
		for {
			kind, body, err := file.record()
			if err != nil {
				if !errors.Is(err, ErrFile) {
					t.Fatalf("error %v is not ErrFile", err)
				}
				return
			}
			if len(body) > len(b) {
				t.Fatalf("record %q has %d bytes, the file %d", kind, len(body), len(b))
			}
		}
	})
}

// TestEverythingComesBack writes values at the edge of what columns hold.
func TestEverythingComesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		long := strings.Repeat("ü", 100_000)
		for i, body := range [][]byte{nil, {}, {0}, []byte(long), {0xff, 0xfe}} {
			e := store.NewEvent{Dedupe: sha256.Sum256([]byte{byte(i)}), Type: "a\"b", Flag: int64(i % 3), Meta: strings.Repeat("m", i), Body: body}
			if _, err := s.Append("hook", -1<<62, []store.NewEvent{e}); err != nil {
				t.Fatal(err)
			}
		}
		key := secret.New("a key for the backups of tests")
		var file bytes.Buffer
		m, wrote, err := Write(t.Context(), s, Manifest{Version: "test"}, key, &file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if wrote["inbox"].Rows != 5 || wrote["pending"].Rows != 5 {
			t.Errorf("wrote %d rows of the inbox and %d pending, want 5 of each", wrote["inbox"].Rows, wrote["pending"].Rows)
		}
		to := store.Options{Dir: t.TempDir()}
		opened, err := Open(bytes.NewReader(file.Bytes()), key)
		if err != nil {
			t.Fatal(err)
		}
		if opened.Manifest != m {
			t.Errorf("manifest %+v, want %+v", opened.Manifest, m)
		}
		read, err := opened.Restore(t.Context(), to, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wrote, read); diff != "" {
			t.Errorf("rows (-wrote +read):\n%s", diff)
		}
		back, err := store.Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		_, third, err := write(t.Context(), back, Manifest{}, io.Discard, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wrote, third); diff != "" {
			t.Errorf("rows of the restored database (-wrote +written again):\n%s", diff)
		}
	})
}

// TestChangedFilesAreRefused cuts a file at several places and changes others.
func TestChangedFilesAreRefused(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	if _, err := s.Append("hook", 1, []store.NewEvent{{Dedupe: sha256.Sum256([]byte("x")), Type: "t", Body: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, _, err := write(t.Context(), s, Manifest{}, &plain, nil); err != nil {
		t.Fatal(err)
	}
	whole := plain.Bytes()
	lines := bytes.IndexByte(whole, '\n') + 1
	if err := restoreFrom(t, whole); err != nil {
		t.Fatalf("the file as it is: %v", err)
	}
	for n := lines; n < len(whole); n += len(whole) / 8 {
		if err := restoreFrom(t, whole[:n]); !errors.Is(err, ErrFile) {
			t.Fatalf("cut at %d of %d: %v, want ErrFile", n, len(whole), err)
		}
	}
	if err := restoreFrom(t, append(bytes.Clone(whole), 'x')); !errors.Is(err, ErrFile) {
		t.Errorf("a byte behind the end: %v", err)
	}
	changed := bytes.Replace(whole, []byte{blob, 1, 'x'}, []byte{blob, 1, 'y'}, 1)
	if err := restoreFrom(t, changed); !errors.Is(err, ErrFile) {
		t.Errorf("a changed value: %v", err)
	}
	var m Manifest
	if err := json.Unmarshal(whole[:lines], &m); err != nil {
		t.Fatal(err)
	}
	m.Schema = 9999
	head, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := restoreFrom(t, append(append(head, '\n'), whole[lines:]...)); !errors.Is(err, store.ErrNewer) {
		t.Errorf("a file of a newer version: %v, want ErrNewer", err)
	}
}

// restoreFrom restores into a folder of its own, which must stay empty when
// that fails.
func restoreFrom(t *testing.T, plain []byte) error {
	t.Helper()
	f, err := open(bufio.NewReader(bytes.NewReader(plain)))
	if err != nil {
		return err
	}
	to := store.Options{Dir: t.TempDir()}
	_, err = f.Restore(t.Context(), to, nil)
	if err == nil || errors.Is(err, store.ErrNewer) {
		return err
	}
	s, openErr := store.Open(t.Context(), to)
	if openErr != nil {
		t.Fatal(openErr)
	}
	defer s.Close()
	_, counts, writeErr := write(t.Context(), s, Manifest{}, io.Discard, nil)
	if writeErr != nil {
		t.Fatal(writeErr)
	}
	if counts["inbox"].Rows != 0 {
		t.Errorf("a file that was refused left %d rows", counts["inbox"].Rows)
	}
	return err
}
