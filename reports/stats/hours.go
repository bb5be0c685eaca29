package stats

import (
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Hours are the business hours of a place.
type Hours struct {
	in       *time.Location
	week     [7]Open
	holidays map[Period]bool
}

// Open is one day's hours, as times since midnight on the clocks there. Equal
// ends, the zero value too, are a closed day.
type Open struct {
	From, To time.Duration
}

// maxDays bounds what Between walks through day by day: a hundred years.
const maxDays = 36_600

// NewHours sets business hours, at i those of time.Weekday(i), Sunday first,
// and days (periods of the unit Day) on which it is closed all the same. The
// error wraps ErrCounts for hours outside a day; To may be 24 hours.
func NewHours(in *time.Location, week [7]Open, holidays []Period) (Hours, error) {
	h := Hours{in: in, week: week, holidays: make(map[Period]bool, len(holidays))}
	for i, o := range week {
		if o.From < 0 || o.To < o.From || o.To > 24*time.Hour {
			return Hours{}, fmt.Errorf("stats: hours: %w: %s from %s to %s", ErrCounts, time.Weekday(i), o.From, o.To)
		}
	}
	for _, p := range holidays {
		h.holidays[p] = true
	}
	return h, nil
}

// Between is how much of the time from one instant to another lies in business
// hours; zero where to is not after from. A wait that begins at night begins to
// count in the morning. Days on which clocks are changed are counted as they
// pass. Of more than a hundred years the first hundred count.
func (h Hours) Between(from, to lifecycle.Instant) time.Duration {
	if to <= from {
		return 0
	}
	var total lifecycle.Instant
	first := Day.Of(from, h.in)
	last := min(Day.Of(to, h.in), first+maxDays)
	for day := first; day <= last; day++ {
		open, shut, ok := h.on(day)
		if !ok {
			continue
		}
		if part := min(to, shut) - max(from, open); part > 0 {
			total += part
		}
	}
	return time.Duration(total) * time.Microsecond
}

// on gives the instants between which a day is open.
func (h Hours) on(day Period) (open, shut lifecycle.Instant, ok bool) {
	y, m, d := Day.date(day)
	hours := h.week[time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday()]
	if hours.From == hours.To || h.holidays[day] {
		return 0, 0, false
	}
	// By the clock on the wall, not by adding to midnight: nine o'clock is nine
	// o'clock on the day that clocks change too.
	wall := func(since time.Duration) lifecycle.Instant {
		return lifecycle.Instant(time.Date(y, m, d, 0, 0, int(since/time.Second), int(since%time.Second), h.in).UnixMicro())
	}
	return wall(hours.From), wall(hours.To), true
}
