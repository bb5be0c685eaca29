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
	"time"

	"filippo.io/age"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
)

// form is the version of the file's form.
const form = 1

// Manifest says what a file is.
type Manifest struct {
	Form int `json:"form"`
	// Schema is the version of the database's schema.
	Schema int64 `json:"schema"`
	// Version of the program that wrote it, and when.
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	// Database is sqlite or postgresql.
	Database string `json:"database"`
	// Instance is the installation's own id.
	Instance string `json:"instance"`
}

// Progress is told of rows as they pass; it may be nil.
type Progress func(table string, rows int64)

// workFactor is what guessing a passphrase costs: 2^16 rounds of scrypt, with
// 64 MB of memory each.
const workFactor = 16

// Write writes everything that the store holds at this moment.
func Write(ctx context.Context, s *store.Store, m Manifest, key secret.Text, to io.Writer, progress Progress) (Manifest, map[string]Counted, error) {
	recipient, err := age.NewScryptRecipient(key.Reveal())
	if err != nil {
		return m, nil, fmt.Errorf("archive: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	sealed, err := age.Encrypt(to, recipient)
	if err != nil {
		return m, nil, fmt.Errorf("archive: %w", err)
	}
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return m, nil, fmt.Errorf("archive: %w", err)
	}
	m, counts, err := write(ctx, s, m, packed, progress)
	return m, counts, errors.Join(err, packed.Close(), sealed.Close())
}

// writer writes records.
type writer struct {
	to  *bufio.Writer
	buf []byte
}

func write(ctx context.Context, s *store.Store, m Manifest, to io.Writer, progress Progress) (Manifest, map[string]Counted, error) {
	var err error
	m.Form, m.Database = form, "sqlite"
	if s.Postgres() {
		m.Database = "postgresql"
	}
	if m.Schema, err = s.Schema(ctx); err != nil {
		return m, nil, err
	}
	w := &writer{to: bufio.NewWriterSize(to, 1<<16)}
	head, err := json.Marshal(m)
	if err != nil {
		return m, nil, fmt.Errorf("archive: %w", err)
	}
	if _, err := w.to.Write(append(head, '\n')); err != nil {
		return m, nil, fmt.Errorf("archive: write: %w", err)
	}
	counts := map[string]Counted{}
	err = s.Snapshot(ctx, func(n *store.Snapshot) error {
		tables, err := n.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if counts[t.Name], err = w.table(ctx, n, t, progress); err != nil {
				return err
			}
		}
		return w.json('Z', len(tables))
	})
	if err != nil {
		return m, nil, err
	}
	if err := w.to.Flush(); err != nil {
		return m, nil, fmt.Errorf("archive: write: %w", err)
	}
	return m, counts, nil
}

func (w *writer) table(ctx context.Context, n *store.Snapshot, t store.DumpTable, progress Progress) (Counted, error) {
	var c Counted
	if err := w.json('T', t); err != nil {
		return c, err
	}
	err := n.EachRow(ctx, t, func(row []any) error {
		var err error
		if w.buf, err = appendRow(w.buf[:0], row); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		c.add(w.buf)
		if progress != nil && c.Rows%progressRows == 0 {
			progress(t.Name, progressRows)
		}
		return w.record('R', w.buf)
	})
	if err != nil {
		return c, err
	}
	if progress != nil {
		progress(t.Name, c.Rows%progressRows)
	}
	return c, w.json('E', c)
}

const progressRows = 10_000

func (w *writer) json(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return w.record(kind, b)
}

func (w *writer) record(kind byte, b []byte) error {
	var head [1 + binary.MaxVarintLen64]byte
	head[0] = kind
	n := 1 + binary.PutUvarint(head[1:], uint64(len(b)))
	_, err := w.to.Write(head[:n])
	if err == nil {
		_, err = w.to.Write(b)
	}
	if err != nil {
		return fmt.Errorf("archive: write: %w", err)
	}
	return nil
}
