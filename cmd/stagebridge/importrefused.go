package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/imports"
)

// refusals are the rows of a file that were not taken: as they stand in a file
// that can be mended and imported, and with the reason in another one. Both are
// made anew by each run, and are gone after one that refuses nothing.
type refusals struct {
	rows, why string // paths
	header    string // of the file, to be that of rows too
	n         int64

	rowsFile, whyFile *os.File
}

// newRefusals names the files beside the one at path.
func newRefusals(path string) *refusals {
	ext := filepath.Ext(path)
	return &refusals{rows: strings.TrimSuffix(path, ext) + ".refused" + ext, why: path + ".errors"}
}

// begin takes away what an earlier run left, unless somebody has begun to mend
// it: the reasons are written last, so the rows are newer only then.
func (r *refusals) begin() error {
	rows, err := os.Stat(r.rows)
	if err == nil {
		if why, err := os.Stat(r.why); err != nil || rows.ModTime().After(why.ModTime()) {
			return fmt.Errorf("%s was changed after the run that wrote it: import that file, or move it away", r.rows)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, path := range []string{r.rows, r.why} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// add writes a row and why it is refused. A row that is too long to be kept in
// memory has no text and is only told of.
func (r *refusals) add(row *imports.Row, why error) error {
	if r.n++; r.n == 1 {
		var err error
		if r.rowsFile, err = os.OpenFile(r.rows, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		if r.whyFile, err = os.OpenFile(r.why, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		if r.header != "" {
			if _, err := fmt.Fprintln(r.rowsFile, r.header); err != nil {
				return err
			}
		}
	}
	if row.Text != "" {
		if _, err := fmt.Fprintln(r.rowsFile, row.Text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(r.whyFile, "line %d: %v: %s\n", row.Line, why, row.Text)
	return err
}

// end closes the files, that of the reasons last.
func (r *refusals) end() error {
	var errs []error
	for _, f := range []*os.File{r.rowsFile, r.whyFile} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	if r.whyFile != nil {
		// Both were written in turns; from now on the rows are newer only when
		// somebody changes them.
		if info, err := os.Stat(r.rows); err == nil {
			errs = append(errs, os.Chtimes(r.why, info.ModTime(), info.ModTime()))
		}
	}
	return errors.Join(errs...)
}
