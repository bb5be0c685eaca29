package chart

// Bar is one bar with its name before it and a note behind it.
type Bar struct {
	Name, Note string
	Value      float64
}

// Places of a chart of rows: the names end at barLeft, the bars at barRight.
const (
	barLeft  = 170
	barRight = 560
	nameMost = 24 // runes of a name that fit
)

// Funnel draws bars one below the other, each in the middle, so that what is lost
// from one to the next is seen on both sides.
func Funnel(title string, bars []Bar) Picture {
	p := Picture{Title: title, Height: N(len(bars)*rowHeight + 8)}
	most := 0.0
	for _, b := range bars {
		most = max(most, b.Value)
	}
	for i, b := range bars {
		y := N(4 + i*rowHeight)
		width := N(0)
		if most > 0 {
			width = N(b.Value / most * (barRight - barLeft))
		}
		p.Boxes = append(p.Boxes, Box{X: (barLeft+barRight)/2 - width/2, Y: y, W: width, H: rowHeight - 6, Class: step(i), Hint: b.Name + ": " + b.Note})
		p.named(y, b.Name)
		p.Words = append(p.Words, Word{X: barRight + 12, Y: y + 16, Text: b.Note, Anchor: "start"})
	}
	return p
}

// named writes the name of a row.
func (p *Picture) named(y N, name string) {
	p.Words = append(p.Words, Word{X: barLeft - 10, Y: y + 16, Text: cut(name, nameMost), Anchor: "end"})
}

// Group is several values with one name.
type Group struct {
	Name   string
	Values []float64
	// Notes say the values in words, one for each.
	Notes []string
}

// Groups draws for every group a bar per value; keys name the values.
func Groups(title string, keys []string, groups []Group) Picture {
	const thick, gap = 7, 10
	each := len(keys)*thick + gap
	p := Picture{Title: title, Height: N(len(groups)*each + 8)}
	most := 0.0
	for _, g := range groups {
		for _, v := range g.Values {
			most = max(most, v)
		}
	}
	for i, g := range groups {
		top := N(4 + i*each)
		p.named(top+N(each-gap)/2-11, g.Name)
		for n, v := range g.Values {
			width := N(0)
			if most > 0 && v > 0 {
				width = N(v / most * (Width - plotRight - barLeft))
			}
			p.Boxes = append(p.Boxes, Box{X: barLeft, Y: top + N(n*thick), W: width, H: thick - 1, Class: class(n), Hint: g.Name + ", " + keys[n] + ": " + g.Notes[n]})
		}
	}
	for n, k := range keys {
		p.Legend = append(p.Legend, Key{Class: class(n), Text: k})
	}
	return p
}

// Stack is one column: what is piled up above the line, and what hangs below it.
type Stack struct {
	Name string
	Up   []float64
	Down []float64
}

// Stacks draws columns side by side; up and down name the parts, from the line
// outwards.
func Stacks(title string, up, down []string, columns []Stack) Picture {
	p := Picture{Title: title, Height: plotHeight + plotTop + plotBottom}
	above, below := 0.0, 0.0
	for _, c := range columns {
		above, below = max(above, sum(c.Up)), max(below, sum(c.Down))
	}
	scale := plotHeight / (ceiling(above) + below)
	zero := N(plotTop + ceiling(above)*scale)
	for _, v := range []float64{0, ceiling(above) / 2, ceiling(above)} {
		p.level(zero-N(v*scale), short(v))
	}
	if len(columns) == 0 {
		return p
	}
	wide := N(Width-plotLeft-plotRight) / N(len(columns))
	// Names that would touch each other are left out.
	every := max(1, (len(columns)*56+Width-plotLeft-plotRight-1)/(Width-plotLeft-plotRight))
	for i, c := range columns {
		x := plotLeft + N(i)*wide
		y := zero
		for n, v := range c.Up {
			h := N(v * scale)
			y -= h
			p.Boxes = append(p.Boxes, Box{X: x + wide*0.1, Y: y, W: wide * 0.8, H: h, Class: class(n), Hint: c.Name + ", " + up[n] + ": " + short(v)})
		}
		y = zero
		for n, v := range c.Down {
			h := N(v * scale)
			p.Boxes = append(p.Boxes, Box{X: x + wide*0.1, Y: y, W: wide * 0.8, H: h, Class: class(len(up) + n), Hint: c.Name + ", " + down[n] + ": " + short(v)})
			y += h
		}
		if i%every == 0 {
			p.Words = append(p.Words, Word{X: x + wide/2, Y: plotTop + plotHeight + 18, Text: c.Name, Anchor: "middle"})
		}
	}
	p.Lines = append(p.Lines, Line{Points: points(plotLeft, zero, Width-plotRight, zero), Class: "axis"})
	for n, k := range append(up[:len(up):len(up)], down...) {
		p.Legend = append(p.Legend, Key{Class: class(n), Text: k})
	}
	return p
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
