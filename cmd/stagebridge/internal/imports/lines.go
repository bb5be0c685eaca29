package imports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one row, in bytes, however many lines it has.
const maxLine = 4 << 20

// errLong is what is wrong with a row beyond maxLine; its text is not kept.
var errLong = fmt.Errorf("it is longer than %d bytes", maxLine)

// line is a line of a file without its end.
type line struct {
	number int64 // from 1
	text   string
	long   bool // beyond maxLine: text is empty
}

// lineReader reads lines and takes them back.
type lineReader struct {
	r    *bufio.Reader
	read int64
	back []line
}

// next gives the next line, io.EOF behind the last one.
func (l *lineReader) next() (line, error) {
	if len(l.back) > 0 {
		one := l.back[0]
		l.back = l.back[1:]
		return one, nil
	}
	var text []byte
	one := line{number: l.read + 1}
	for begun := false; ; begun = true {
		part, more, err := l.r.ReadLine()
		if err != nil && !(begun && errors.Is(err, io.EOF)) {
			return one, err
		}
		if one.long = one.long || len(text)+len(part) > maxLine; one.long {
			text = nil
		} else {
			text = append(text, part...)
		}
		if !more || err != nil {
			l.read++
			one.text = string(text)
			return one, nil
		}
	}
}

// again makes lines be read once more.
func (l *lineReader) again(lines []line) {
	l.back = append(append([]line(nil), lines...), l.back...)
}
