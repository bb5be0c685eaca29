package lifecycle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// date is a trait read as a date.
type date struct {
	at    Instant     // of a plain date the start of the day in the plan's zone
	day   calendarDay // in the plan's zone
	plain bool        // a date without a time
}

// Whole numbers are seconds or milliseconds since 1970, told apart by their
// size: each from the year 1973 to 5138. What is smaller is no time (20261122
// would be a day of 1970).
const (
	leastSeconds = 100_000_000
	leastMillis  = leastSeconds * 1000
	mostMillis   = leastMillis * 1000
)

// maxDateBytes is longer than any date.
const maxDateBytes = 40

// readDate reads a trait strictly: RFC 3339 with an offset, a date alone, or
// whole seconds or milliseconds since 1970 as a number or in digits.
func readDate(v any, zone *time.Location) (date, bool) {
	switch x := v.(type) {
	case int64:
		return readEpoch(x, zone)
	case float64:
		if x < leastSeconds || x >= mostMillis || x != float64(int64(x)) {
			return date{}, false
		}
		return readEpoch(int64(x), zone)
	case string:
		return readDateText(x, zone)
	}
	return date{}, false
}

func readDateText(s string, zone *time.Location) (date, bool) {
	if len(s) < len("100000000") || len(s) > maxDateBytes {
		return date{}, false
	}
	if len(s) == len(time.DateOnly) && s[4] == '-' {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return date{}, false
		}
		d := calendarDay(floorDiv(t.Unix(), secondsPerDay))
		return date{dayStart(d, zone), d, true}, true
	}
	if s[4] == '-' {
		t, err := time.Parse(time.RFC3339Nano, s)
		// Parse also takes an hour of one digit, and a comma.
		if err != nil || len(s) < len("2026-01-02T03:04:05Z") || s[13] != ':' || strings.Contains(s, ",") {
			return date{}, false
		}
		return dateAt(Instant(t.UnixMicro()), zone), true
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return date{}, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return date{}, false
	}
	return readEpoch(n, zone)
}

func readEpoch(n int64, zone *time.Location) (date, bool) {
	switch {
	case n < leastSeconds || n >= mostMillis:
		return date{}, false
	case n < leastMillis:
		return dateAt(Instant(n)*microsPerSec, zone), true
	}
	return dateAt(Instant(n)*1000, zone), true
}

func dateAt(at Instant, zone *time.Location) date { return date{at: at, day: today(at, zone)} }

// dateNote says in words how a trait was read as a date.
func dateNote(v any, zone *time.Location, now Instant) string {
	if v == nil {
		return "there is no such trait"
	}
	d, ok := readDate(v, zone)
	if !ok {
		return "cannot be read as a date (want RFC 3339, a date such as 2026-11-22, or seconds or milliseconds since 1970)"
	}
	text := d.at.Time().In(zone).Format(time.RFC3339)
	if d.plain {
		text = time.Unix(int64(d.day)*secondsPerDay, 0).UTC().Format(time.DateOnly)
	}
	days := int64(d.day - today(now, zone))
	switch {
	case days > 0:
		return fmt.Sprintf("%s, %d days ahead in %s", text, days, zone)
	case days < 0:
		return fmt.Sprintf("%s, %d days ago in %s", text, -days, zone)
	}
	return fmt.Sprintf("%s, today in %s", text, zone)
}
