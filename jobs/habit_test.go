package jobs

import "testing"

// TestSilence: a source is silent against its own habit of the week, and one
// without such a habit never is.
func TestSilence(t *testing.T) {
	t.Parallel()
	const now = 500_000 // an hour
	// at gives, for each of the last weeks, n events in each hour that busy says.
	at := func(weeks int64, n int64, busy func(hourOfWeek int64) bool, quiet int64) map[int64]int64 {
		hours := map[int64]int64{}
		for h := now - weeks*hoursOfWeek; h <= now-quiet; h++ {
			if busy(h % hoursOfWeek) {
				hours[h] = n
			}
		}
		return hours
	}
	always := func(int64) bool { return true }
	for _, c := range []struct {
		name   string
		hours  map[int64]int64
		quiet  int64
		silent bool
	}{
		{"busy for weeks, nothing for two hours", at(5, 20, always, 2), 1, true},
		{"busy for weeks, still so", at(5, 20, always, 0), 0, false},
		{"a few an hour, nothing for eight hours", at(5, 2, always, 8), 6, true},
		{"a few an hour, nothing for four hours", at(5, 2, always, 4), 0, false},
		{"known for two weeks only", at(2, 20, always, 8), 0, false},
		{"one a day is rare", at(5, 1, func(h int64) bool { return h%24 == 0 }, 100), 0, false},
		{"rests in these hours of the week", at(5, 50, func(h int64) bool { return (now%hoursOfWeek-h+hoursOfWeek)%hoursOfWeek > 30 }, 0), 0, false},
		{"never heard of", nil, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			quiet, habit, silent := silence(c.hours, now)
			if silent != c.silent || quiet != c.quiet || silent && habit < habitEvents {
				t.Errorf("silent %v for %d hours, habit %d; want %v for %d", silent, quiet, habit, c.silent, c.quiet)
			}
		})
	}
}
