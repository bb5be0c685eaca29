// Package chart lays out the pictures of reports. A Picture is boxes, lines and
// words at their places, which a template writes as SVG; colours are classes, so
// that the page decides about light and dark. Nothing here is interactive: the
// same figures are in a table below each picture.
package chart

import (
	"math"
	"strconv"
)

// Width of every picture, in units of its own; the page scales it.
const Width = 720

// Sizes of what is drawn, in the same units.
const (
	rowHeight  = 28
	textSize   = 13 // of words, as the style sheet has it
	plotHeight = 260
	plotLeft   = 56
	plotRight  = 16
	plotTop    = 12
	plotBottom = 36
)

// Picture is one picture, ready to be written.
type Picture struct {
	// Title says what it shows; it is also what a screen reader is told.
	Title  string
	Height N
	Boxes  []Box
	Lines  []Line
	Words  []Word
	Legend []Key
}

// Box is a rectangle. Hint is shown by a browser that points at it.
type Box struct {
	X, Y, W, H N
	Class      string
	// Opacity is 0 for a box that is as its class says.
	Opacity N
	Hint    string
}

// Line goes through points, "x,y x,y".
type Line struct {
	Points, Class string
}

// Word is a text; Anchor is start, middle or end.
type Word struct {
	X, Y         N
	Text, Anchor string
	Class        string
}

// Key says what a class of boxes or lines stands for.
type Key struct {
	Class, Text string
	// Line is set where it is one.
	Line bool
}

// N is a coordinate; it is written with two decimals at most.
type N float64

// String implements fmt.Stringer.
func (n N) String() string {
	return strconv.FormatFloat(math.Round(float64(n)*100)/100, 'f', -1, 64)
}

// step gives the n-th class of a ramp of eight, for what has an order.
func step(n int) string { return "s" + strconv.Itoa(n%8+1) }

// class gives the n-th of the same classes in an order in which neighbours
// differ much, for what has none.
func class(n int) string { return "s" + strconv.Itoa([...]int{1, 5, 3, 7, 2, 6, 4, 8}[n%8]) }

// ceiling is the least number not below x that an axis ends well with: 1, 2 or 5
// times a power of ten. It is 1 for nothing.
func ceiling(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, digit := range []float64{1, 2, 5} {
		if x <= digit*power {
			return digit * power
		}
	}
	return 10 * power
}

// short writes a number of an axis: 12 000 000 as 12 M.
func short(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e4, " k"}} {
		if math.Abs(x) >= unit.size {
			size := unit.size
			if unit.name == " k" {
				size = 1e3
			}
			return trimmed(x/size) + unit.name
		}
	}
	return trimmed(x)
}

func trimmed(x float64) string {
	return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)
}

// cut shortens a text to so many runes.
func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
