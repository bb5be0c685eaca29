package chart

import (
	"math"
	"strings"
)

// Curve is a line through points, X rising. With Steps it stays level until the
// next point, as a survival curve does.
type Curve struct {
	Name   string
	Points []Point
	Steps  bool
	// Plain is a line for comparison, such as a diagonal.
	Plain bool
}

// Point is one of a curve; Y is a share, 0 to 1.
type Point struct{ X, Y float64 }

// coarse is how far a point must be from the one drawn before it, in either
// direction, to be drawn: a curve over a million people has as many points, and
// nobody sees them.
const coarse N = 2

// Curves draws shares over an axis; across names it.
func Curves(title, across string, curves []Curve) Picture {
	p := Picture{Title: title, Height: plotHeight + plotTop + plotBottom + textSize}
	most := 0.0
	for _, c := range curves {
		if n := len(c.Points); n > 0 {
			most = max(most, c.Points[n-1].X)
		}
	}
	end := ceiling(most)
	place := func(x, y float64) (N, N) {
		return N(plotLeft + clamp(x/end)*(Width-plotLeft-plotRight)), N(plotTop + (1-clamp(y))*plotHeight)
	}
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		_, y := place(0, share)
		p.level(y, trimmed(share*100)+" %")
	}
	for i := range 6 {
		x, _ := place(end*float64(i)/5, 0)
		p.Words = append(p.Words, Word{X: x, Y: plotTop + plotHeight + 18, Text: short(end * float64(i) / 5), Anchor: "middle"})
	}
	p.Words = append(p.Words, Word{X: Width - plotRight, Y: plotTop + plotHeight + 36, Text: across, Anchor: "end"})
	colour := 0
	for _, c := range curves {
		var line strings.Builder
		var last, y N
		for i, at := range c.Points {
			x, next := place(at.X, at.Y)
			if i > 0 && i < len(c.Points)-1 && x-last < coarse && max(next-y, y-next) < coarse {
				continue
			}
			if i > 0 {
				line.WriteByte(' ')
			}
			if c.Steps && i > 0 {
				line.WriteString(x.String() + "," + y.String() + " ")
			}
			line.WriteString(x.String() + "," + next.String())
			last, y = x, next
		}
		key := Key{Class: "plain", Text: c.Name, Line: true}
		if !c.Plain {
			key.Class = class(colour)
			colour++
		}
		p.Lines = append(p.Lines, Line{Points: line.String(), Class: key.Class})
		p.Legend = append(p.Legend, key)
	}
	return p
}

// level draws a line across the plot with its number before it.
func (p *Picture) level(y N, text string) {
	p.Lines = append(p.Lines, Line{Points: points(plotLeft, y, Width-plotRight, y), Class: "level"})
	p.Words = append(p.Words, Word{X: plotLeft - 8, Y: y + 4, Text: text, Anchor: "end"})
}

func points(x1, y1, x2, y2 N) string {
	return x1.String() + "," + y1.String() + " " + x2.String() + "," + y2.String()
}

func clamp(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return min(max(x, 0), 1)
}

// Row is one row of a heat map.
type Row struct {
	Name  string
	Cells []Cell
}

// Cell is one field of it. Heat is 0 to 1; a field without Text is left empty.
type Cell struct {
	Heat float64
	Text string
	Hint string
}

// strongest is the opacity of a field at its hottest: the text upon it must
// still be read.
const strongest = 0.45

// Heat draws fields that are stronger the larger they are, and say their value.
// Columns name the fields of a row, and side, above the names, what the rows are.
func Heat(title, side string, columns []string, rows []Row) Picture {
	const left, top = 140, 24
	p := Picture{Title: title, Height: N(top + len(rows)*rowHeight + 4)}
	wide := N(Width - left - plotRight)
	if len(columns) > 0 {
		wide /= N(len(columns))
	}
	p.Words = append(p.Words, Word{X: left - 10, Y: 16, Text: side, Anchor: "end", Class: "soft"})
	for n, name := range columns {
		p.Words = append(p.Words, Word{X: left + N(n)*wide + wide/2, Y: 16, Text: name, Anchor: "middle", Class: "soft"})
	}
	for i, r := range rows {
		y := N(top + i*rowHeight)
		p.Words = append(p.Words, Word{X: left - 10, Y: y + 18, Text: cut(r.Name, nameMost), Anchor: "end"})
		for n, c := range r.Cells {
			if c.Text == "" {
				continue
			}
			x := left + N(n)*wide
			p.Boxes = append(p.Boxes, Box{X: x + 1, Y: y + 1, W: wide - 2, H: rowHeight - 2, Class: "heat", Opacity: N(max(0.02, clamp(c.Heat)*strongest)), Hint: c.Hint})
			p.Words = append(p.Words, Word{X: x + wide/2, Y: y + 18, Text: c.Text, Anchor: "middle"})
		}
	}
	return p
}
