package lifecycle

import (
	"time"
	_ "time/tzdata" // zones must be known where the machine has no list of them
)

// zone reads the time zone whose midnights begin the days that days_until and
// days_since count.
func (d *planReader) zone() {
	d.p.zone = time.UTC
	name := d.r.OptText("zone")
	if name == "" {
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		d.r.Fail("zone", "%q is no time zone; write it as Europe/Berlin, America/New_York or UTC", cutText(name, 80))
		return
	}
	d.p.zone = zone
}

// Zone gives the time zone of the plan's calendar.
func (p *Plan) Zone() *time.Location { return p.zone }

// calendarDay numbers the days of a calendar from 1970-01-01, which is 0.
type calendarDay int64

const (
	secondsPerDay = 86400
	microsPerSec  = 1_000_000
)

// dayOf numbers the date that a clock in the zone shows.
func dayOf(i Instant, zone *time.Location) calendarDay {
	t := time.UnixMicro(int64(i)).In(zone)
	_, offset := t.Zone()
	return calendarDay(floorDiv(t.Unix()+int64(offset), secondsPerDay))
}

// today is the latest day that has begun: the date that the clock shows but
// where clocks were put back over midnight, since a day begins only once.
func today(now Instant, zone *time.Location) calendarDay {
	d := dayOf(now, zone)
	for now >= dayStart(d+1, zone) {
		d++
	}
	return d
}

// dayStart gives the first instant at which a clock in the zone shows this day
// or a later one: midnight, or the instant at which clocks were put forward over
// midnight, or over the whole day.
func dayStart(d calendarDay, zone *time.Location) Instant {
	midnight := int64(d) * secondsPerDay
	at := time.Unix(midnight-secondsPerDay, 0).In(zone) // no zone is a day off
	for {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		first := max(midnight-int64(offset), at.Unix())
		if end.IsZero() || first < end.Unix() {
			return Instant(first) * microsPerSec
		}
		at = end
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
