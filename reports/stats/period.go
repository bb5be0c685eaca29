package stats

import (
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
)

// Unit is the length of the periods that people are counted by.
type Unit string

// The units there are. Weeks begin on Monday (ISO 8601).
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
)

// Period numbers the days, weeks or months of the calendar of a place, so that
// the next one has the next number. Day 0 is 1 January 1970, week 0 the week
// that holds it, month 0 January 1970.
type Period int64

// Monday of week 0 is three days before day 0, which was a Thursday.
const mondayOffset = 3

// ParseUnit reads "day", "week" or "month".
func ParseUnit(text string) (Unit, error) {
	switch u := Unit(text); u {
	case Day, Week, Month:
		return u, nil
	}
	return "", fmt.Errorf("stats: unit %q is none of %s, %s, %s", text, Day, Week, Month)
}

// Of gives the period that an instant lies in, by the clocks of a place. An
// unknown unit counts days.
func (u Unit) Of(at lifecycle.Instant, in *time.Location) Period {
	if in == time.UTC && u != Month { // no calendar is needed, and there are many to tell
		day := floor(int64(at), 24*60*60*1e6)
		if u == Week {
			return Period(floor(day+mondayOffset, 7))
		}
		return Period(day)
	}
	y, m, d := at.Time().In(in).Date()
	if u == Month {
		return Period(y-1970)*12 + Period(m-time.January)
	}
	day := floor(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix(), 24*60*60)
	if u == Week {
		return Period(floor(day+mondayOffset, 7))
	}
	return Period(day)
}

// Start is the first instant of a period by the clocks of a place. Where
// midnight does not exist, since clocks are put forward then, the day begins at
// the next moment; where it exists twice, at the first.
func (u Unit) Start(p Period, in *time.Location) lifecycle.Instant {
	y, m, d := u.date(p)
	t := time.Date(y, m, d, 0, 0, 0, 0, in)
	// Which of two midnights Date gives is not promised, nor on which side of a
	// missing one.
	if earlier := t.Add(-time.Hour); earlier.Day() == d {
		t = earlier
	}
	if _, next := t.ZoneBounds(); t.Day() != d && !next.IsZero() {
		t = next
	}
	return lifecycle.Instant(t.UnixMicro())
}

// Label names a period as ISO 8601 does: 2026-11-22, 2026-W47, 2026-11.
func (u Unit) Label(p Period) string {
	y, m, d := u.date(p)
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	switch u {
	case Month:
		return t.Format("2006-01")
	case Week:
		year, week := t.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	}
	return t.Format(time.DateOnly)
}

// date is the first day of a period.
func (u Unit) date(p Period) (int, time.Month, int) {
	switch u {
	case Month:
		return 1970 + int(floor(int64(p), 12)), time.January + time.Month(int64(p)-12*floor(int64(p), 12)), 1
	case Week:
		p = 7*p - mondayOffset
	}
	return time.Unix(int64(p)*24*60*60, 0).UTC().Date()
}

// floor divides towards minus infinity, so that days before 1970 count too.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
