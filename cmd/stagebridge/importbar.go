package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// importBar shows how far a file is read: on a terminal in one line that is
// written over, else in a line a second.
type importBar struct {
	to       io.Writer
	terminal bool
	verb     string // what happens to the rows
	read     *countingReader
	size     int64 // bytes in all

	rows        int64
	begun, told time.Time
	width       int // of the line on the terminal
}

// importBarWidth is how many characters stand for the whole file.
const importBarWidth = 24

func (p *program) importBar(read *countingReader, size int64) *importBar {
	b := &importBar{to: p.stderr, verb: "kept", read: read, size: size, begun: time.Now()}
	if f, ok := p.stderr.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

// add counts rows, and shows them at most once a second.
func (b *importBar) add(rows int64) {
	b.rows += rows
	if now := time.Now(); now.Sub(b.told) >= time.Second {
		b.told = now
		b.show(now)
	}
}

func (b *importBar) show(now time.Time) {
	text := barLine(b.read.n, b.size, b.rows, now.Sub(b.begun), b.verb)
	if !b.terminal {
		fmt.Fprintln(b.to, text)
		return
	}
	fmt.Fprintf(b.to, "\r%-*s", b.width, text) // blanks over what was longer before
	b.width = len(text)
}

// end leaves the line of the terminal.
func (b *importBar) end() {
	if b.width > 0 {
		fmt.Fprintln(b.to)
	}
}

// barLine draws the progress: how much of the file, how many rows, how fast, and
// how long it takes at this pace.
func barLine(read, size, rows int64, took time.Duration, verb string) string {
	share := 1.0
	if size > 0 {
		share = min(1, float64(read)/float64(size))
	}
	full := int(share * importBarWidth)
	text := fmt.Sprintf("[%s%s] %3d %%  %d rows %s", strings.Repeat("=", full), strings.Repeat(" ", importBarWidth-full), int(100*share), rows, verb)
	if seconds := took.Seconds(); seconds >= 1 && share > 0 {
		left := time.Duration(seconds / share * (1 - share) * float64(time.Second))
		text += fmt.Sprintf(", %.0f/s, %s left", float64(rows)/seconds, left.Round(time.Second))
	}
	return text
}
