package chart

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestN(t *testing.T) {
	t.Parallel()
	for n, want := range map[N]string{0: "0", 12: "12", 1.0 / 3: "0.33", 99.999: "100", -2.5: "-2.5"} {
		if got := n.String(); got != want {
			t.Errorf("%v: %s, want %s", float64(n), got, want)
		}
	}
}

func TestAxisNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		x     float64
		end   float64
		short string
	}{
		{0, 1, "0"}, {1, 1, "1"}, {1.1, 2, "1.1"}, {37, 50, "37"}, {51, 100, "51"}, {12_345, 20_000, "12.3 k"}, {9_999, 10_000, "9999"},
		{2_500_000, 5_000_000, "2.5 M"}, {math.NaN(), 1, "NaN"}, {-4, 1, "-4"}, {3e12, 5e12, "3 T"},
	} {
		if got := ceiling(tt.x); got != tt.end {
			t.Errorf("ceiling of %v: %v, want %v", tt.x, got, tt.end)
		}
		if got := short(tt.x); got != tt.short {
			t.Errorf("short of %v: %s, want %s", tt.x, got, tt.short)
		}
	}
}

func TestFunnel(t *testing.T) {
	t.Parallel()
	p := Funnel("x", []Bar{{"Visit", "108", 108}, {"A stage with a very long name", "54", 54}, {"Nobody", "0", 0}})
	if len(p.Boxes) != 3 || p.Boxes[0].W != barRight-barLeft || p.Boxes[1].W != (barRight-barLeft)/2 || p.Boxes[2].W != 0 {
		t.Errorf("boxes %+v", p.Boxes)
	}
	// The second is in the middle below the first.
	if a, b := p.Boxes[0], p.Boxes[1]; a.X+a.W/2 != b.X+b.W/2 || b.Y != a.Y+rowHeight {
		t.Errorf("%+v is not below %+v", b, a)
	}
	if p.Words[2].Text != "A stage with a very lon…" {
		t.Errorf("the long name is %q", p.Words[2].Text)
	}
}

func TestStacks(t *testing.T) {
	t.Parallel()
	p := Stacks("x", []string{"stayed", "new"}, []string{"lost"}, []Stack{{"a", []float64{60, 40}, []float64{100}}, {"b", []float64{0, 50}, []float64{0}}})
	zero := p.Boxes[0].Y + p.Boxes[0].H
	scale := N(plotHeight) / 200
	for i, want := range []Box{{Y: zero - 60*scale, H: 60 * scale}, {Y: zero - 100*scale, H: 40 * scale}, {Y: zero, H: 100 * scale}} {
		if b := p.Boxes[i]; math.Abs(float64(b.Y-want.Y)) > 1e-9 || math.Abs(float64(b.H-want.H)) > 1e-9 {
			t.Errorf("part %d is at %v, %v high, want %v, %v", i, b.Y, b.H, want.Y, want.H)
		}
	}
	if len(p.Legend) != 3 || p.Legend[2].Class != p.Boxes[2].Class {
		t.Errorf("legend %+v", p.Legend)
	}
}

// TestCurvesStep: a survival curve stays level until the next step.
func TestCurvesStep(t *testing.T) {
	t.Parallel()
	p := Curves("x", "days", []Curve{{Name: "stay", Steps: true, Points: []Point{{0, 1}, {5, 0.5}, {10, 0.5}}}, {Name: "even", Plain: true}})
	top, half := N(plotTop), N(plotTop+plotHeight/2)
	mid, end := N(plotLeft+(Width-plotLeft-plotRight)/2), N(Width-plotRight)
	want := points(plotLeft, top, mid, top) + " " + points(mid, half, end, half) + " " + end.String() + "," + half.String()
	if got := p.Lines[5].Points; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if p.Legend[0].Class != "s1" || p.Legend[1].Class != "plain" {
		t.Errorf("legend %+v", p.Legend)
	}
}

// TestCurvesOfMany: a curve through very many points is drawn with few, and
// begins and ends where it did.
func TestCurvesOfMany(t *testing.T) {
	t.Parallel()
	c := Curve{Steps: true}
	const many = 100_000
	for i := range many {
		x := float64(i) / (many - 1)
		c.Points = append(c.Points, Point{X: 1000 * x, Y: 1 - 0.8*math.Sqrt(x)})
	}
	line := Curves("x", "days", []Curve{c}).Lines[5].Points
	if len(line) > 12_000 {
		t.Errorf("%d bytes are drawn", len(line))
	}
	first, last := points(plotLeft, plotTop, 0, 0), N(Width-plotRight).String()+","+N(plotTop+0.8*plotHeight).String()
	if !strings.HasPrefix(line, strings.TrimSuffix(first, "0,0")) || !strings.HasSuffix(line, last) {
		t.Errorf("from %.20s… to …%s, want from %s to %s", line, line[len(line)-20:], first, last)
	}
}

func TestHeat(t *testing.T) {
	t.Parallel()
	p := Heat("x", "cohort", []string{"+1", "+2"}, []Row{{"2026-07", []Cell{{Heat: 1, Text: "100"}, {Heat: 0, Text: "0"}}}, {"2026-08", []Cell{{Heat: 5, Text: "?"}, {}}}})
	if len(p.Boxes) != 3 || p.Boxes[0].Opacity != strongest || p.Boxes[1].Opacity != 0.02 || p.Boxes[2].Opacity != strongest {
		t.Errorf("boxes %+v", p.Boxes)
	}
	if p.Boxes[2].Y != p.Boxes[0].Y+rowHeight || p.Boxes[2].X != p.Boxes[0].X {
		t.Errorf("%+v is not below %+v", p.Boxes[2], p.Boxes[0])
	}
}

// TestPicturesStayInside: whatever the values, nothing is drawn outside of the
// picture, and no coordinate is no number.
func TestPicturesStayInside(t *testing.T) {
	t.Parallel()
	value := rapid.Float64Range(0, 1e15)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		var bars []Bar
		var stacks []Stack
		var groups []Group
		curve := Curve{Steps: rapid.Bool().Draw(t, "steps")}
		x := 0.0
		for range n {
			v := value.Draw(t, "value")
			x += value.Draw(t, "across")
			bars = append(bars, Bar{Value: v})
			stacks = append(stacks, Stack{Up: []float64{v, value.Draw(t, "up")}, Down: []float64{value.Draw(t, "down")}})
			groups = append(groups, Group{Values: []float64{v, x}, Notes: []string{"", ""}})
			curve.Points = append(curve.Points, Point{x, rapid.Float64Range(-1, 2).Draw(t, "share")})
		}
		for _, p := range []Picture{Funnel("", bars), Stacks("", []string{"a", "b"}, []string{"c"}, stacks), Groups("", []string{"a", "b"}, groups), Curves("", "", []Curve{curve})} {
			for _, b := range p.Boxes {
				inside(t, &p, b.X, b.Y)
				inside(t, &p, b.X+b.W, b.Y+b.H)
				if b.W < 0 || b.H < 0 {
					t.Fatalf("box %+v", b)
				}
			}
			for _, l := range p.Lines {
				for _, pair := range strings.Fields(l.Points) {
					x, y, _ := strings.Cut(pair, ",")
					inside(t, &p, read(t, x), read(t, y))
				}
			}
			for _, w := range p.Words {
				inside(t, &p, w.X, w.Y)
			}
		}
	})
}

func read(t *rapid.T, text string) N {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return N(x)
}

func inside(t *rapid.T, p *Picture, x, y N) {
	const slack = 0.01
	if !(x >= -slack && x <= Width+slack && y >= -slack && y <= p.Height+slack) {
		t.Fatalf("%v,%v is outside of %v high", x, y, p.Height)
	}
}
