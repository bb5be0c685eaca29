package expression

import (
	"fmt"
	"math"
	"time"
)

// Time is an instant in UTC microseconds since 1970, as the functions
// parseTime, fromUnix, fromUnixMilli and fromUnixMicro give it. Times compare
// with each other only.
type Time int64

// String gives RFC 3339 in UTC.
func (t Time) String() string { return time.UnixMicro(int64(t)).UTC().Format(time.RFC3339Nano) }

// The years that a time may lie in, 1900 to 9999 in microseconds. Microseconds
// and milliseconds mistaken for seconds are far outside.
const (
	earliest = -2_208_988_800_000_000
	latest   = 253_402_300_800_000_000 - 1
)

// layouts are tried in this order. One without a zone is UTC.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02 15:04:05.999999999",       // Mailchimp, and SQL dumps
	"2006-01-02T15:04:05.999999999",       // ISO 8601 without a zone
	"2006-01-02T15:04:05.999999999Z0700",  // Salesforce: +0000
	"2006-01-02 15:04:05.999999999Z07:00", // with a space, zone directly behind
	"2006-01-02 15:04:05.999999999 Z0700",
	"2006-01-02 15:04:05.999999999 UTC",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02 15:04",
	"2006-01-02",
	time.RFC1123Z,
	time.RFC1123,
	time.ANSIC,
}

// ParseTime reads a time as vendors write it: RFC 3339, its forms with a space
// or without a zone (then UTC), a date alone (midnight UTC), and the form of
// e-mail and HTTP headers. It gives false for anything else, also for a bare
// number, whose unit nobody knows.
func ParseTime(s string) (Time, bool) {
	if len(s) < len("2006-01-02") || len(s) > 64 {
		return 0, false
	}
	for _, layout := range layouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if (layout == time.RFC1123) && t.Location().String() != "UTC" && t.Location().String() != "GMT" {
			return 0, false // a zone by name could be anywhere
		}
		return checkTime(t.UnixMicro())
	}
	return 0, false
}

func checkTime(micros int64) (Time, bool) {
	if micros < earliest || micros > latest {
		return 0, false
	}
	return Time(micros), true
}

// fromUnix gives a function that reads a number of units since 1970, each of
// so many microseconds.
func fromUnix(name string, micros int64) Func {
	return Func{Min: 1, Max: 1, Call: func(_ *Machine, args []any) (any, error) {
		if args[0] == nil {
			return nil, nil
		}
		n, ok := toNumber(args[0])
		if !ok {
			return nil, fmt.Errorf("%s(%s): want a number", name, describe(args[0]))
		}
		var at Time
		if n.whole {
			ok = n.i <= math.MaxInt64/micros && n.i >= math.MinInt64/micros
			if ok {
				at, ok = checkTime(n.i * micros)
			}
		} else if f := n.f * float64(micros); f > float64(earliest) && f < float64(latest) {
			at, ok = checkTime(int64(math.Round(f)))
		} else {
			ok = false
		}
		if !ok {
			return nil, fmt.Errorf("%s(%s) is not between the years 1900 and 9999; is the unit right?", name, describe(args[0]))
		}
		return at, nil
	}}
}

func parseTime(_ *Machine, args []any) (any, error) {
	switch x := args[0].(type) {
	case nil:
		return nil, nil
	case Time:
		return x, nil
	case string:
		if x == "" {
			return nil, nil
		}
		if t, ok := ParseTime(x); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("parseTime(%s): not a time; a number needs fromUnix or fromUnixMilli", describe(args[0]))
}
