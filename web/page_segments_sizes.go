package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/jobs"
)

// sizeDays is how many days back the page of segments looks.
const sizeDays = 90

// sizeLine is a segment's size over time: a line in a box of 100 by 20, and the
// figures at its ends.
type sizeLine struct {
	// Points are "x,y x,y"; empty where nothing is known of earlier days.
	Points string
	// Since is the day of the first figure, First, such as 2026-11-22.
	Since string
	First int64
	// Change since then.
	Change int64
	Most   int64
}

// sizeLineOf draws the sizes of the last days with the size now at the end.
func sizeLineOf(segment string, all []jobs.Sizes, now int64, at time.Time) sizeLine {
	type point struct{ day, n int64 }
	day := func(t time.Time) int64 { return t.Unix() / int64(24*time.Hour/time.Second) }
	today := day(at)
	var points []point
	line := sizeLine{Most: now}
	for _, x := range all {
		if d := day(x.Day); d < today && d >= today-sizeDays {
			points = append(points, point{d, x.Segments[segment]})
			line.Most = max(line.Most, x.Segments[segment])
		}
	}
	if len(points) == 0 {
		return line
	}
	first := points[0]
	points = append(points, point{today, now})
	line.Since, line.First, line.Change = time.Unix(first.day*24*60*60, 0).UTC().Format(time.DateOnly), first.n, now-first.n
	var b strings.Builder
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		x := float64(p.day-first.day) / float64(today-first.day) * 100
		y := 19 - float64(p.n)/float64(max(line.Most, 1))*18
		fmt.Fprintf(&b, "%.1f,%.1f", x, y)
	}
	line.Points = b.String()
	return line
}
