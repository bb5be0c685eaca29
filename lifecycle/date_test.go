package lifecycle

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestReadDate(t *testing.T) {
	t.Parallel()
	berlin := zoneOf(t, "Europe/Berlin")
	for name, c := range map[string]struct {
		value any
		want  string // in Berlin; empty: unreadable
	}{
		"with an offset":           {"2026-11-22T23:30:00Z", "2026-11-23T00:30:00+01:00"},
		"with a fraction":          {"2026-07-01T00:00:00.25+02:00", "2026-07-01T00:00:00.25+02:00"},
		"a date begins there":      {"2026-11-22", "2026-11-22T00:00:00+01:00"},
		"a leap day":               {"2028-02-29", "2028-02-29T00:00:00+01:00"},
		"seconds":                  {int64(1_767_225_600), "2026-01-01T01:00:00+01:00"},
		"milliseconds":             {int64(1_767_225_600_500), "2026-01-01T01:00:00.5+01:00"},
		"seconds as a text":        {"1767225600", "2026-01-01T01:00:00+01:00"},
		"a whole float":            {1_767_225_600.0, "2026-01-01T01:00:00+01:00"},
		"before 1970":              {"1961-04-12", "1961-04-12T00:00:00+01:00"},
		"no offset":                {"2026-11-22T23:30:00", ""},
		"a space":                  {"2026-11-22 23:30:00Z", ""},
		"one digit":                {"2026-11-22T3:30:00Z", ""},
		"a comma":                  {"2026-11-22T13:30:00,5Z", ""},
		"no such day":              {"2026-02-29", ""},
		"the month first":          {"11/22/2026", ""},
		"a compact date":           {int64(20_261_122), ""},
		"a compact date in digits": {"20261122", ""},
		"microseconds":             {int64(1_767_225_600_000_000), ""},
		"half a second":            {1_767_225_600.5, ""},
		"negative":                 {int64(-5_000_000_000), ""},
		"not a number":             {math.NaN(), ""},
		"endless":                  {math.Inf(1), ""},
		"words":                    {"next tuesday", ""},
		"with a sign":              {"+1767225600", ""},
		"empty":                    {"", ""},
		"nothing":                  {nil, ""},
		"a flag":                   {true, ""},
		"a list":                   {[]any{"2026-11-22"}, ""},
		"very long":                {strings.Repeat("1", 5000), ""},
	} {
		d, ok := readDate(c.value, berlin)
		got := ""
		if ok {
			got = d.at.Time().In(berlin).Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s: %v is read as %q, want %q", name, c.value, got, c.want)
		}
	}
}

// The start of a day is the first second whose date is that day or later, by
// asking second after second; and the days count up without a gap or a return.
func TestDayStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, start string }{
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},       // clocks go forward at two
		{"Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"},       // the day after 25 hours
		{"America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00Z"},   // midnight does not exist
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},      // clocks go back at one
		{"America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z"},    // back over midnight at 00:01
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},        // a day that was left out
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},        // the same instant
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z"}, // half an hour
		{"Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z"},
		{"UTC", "2026-01-01", "2026-01-01T00:00:00Z"},
	} {
		zone := zoneOf(t, c.zone)
		d, ok := readDate(c.day, zone)
		if got := d.at.Time().Format(time.RFC3339); !ok || got != c.start {
			t.Errorf("%s in %s begins at %s, want %s", c.day, c.zone, got, c.start)
		}
		for s := range Instant(4 * 3600) {
			at := d.at + (s-2*3600)*microsPerSec
			if begun := today(at, zone) >= d.day; begun != (at >= d.at) {
				t.Errorf("%s in %s: %d s after its start it has begun: %v", c.day, c.zone, s-2*3600, begun)
				break
			}
		}
	}
}

func TestPropertyDaysFollowEachOther(t *testing.T) {
	t.Parallel()
	var zones []*time.Location
	for _, name := range []string{"Europe/Berlin", "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia", "Asia/Beirut", "Africa/Casablanca", "America/Juneau"} {
		zones = append(zones, zoneOf(t, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		d := calendarDay(rapid.Int64Range(-40_000, 40_000).Draw(t, "day"))
		start, next := dayStart(d, zone), dayStart(d+1, zone)
		if next < start || next > start+49*3600*microsPerSec {
			t.Fatalf("day %d begins at %s, the next at %s", d, start.Time(), next.Time())
		}
		if next == start {
			return // left out
		}
		for _, at := range []Instant{start, start + Instant(rapid.Int64Range(0, int64(next-start-1)).Draw(t, "later")), next - 1} {
			if got := today(at, zone); got != d {
				t.Fatalf("%s is day %d, want %d", at.Time(), got, d)
			}
		}
		if dayOf(start-1, zone) >= d {
			t.Fatalf("the clock shows day %d before its start", d)
		}
	})
}

func TestDateConditions(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `
name: trials
zone: Europe/Berlin
stages: [ { name: Visit } ]
segments:
  ending: days_until(traits.trial_ends_at) in [3, 1, 0]
  soon: days_until("trial_ends_at") <= 3 && days_until(traits.trial_ends_at) >= 0
  over: days_since("traits.trial_ends_at") >= 1
  last_day: "!before(traits.trial_ends_at, '1d') && before(traits.trial_ends_at)"
  aftermath: after(traits.trial_ends_at, "2h")
  deep: after(traits.subscription.ends)
`)
	told := event(1, start, "Trial:Started")
	told.Traits = []Trait{
		{"trial_ends_at", "2026-03-29T10:00:00+02:00", 0},
		{"subscription", map[string]any{"ends": "2026-03-28"}, 0},
	}
	prof, list := p.Derive(1, []Event{told}, start+60*day)
	var got []string
	for _, tr := range list[1:] {
		text := tr.At.Time().In(p.Zone()).Format("01-02 15:04:05")
		for _, s := range tr.Entered {
			text += " +" + string(s)
		}
		for _, s := range tr.Exited {
			text += " -" + string(s)
		}
		got = append(got, text)
	}
	want := []string{
		"03-26 00:00:00 +ending +soon",
		"03-27 00:00:00 -ending",
		"03-28 00:00:00 +deep +ending",
		"03-28 09:00:00 +last_day", // a day of 24 hours before, over a change of clocks
		"03-29 10:00:00 -last_day",
		"03-29 12:00:00 +aftermath",
		"03-30 00:00:00 +over -ending -soon",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if prof.NextCheck != 0 {
		t.Errorf("something is still expected at %s", prof.NextCheck.Time())
	}
}

func TestDateExplanations(t *testing.T) {
	t.Parallel()
	p := mustPlan(t, `
name: trials
zone: America/New_York
stages: [ { name: Visit } ]
segments:
  soon: days_until(traits.ends) <= 3
  begun: after(traits.begins)
  never_told: before(traits.gone)
`)
	told := event(1, start, "Trial:Started")
	told.Traits = []Trait{{"ends", "2026-03-05", 0}, {"begins", "soon", 0}}
	prof, _ := p.Derive(1, []Event{told}, start)
	x := p.Explain(prof, start)
	for i, want := range []string{
		"cannot be read as a date (want RFC 3339, a date such as 2026-11-22, or seconds or milliseconds since 1970)",
		"there is no such trait",
		"2026-03-05, 4 days ahead in America/New_York",
	} {
		if got := x.Segments[i].Why; got.Note != want || got.Holds {
			t.Errorf("%s: %v, %q, want %q", x.Segments[i].Name, got.Holds, got.Note, want)
		}
	}
	if due := x.Segments[2].Due.Time().Format(time.RFC3339); due != "2026-03-02T05:00:00Z" {
		t.Errorf("three days before begin at %s", due)
	}
	if x.Segments[0].Why.Value != "soon" {
		t.Errorf("the value is %v", x.Segments[0].Why.Value)
	}
}

func TestDateMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`days_until(traits.x)`:                           "is a number; compare it",
		`days_until(traits.x) <= "3"`:                    "whole numbers only",
		`days_until(traits.x) <= 1.5`:                    "whole numbers only",
		`days_until(traits.x) <= days_since(traits.y)`:   "a whole number only",
		`days_until(traits.x) in [1, "a"]`:               "whole numbers only",
		`days_since(seen) == 1`:                          "wants a trait here",
		`days_since() == 1`:                              "takes one argument",
		`before("")`:                                     "wants a trait here",
		`before(traits.x, "soon")`:                       "is not a duration",
		`after(traits.x, "1d", "2d")`:                    "takes 1 to 2 arguments",
		`3 < days_until(traits.x, traits.y)`:             "takes one argument",
		`before(traits.x) == true`:                       "is a yes/no function",
		`days_until(traits.x) == 99999999999`:            "at most 36500",
		`days_until(traits.x) == -9223372036854775807`:   "at most 36500",
		`traits.y == days_until(traits.x)`:               "a whole number only",
		`days_until(traits.x) == nil`:                    "whole numbers only",
		`days_untill(traits.x) == 1`:                     "can't be compared",
		`count("A:B") > days_until(traits.x)`:            "a whole number only",
		`days_until(traits.x) == days_until(traits.x)`:   "a whole number only",
		`afterwards(traits.x)`:                           "there is no function",
		`seen("A:B") && after(count("A:B"))`:             "wants a trait here",
		`days_until("traits.") == 1`:                     "wants a trait here",
		`days_until(traits.x) in [traits.y]`:             "is not a constant",
		`days_until(traits.x) + 1 == 3`:                  "can't be compared",
		`not days_until(traits.x) == 3`:                  "binds tighter",
		`days_until("` + strings.Repeat("x", 200) + `")`: "is a number",
	} {
		_, err := ParsePlan("plan.yaml", []byte("name: x\nstages: [ { name: A } ]\nsegments:\n  s: |\n    "+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	for zone, ok := range map[string]bool{
		"Europe/Berlin": true, "UTC": true, "Etc/GMT+5": true,
		"Local": false, "Berlin": false, "../../etc/passwd": false, "/etc/localtime": false, "Europe": false, "europe\\berlin": false,
	} {
		_, err := ParsePlan("plan.yaml", []byte("name: x\nzone: "+zone+"\nstages: [ { name: A } ]\n"))
		if (err == nil) != ok {
			t.Errorf("zone %s: %v", zone, err)
		}
	}
}
