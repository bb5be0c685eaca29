// Package imports reads files of past events or people, row by row, and makes
// raw events of them. A file of any length takes bounded memory, but for rows
// that the file holds more than once: see Repeats.
package imports

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Formats of a file.
const (
	CSV   = "csv"
	Lines = "jsonl" // JSON Lines: one object a line
)

// Row is one row of a file.
type Row struct {
	// Line of the file at which it begins, from 1.
	Line int64
	// Body is the row as a JSON object: of a CSV file every value is a text, and
	// an empty one is left out.
	Body []byte
	// Err says what is wrong with the row.
	Err error
	// Text is the row as it stands in the file, without the end of its last line;
	// of a bad one only its first line, and empty where that is too long to keep.
	Text string
}

// Options of a Reader.
type Options struct {
	Format string
	// Columns name the columns of a CSV file that has no header line.
	Columns []string
	// Separator between columns: one character, or ' ' for any run of blanks;
	// zero is a comma.
	Separator rune
}

// Reader gives the rows of a file.
type Reader struct {
	// Header is the header line as it stands; empty where the file has none.
	Header string

	next func() (Row, error)
}

// NewReader begins to read. The error is about the header line.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	lines := &lineReader{r: buffered}
	switch {
	case o.Format == Lines:
		return &Reader{next: jsonRows(lines)}, nil
	case o.Separator == ' ':
		return blankReader(lines, o.Columns)
	}
	c, header, err := newCSV(lines, o)
	if err != nil {
		return nil, err
	}
	return &Reader{Header: header, next: c.next}, nil
}

// Next gives the next row; io.EOF at the end. Any other error ends the file; a
// bad row is no error but a Row with Err.
func (r *Reader) Next() (Row, error) { return r.next() }

func jsonRows(lines *lineReader) func() (Row, error) {
	return func() (Row, error) {
		for {
			l, err := lines.next()
			if err != nil {
				return Row{}, err
			}
			text := strings.TrimSpace(l.text)
			if text == "" && !l.long {
				continue
			}
			row := Row{Line: l.number, Body: []byte(l.text), Text: l.text}
			switch {
			case l.long:
				row.Err = errLong
			case !utf8.ValidString(text):
				row.Err = errors.New("it is not valid UTF-8")
			case !json.Valid(row.Body):
				row.Err = errors.New("it is not JSON")
			case text[0] != '{':
				row.Err = errors.New("it is no JSON object")
			}
			return row, nil
		}
	}
}

// blankReader reads columns that are parted by any number of blanks.
func blankReader(lines *lineReader, columns []string) (*Reader, error) {
	r := &Reader{}
	if len(columns) == 0 {
		header, err := lines.next()
		if err != nil {
			return nil, headerError(err)
		}
		r.Header, columns = header.text, strings.Fields(header.text)
	}
	if err := checkColumns(columns); err != nil {
		return nil, err
	}
	r.next = func() (Row, error) {
		for {
			l, err := lines.next()
			switch {
			case err != nil:
				return Row{}, err
			case l.long:
				return Row{Line: l.number, Err: errLong}, nil
			}
			if values := strings.Fields(l.text); len(values) > 0 {
				return rowOf(l.number, columns, values, l.text), nil
			}
		}
	}
	return r, nil
}

func headerError(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("imports: the file is empty")
	}
	return fmt.Errorf("imports: the header line: %w", err)
}

func checkColumns(columns []string) error {
	seen := map[string]bool{}
	for i, name := range columns {
		switch {
		case name == "":
			return fmt.Errorf("imports: column %d has no name", i+1)
		case seen[name]:
			return fmt.Errorf("imports: two columns are called %q", name)
		}
		seen[name] = true
	}
	return nil
}

// rowOf makes an object of a row's values.
func rowOf(number int64, columns, values []string, text string) Row {
	row := Row{Line: number, Text: text}
	switch {
	case len(values) != len(columns):
		row.Err = fmt.Errorf("it has %d columns, want %d", len(values), len(columns))
		return row
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		row.Err = errors.New("it is not valid UTF-8")
		return row
	}
	body := make(map[string]string, len(columns))
	for i, name := range columns {
		if v := strings.TrimSpace(values[i]); v != "" {
			body[name] = v
		}
	}
	row.Body, row.Err = json.Marshal(body)
	return row
}
