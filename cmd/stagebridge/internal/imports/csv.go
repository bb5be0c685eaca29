package imports

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// What is wrong with the quotes of a line.
var (
	errBareQuote  = errors.New(`it has a " inside a value that does not begin with one`)
	errAfterQuote = errors.New(`it has something behind the " that ends a value`)
)

// csvRows reads rows of values between separators (RFC 4180). A value in
// quotes may have several lines. One that nothing closes costs its own line
// and no other: reading goes on behind the line in which it begins.
type csvRows struct {
	lines     *lineReader
	separator string
	columns   []string
}

// next gives the next row that is not empty.
func (c *csvRows) next() (Row, error) {
	for {
		first, err := c.lines.next()
		switch {
		case err != nil:
			return Row{}, err
		case first.long:
			return Row{Line: first.number, Err: errLong}, nil
		case first.text != "":
			return c.row(first)
		}
	}
}

// row reads the row that begins in a line.
func (c *csvRows) row(first line) (Row, error) {
	s := splitter{separator: c.separator}
	open, bad := s.feed(first.text)
	size, more := len(first.text), []line(nil)
	for open && bad == nil {
		next, err := c.lines.next()
		switch {
		case errors.Is(err, io.EOF):
			bad = errors.New("a quote is opened here that nothing closes")
			continue
		case err != nil:
			return Row{}, err
		}
		more = append(more, next)
		// A line of no length takes memory too.
		if size += len(next.text) + 64; next.long || size > maxLine {
			bad = fmt.Errorf("a quote is opened here that nothing closes within %d bytes", maxLine)
			continue
		}
		open, bad = s.feed(next.text)
	}
	if len(more) == 0 {
		if bad != nil {
			return Row{Line: first.number, Err: bad, Text: first.text}, nil
		}
		return rowOf(first.number, c.columns, s.values, first.text), nil
	}
	if bad == nil {
		var text strings.Builder
		text.WriteString(first.text)
		for _, l := range more {
			text.WriteString("\n" + l.text)
		}
		row := rowOf(first.number, c.columns, s.values, text.String())
		if row.Err == nil {
			return row, nil
		}
		bad = fmt.Errorf("a quote is opened here and closed in line %d; as one row %w", more[len(more)-1].number, row.Err)
	} else if !open || errors.Is(bad, errAfterQuote) || errors.Is(bad, errBareQuote) {
		bad = fmt.Errorf("a quote is opened here that ends in the middle of line %d", more[len(more)-1].number)
	}
	c.lines.again(more)
	return Row{Line: first.number, Err: bad, Text: first.text}, nil
}

// splitter takes a row apart, line by line.
type splitter struct {
	separator string
	values    []string
	value     strings.Builder // of the value in quotes that is open
	open      bool
}

// feed takes the next line of a row; open when the row goes on in another one.
func (s *splitter) feed(text string) (open bool, err error) {
	if s.open {
		s.value.WriteByte('\n')
	}
	for {
		if !s.open {
			rest, quoted := strings.CutPrefix(text, `"`)
			if !quoted {
				value, behind, more := strings.Cut(text, s.separator)
				if strings.Contains(value, `"`) {
					return false, errBareQuote
				}
				s.values = append(s.values, value)
				if !more {
					return false, nil
				}
				text = behind
				continue
			}
			s.open, text = true, rest
		}
		value, behind, ended := strings.Cut(text, `"`)
		s.value.WriteString(value)
		if !ended {
			return true, nil
		}
		if rest, twice := strings.CutPrefix(behind, `"`); twice {
			s.value.WriteByte('"')
			text = rest
			continue
		}
		s.values, s.open = append(s.values, s.value.String()), false
		s.value = strings.Builder{}
		if behind == "" {
			return false, nil
		}
		rest, more := strings.CutPrefix(behind, s.separator)
		if !more {
			return false, errAfterQuote
		}
		text = rest
	}
}

// newCSV begins to read; header is the text of the header line, if there is one.
func newCSV(lines *lineReader, o Options) (c *csvRows, header string, err error) {
	c = &csvRows{lines: lines, separator: ",", columns: o.Columns}
	if o.Separator != 0 {
		c.separator = string(o.Separator)
	}
	if len(c.columns) > 0 {
		return c, "", checkColumns(c.columns)
	}
	first, err := lines.next()
	for err == nil && first.text == "" && !first.long {
		first, err = lines.next()
	}
	if err == nil && first.long {
		err = errLong
	}
	if err != nil {
		return nil, "", headerError(err)
	}
	s := splitter{separator: c.separator}
	open, err := s.feed(first.text)
	if open {
		err = errors.New("a quote is opened that the line does not close")
	}
	if err != nil {
		return nil, "", headerError(err)
	}
	for _, name := range s.values {
		c.columns = append(c.columns, strings.TrimSpace(name))
	}
	return c, first.text, checkColumns(c.columns)
}
