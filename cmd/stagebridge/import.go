package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stagebridge/stagebridge/cmd/stagebridge/internal/imports"
	"github.com/stagebridge/stagebridge/connectors"
	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/store"
)

// importBatch is how many rows one transaction keeps.
const importBatch = 1000

// importOptions are the flags of import.
type importOptions struct {
	format, separator, columns, zone string
	mapper                           imports.Mapper
}

// importCommand keeps the rows of a file as raw events of a connection.
func importCommand() command {
	c := command{name: "import", operands: "[flags] CONNECTION FILE", summary: "keep the rows of a CSV or JSON Lines file as raw events of a connection, also beside the server; running it again brings nothing twice"}
	c.run = func(ctx context.Context, p *program, args []string) error {
		o := importOptions{mapper: imports.Mapper{Type: "import.row"}}
		operands, err := p.parse(c, args, func(f *flag.FlagSet) {
			f.StringVar(&o.format, "format", "", "csv or jsonl; by the file's name when empty")
			f.StringVar(&o.separator, "separator", ",", "between columns: a character, tab, or space for any number of blanks")
			f.StringVar(&o.columns, "columns", "", "names of the columns, with commas, where the file has no header line")
			f.StringVar(&o.mapper.Type, "type", o.mapper.Type, "type of the raw events, which rules go by")
			f.StringVar(&o.mapper.TypeColumn, "type-column", "", "column that holds the type instead")
			f.StringVar(&o.mapper.TimeColumn, "time-column", "", "column that holds the event's time; without one rows count as of now")
			f.StringVar(&o.mapper.Layout, "time-layout", "", "form of the time in Go's notation, for example 02.01.2006; usual forms need none")
			f.StringVar(&o.zone, "zone", "UTC", "time zone of times that name none")
			f.StringVar(&o.mapper.KeyColumn, "key-column", "", "column that tells events apart, such as an order's number; without one the whole row does, and rows that are equal count as often as they stand in one file")
		}, 2, 2)
		if err != nil {
			return err
		}
		return p.withApp(ctx, func(a *app) error { return p.importFile(ctx, a, operands[0], operands[1], o) })
	}
	return c
}

func (p *program) importFile(ctx context.Context, a *app, id, path string, o importOptions) error {
	if _, err := a.registry.Find(ctx, id); errors.Is(err, store.ErrNotFound) {
		return unknownConnection(a, id)
	} else if err != nil {
		return err
	}
	reading, err := o.reading(path)
	if err != nil {
		return err
	}
	if o.mapper.Zone, err = time.LoadLocation(o.zone); err != nil {
		return fmt.Errorf("-zone: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	run := &importRun{a: a, id: id, path: path, mapper: &o.mapper, refused: newRefusals(path)}
	if err := run.refused.begin(); err != nil {
		return err
	}
	if o.mapper.KeyColumn == "" {
		if err := p.findRepeats(ctx, f, info.Size(), reading, &o.mapper); err != nil {
			return err
		}
	}
	counted := &countingReader{r: f}
	rows, err := imports.NewReader(counted, reading)
	if err != nil {
		return err
	}
	run.refused.header, run.bar = rows.Header, p.importBar(counted, info.Size())
	err = run.all(ctx, rows)
	run.bar.end()
	return errors.Join(err, run.finish(p.stdout, err))
}

// findRepeats reads a file once to learn which rows it holds more than once,
// and goes back to its beginning.
func (p *program) findRepeats(ctx context.Context, f *os.File, size int64, reading imports.Options, m *imports.Mapper) error {
	counted := &countingReader{r: f}
	rows, err := imports.NewReader(counted, reading)
	if err != nil {
		return err
	}
	bar := p.importBar(counted, size)
	bar.verb, bar.told = "looked at", time.Now() // a short file needs no word about it
	defer bar.end()
	if m.Repeats, err = imports.FindRepeats(ctx, rows, m, size, func() { bar.add(1) }); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// reading makes the reader's options.
func (o *importOptions) reading(path string) (imports.Options, error) {
	r := imports.Options{Format: o.format}
	if r.Format == "" {
		r.Format = imports.CSV
		if ext := strings.ToLower(filepath.Ext(path)); ext == ".jsonl" || ext == ".ndjson" || ext == ".json" {
			r.Format = imports.Lines
		}
	}
	if r.Format != imports.CSV && r.Format != imports.Lines {
		return r, fmt.Errorf("-format: is %q, want csv or jsonl", r.Format)
	}
	switch o.separator {
	case "space", " ":
		r.Separator = ' '
	case "tab":
		r.Separator = '\t'
	default:
		var size int
		if r.Separator, size = utf8.DecodeRuneInString(o.separator); size != len(o.separator) || size == 0 || strings.ContainsRune("\"\r\n", r.Separator) {
			return r, fmt.Errorf("-separator: is %q, want one character, tab or space", o.separator)
		}
	}
	if o.columns != "" {
		r.Columns = strings.Split(o.columns, ",")
	}
	return r, nil
}

type countingReader struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// importRun is one run over a file.
type importRun struct {
	a       *app
	id      string
	path    string
	mapper  *imports.Mapper
	refused *refusals
	bar     *importBar

	kept, twice int64
}

func (r *importRun) all(ctx context.Context, rows *imports.Reader) error {
	var batch []connectors.RawEvent
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return r.keep(batch)
		}
		if err != nil {
			return errors.Join(r.keep(batch), fmt.Errorf("%s: %w", r.path, err))
		}
		event, err := r.mapper.Event(&row)
		if err != nil {
			if err := r.refused.add(&row, err); err != nil {
				return err
			}
			continue
		}
		if batch = append(batch, event); len(batch) < importBatch {
			continue
		}
		if err := r.keep(batch); err != nil {
			return err
		}
		batch = batch[:0]
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped; what was read is kept, run it again to go on: %w", err)
		}
	}
}

func (r *importRun) keep(batch []connectors.RawEvent) error {
	if len(batch) == 0 {
		return nil
	}
	receipt, err := r.a.store.Append(r.id, lifecycle.At(time.Now()), jobs.Keep(batch, jobs.Origin{}))
	if err != nil {
		return err
	}
	r.kept += int64(receipt.New)
	r.twice += int64(receipt.Duplicates)
	r.bar.add(int64(len(batch)))
	return nil
}

// finish says what became of the file.
func (r *importRun) finish(out io.Writer, failed error) error {
	fmt.Fprintf(out, "%d rows kept, %d were there already", r.kept, r.twice)
	if r.refused.n > 0 {
		fmt.Fprintf(out, ", %d refused: %s says why; mend them in %s and import that", r.refused.n, r.refused.why, r.refused.rows)
	}
	fmt.Fprintln(out)
	err := r.refused.end()
	if r.refused.n > 0 && failed == nil && err == nil {
		return errReported
	}
	return err
}
