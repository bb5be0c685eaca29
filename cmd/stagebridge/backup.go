package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stagebridge/stagebridge/secret"
	"github.com/stagebridge/stagebridge/store"
	"github.com/stagebridge/stagebridge/store/archive"
)

// backupCommand writes everything into one encrypted file.
func backupCommand() command {
	c := command{name: "backup", operands: "[-o FILE]", summary: "write everything that is stored into one file, encrypted with the installation's secret key; may run beside the server"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		path := ""
		_, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&path, "o", "", "file to write, which must not be there; stagebridge-<time>.backup when empty, - for standard output")
		}, 0, 0)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.backup(ctx, a, path) })
	}
	return c
}

func (p *program) backup(ctx context.Context, a *app, path string) error {
	now := time.Now().UTC()
	if path == "" {
		path = now.Format("stagebridge-20060102-150405.backup")
	}
	key, err := secretKey(a.config)
	if err != nil {
		return err
	}
	instance, err := a.store.Instance(ctx)
	if err != nil {
		return err
	}
	m := archive.Manifest{Version: version(), At: now, Instance: instance}
	progress := &tableProgress{to: p.stderr, every: time.Second}
	if path == "-" {
		_, _, err := archive.Write(ctx, a.store, m, key, p.stdout, progress.rows)
		return err
	}
	var counts map[string]archive.Counted
	size, err := writeWhole(path, func(w io.Writer) error {
		m, counts, err = archive.Write(ctx, a.store, m, key, w, progress.rows)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s: %d rows of %d tables, %.1f MB, schema %d\n", path, allRows(counts), len(counts), float64(size)/1e6, m.Schema)
	fmt.Fprintf(p.stdout, "It can be read only with this installation's secret key (%sSECRET_KEY, or %s). Keep that somewhere else.\n", prefix, filepath.Join(a.config.DataDir, "secret.key"))
	return nil
}

func allRows(counts map[string]archive.Counted) int64 {
	var n int64
	for _, c := range counts {
		n += c.Rows
	}
	return n
}

// writeWhole makes a file that only its owner may read: it is there whole and
// on the disk, or not at all. A file of that name is never overwritten.
func writeWhole(path string, write func(io.Writer) error) (int64, error) {
	if _, err := os.Lstat(path); err == nil {
		return 0, fmt.Errorf("%s is there already; nothing was written", path)
	}
	part := path + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return 0, fmt.Errorf("%s is there: another backup is being written, or one was broken off; then delete it", part)
	}
	if err != nil {
		return 0, err
	}
	err = write(f)
	var size int64
	if info, statErr := f.Stat(); statErr == nil {
		size = info.Size()
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(part, path) // unlike a rename this never replaces a file
	}
	return size, errors.Join(err, os.Remove(part))
}

// tableProgress tells now and then how far it is.
type tableProgress struct {
	to    io.Writer
	every time.Duration
	last  time.Time
	total int64
}

func (t *tableProgress) rows(table string, n int64) {
	t.total += n
	if now := time.Now(); t.last.IsZero() {
		t.last = now
	} else if now.Sub(t.last) >= t.every {
		t.last = now
		fmt.Fprintf(t.to, "%s: %d rows so far\n", table, t.total)
	}
}

// restoreCommand fills an empty database with a backup.
func restoreCommand() command {
	c := command{name: "restore", operands: "FILE", summary: "fill the empty database named by the settings with a backup, on SQLite or PostgreSQL whichever it came from"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		operands, err := p.parse(c, args, nil, 1, 1)
		if err != nil {
			return err
		}
		config, _, err := loadConfig(p.env)
		if err != nil {
			return err
		}
		return p.restore(ctx, config, operands[0])
	}
	return c
}

func (p *program) restore(ctx context.Context, config Config, path string) error {
	keys, err := oldKeys(config)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var file *archive.File
	for _, key := range keys {
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			file, err = archive.Open(f, key)
		}
		if !errors.Is(err, archive.ErrKey) {
			break
		}
	}
	if errors.Is(err, archive.ErrKey) {
		return fmt.Errorf("%s was not encrypted with this %[2]sSECRET_KEY, nor with one of %[2]sSECRET_KEY_PREVIOUS; nothing was changed", path, prefix)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	progress := &tableProgress{to: p.stderr, every: time.Second}
	to := store.Options{URL: config.DatabaseURL.Reveal(), Dir: config.DataDir, Log: logTo(config, p.stderr)}
	counts, err := file.Restore(ctx, to, progress.rows)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was kept of it", path, err)
	}
	m := file.Manifest
	fmt.Fprintf(p.stdout, "restored %d rows of %d tables, written on %s by %s; every table was read again and compared\n",
		allRows(counts), len(counts), m.At.Format("2006-01-02 15:04 UTC"), m.Version)
	fmt.Fprintf(p.stdout, "Start the server with the same %sSECRET_KEY. Everybody signs in anew.\n", prefix)
	return nil
}

// oldKeys are the keys that a backup may have been written with. One must be
// there: a new one would open nothing.
func oldKeys(config Config) ([]secret.Text, error) {
	_, err := os.Stat(filepath.Join(config.DataDir, "secret.key"))
	if config.SecretKey.Empty() && err != nil {
		return nil, fmt.Errorf("%sSECRET_KEY is not set: give the key of the installation that the backup is of, which is its own setting or the content of secret.key in its data folder", prefix)
	}
	config.DatabaseURL = secret.Text{} // the key file of the folder counts, wherever the data are to go
	return secretKeys(config)
}
