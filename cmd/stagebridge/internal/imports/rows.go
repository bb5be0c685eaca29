// Package imports reads files of past events or people, row by row, and makes
// raw events of them. A file of any length takes constant memory.
package imports

import (
	"bufio"
	"encoding/csv"
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

// maxLine bounds one row, in bytes.
const maxLine = 4 << 20

// Row is one row of a file.
type Row struct {
	// Line of the file at which it begins, from 1.
	Line int64
	// Body is the row as a JSON object: of a CSV file every value is a text, and
	// an empty one is left out.
	Body []byte
	// Err says what is wrong with the row; Text is then the row as it stands.
	Err  error
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
	next func() (Row, error)
}

// NewReader begins to read. The error is about the header line.
func NewReader(r io.Reader, o Options) (*Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	switch {
	case o.Format == Lines:
		return jsonReader(buffered), nil
	case o.Separator == ' ':
		return blankReader(buffered, o.Columns)
	}
	return csvReader(buffered, o)
}

// Next gives the next row; io.EOF at the end. Any other error ends the file; a
// bad row is no error but a Row with Err.
func (r *Reader) Next() (Row, error) { return r.next() }

func jsonReader(r *bufio.Reader) *Reader {
	line := int64(0)
	return &Reader{next: func() (Row, error) {
		for {
			text, err := readLine(r)
			if err != nil {
				return Row{}, err
			}
			line++
			if strings.TrimSpace(text) == "" {
				continue
			}
			row := Row{Line: line, Body: []byte(text), Text: text}
			switch {
			case !utf8.ValidString(text):
				row.Err = errors.New("it is not valid UTF-8")
			case !json.Valid(row.Body):
				row.Err = errors.New("it is not JSON")
			case strings.TrimSpace(text)[0] != '{':
				row.Err = errors.New("it is no JSON object")
			}
			return row, nil
		}
	}}
}

// readLine gives a line without its end; a last line may lack one.
func readLine(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, more, err := r.ReadLine()
		if err != nil {
			if b.Len() > 0 && errors.Is(err, io.EOF) {
				return b.String(), nil
			}
			return "", err
		}
		if b.Len()+len(part) > maxLine {
			return "", fmt.Errorf("a line is longer than %d bytes", maxLine)
		}
		b.Write(part)
		if !more {
			return b.String(), nil
		}
	}
}

// blankReader reads columns that are parted by any number of blanks.
func blankReader(r *bufio.Reader, columns []string) (*Reader, error) {
	line := int64(0)
	if len(columns) == 0 {
		header, err := readLine(r)
		if err != nil {
			return nil, headerError(err)
		}
		line, columns = 1, strings.Fields(header)
	}
	if err := checkColumns(columns); err != nil {
		return nil, err
	}
	return &Reader{next: func() (Row, error) {
		for {
			text, err := readLine(r)
			if err != nil {
				return Row{}, err
			}
			line++
			if values := strings.Fields(text); len(values) > 0 {
				return rowOf(line, columns, values, text), nil
			}
		}
	}}, nil
}

func csvReader(r *bufio.Reader, o Options) (*Reader, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord, c.ReuseRecord = -1, true
	if o.Separator != 0 {
		c.Comma = o.Separator
	}
	columns := o.Columns
	if len(columns) == 0 {
		header, err := c.Read()
		if err != nil {
			return nil, headerError(err)
		}
		for _, name := range header {
			columns = append(columns, strings.TrimSpace(name))
		}
	}
	if err := checkColumns(columns); err != nil {
		return nil, err
	}
	return &Reader{next: func() (Row, error) {
		values, err := c.Read()
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			return Row{Line: int64(bad.StartLine), Err: bad.Err, Text: strings.Join(values, ",")}, nil
		case err != nil:
			return Row{}, err
		}
		line, _ := c.FieldPos(0)
		return rowOf(int64(line), columns, values, strings.Join(values, ",")), nil
	}}, nil
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
func rowOf(line int64, columns, values []string, text string) Row {
	row := Row{Line: line, Text: text}
	switch {
	case len(values) != len(columns):
		row.Err = fmt.Errorf("it has %d columns, want %d", len(values), len(columns))
		return row
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		row.Err = errors.New("it is not valid UTF-8")
		return row
	}
	body := map[string]string{}
	for i, name := range columns {
		if v := strings.TrimSpace(values[i]); v != "" {
			body[name] = v
		}
	}
	row.Body, row.Err = json.Marshal(body)
	return row
}
