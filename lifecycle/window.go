package lifecycle

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// never is an instant that does not come: the next flip of what stays as it is.
const never Instant = math.MaxInt64

// maxWindow bounds every duration in a plan.
const maxWindow = 36500 * 24 * time.Hour

// ParseWindow reads a duration as plans spell it: a whole number and one of
// the units s, m, h, d (24 hours) and w, for example "90m" or "30d". It is at
// least one second and at most 36500 days.
func ParseWindow(s string) (time.Duration, error) {
	if len(s) < 2 {
		return 0, fmt.Errorf("%q is not a duration; write it as 30d, 12h or 90m", s)
	}
	var unit time.Duration
	switch s[len(s)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = 24 * time.Hour
	case 'w':
		unit = 7 * 24 * time.Hour
	default:
		return 0, fmt.Errorf("%q is not a duration; write it as 30d, 12h or 90m (units s, m, h, d, w)", s)
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; write it as 30d, 12h or 90m", s)
	}
	d := time.Duration(n)
	if d == 0 || d > maxWindow/unit {
		return 0, fmt.Errorf("%q is out of range: a duration is between 1s and 36500d", s)
	}
	return d * unit, nil
}

// span reads an Instant that is a number of microseconds as a duration.
func (i Instant) span() time.Duration { return time.Duration(i) * time.Microsecond }

// after is i plus a span of microseconds, without overflow.
func (i Instant) after(span Instant) Instant {
	if sum := i + span; sum >= i {
		return sum
	}
	return never
}
