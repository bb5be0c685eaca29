package archive

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// Errors of reading a file.
var (
	// ErrKey: the passphrase is not the one that the file was written with.
	ErrKey = errors.New("the backup was encrypted with another key")
	// ErrFile: the file is not a backup, was changed, or is not whole.
	ErrFile = errors.New("the file is not a whole backup")
)

// Limits of what a file may make the reader hold, beyond any of ours.
const (
	maxManifest = 1 << 16
	maxRecord   = 1 << 30
)

// File is an opened backup.
type File struct {
	Manifest Manifest
	from     *bufio.Reader
}

// Open reads the beginning of a file.
func Open(from io.Reader, key secret.Text) (*File, error) {
	identity, err := age.NewScryptIdentity(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	plain, err := age.Decrypt(from, identity)
	if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
		return nil, fmt.Errorf("archive: %w", ErrKey)
	}
	if err != nil {
		return nil, fmt.Errorf("archive: %w: %w", ErrFile, err)
	}
	unpacked, err := gzip.NewReader(plain)
	if err != nil {
		return nil, fmt.Errorf("archive: %w: %w", ErrFile, err)
	}
	return open(unpacked)
}

func open(from io.Reader) (*File, error) {
	f := &File{from: bufio.NewReaderSize(from, maxManifest)}
	line, err := f.from.ReadSlice('\n')
	if err == nil {
		err = json.Unmarshal(line, &f.Manifest)
	}
	if err != nil {
		return nil, fmt.Errorf("archive: %w: its manifest: %w", ErrFile, err)
	}
	if f.Manifest.Form != form {
		return nil, fmt.Errorf("archive: %w: its form is %d, this version reads form %d", store.ErrNewer, f.Manifest.Form, form)
	}
	return f, nil
}

// Restore fills an empty database with the file: all of it, or nothing. What
// the database then holds is read again and compared before it is committed.
func (f *File) Restore(ctx context.Context, o store.Options, progress Progress) (map[string]Counted, error) {
	counts := map[string]Counted{}
	err := store.Load(ctx, o, f.Manifest.Schema, func(l *store.Loader) error {
		for {
			kind, body, err := f.record()
			if err != nil {
				return err
			}
			switch kind {
			case 'T':
				var t store.DumpTable
				if err := json.Unmarshal(body, &t); err != nil {
					return fmt.Errorf("archive: %w: %w", ErrFile, err)
				}
				if _, twice := counts[t.Name]; twice {
					return fmt.Errorf("archive: %w: table %q comes twice", ErrFile, t.Name)
				}
				if counts[t.Name], err = f.table(ctx, l, t, progress); err != nil {
					return err
				}
			case 'Z':
				var tables int
				if err := json.Unmarshal(body, &tables); err != nil || tables != len(counts) {
					return fmt.Errorf("archive: %w: it says that it has %d tables, and has %d", ErrFile, tables, len(counts))
				}
				return f.end()
			default:
				return fmt.Errorf("archive: %w: a record of kind %q", ErrFile, kind)
			}
		}
	})
	return counts, err
}

// end reads on to the end, which is where a file that was changed shows it.
func (f *File) end() error {
	switch _, err := f.from.ReadByte(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("archive: %w: %w", ErrFile, err)
	}
	return fmt.Errorf("archive: %w: it goes on behind its end", ErrFile)
}

// table loads one table and compares it with what the file says of it.
func (f *File) table(ctx context.Context, l *store.Loader, t store.DumpTable, progress Progress) (Counted, error) {
	var read, said, have Counted
	_, err := l.Table(ctx, t, func() ([]any, error) {
		kind, body, err := f.record()
		if err != nil {
			return nil, err
		}
		if kind == 'E' {
			if err := json.Unmarshal(body, &said); err != nil {
				return nil, fmt.Errorf("archive: %w: %w", ErrFile, err)
			}
			return nil, io.EOF
		}
		row := make([]any, len(t.Columns))
		if kind != 'R' || readRow(body, row) != nil {
			return nil, fmt.Errorf("archive: %w: row %d of table %s", ErrFile, read.Rows+1, t.Name)
		}
		read.add(body)
		if progress != nil && read.Rows%progressRows == 0 {
			progress(t.Name, progressRows)
		}
		return row, nil
	})
	if err != nil {
		return read, err
	}
	if read != said {
		return read, fmt.Errorf("archive: %w: table %s has %d rows, and says that it has %d", ErrFile, t.Name, read.Rows, said.Rows)
	}
	var buf []byte
	err = l.Rows(ctx, t, func(row []any) error {
		var err error
		if buf, err = appendRow(buf[:0], row); err == nil {
			have.add(buf)
		}
		return err
	})
	if err != nil {
		return read, err
	}
	if have != said {
		return read, fmt.Errorf("archive: table %s: the database gives back something else than was put in: %d rows of %d", t.Name, have.Rows, said.Rows)
	}
	if progress != nil {
		progress(t.Name, read.Rows%progressRows)
	}
	return read, nil
}

// record reads the next one.
func (f *File) record() (byte, []byte, error) {
	kind, err := f.from.ReadByte()
	var size uint64
	if err == nil {
		size, err = binary.ReadUvarint(f.from)
	}
	if err == nil && size > maxRecord {
		err = fmt.Errorf("a record of %d bytes", size)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("archive: %w: %w", ErrFile, err)
	}
	// Read in steps, so that a length without the bytes makes nothing large.
	var body []byte
	for uint64(len(body)) < size {
		step := min(size-uint64(len(body)), 1<<20)
		from := len(body)
		body = append(body, make([]byte, step)...)
		if _, err := io.ReadFull(f.from, body[from:]); err != nil {
			return 0, nil, fmt.Errorf("archive: %w: %w", ErrFile, err)
		}
	}
	return kind, body, nil
}

// Move copies everything from one store into an empty database and compares
// the two.
func Move(ctx context.Context, s *store.Store, to store.Options, progress Progress) (map[string]Counted, error) {
	r, w := io.Pipe()
	wrote := make(chan error, 1)
	var want map[string]Counted
	go func() {
		var err error
		_, want, err = write(ctx, s, Manifest{}, w, nil)
		w.CloseWithError(err)
		wrote <- err
	}()
	f, err := open(r)
	var have map[string]Counted
	if err == nil {
		have, err = f.Restore(ctx, to, progress)
	}
	r.CloseWithError(errors.Join(err, io.ErrClosedPipe))
	if wrong := <-wrote; wrong != nil && !errors.Is(wrong, io.ErrClosedPipe) {
		return nil, errors.Join(wrong, err)
	}
	if err != nil {
		return nil, err
	}
	for name, c := range want {
		if have[name] != c {
			return nil, fmt.Errorf("archive: table %s differs after the move", name)
		}
	}
	return have, nil
}
