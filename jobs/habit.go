package jobs

// When a source counts as silent: nothing came for some hours, while in each of
// the weeks before that are known at least habitEvents came within the same
// hours of the week. So a source that is rare by nature, or rests at night and
// on Sundays, is never called silent.
const (
	habitWeeks   = 4
	habitAtLeast = 3 // weeks that must be known
	habitEvents  = 10
	hoursOfWeek  = 7 * 24
)

// silenceSpans are the hours that are looked at, the shortest first.
func silenceSpans() []int64 { return []int64{1, 2, 3, 6, 12, 24} }

// silence tells whether a source is silent against its habit: for how many full
// hours, and how few events at least came within them in other weeks. hours
// counts events by hour; the present one is not full yet.
func silence(hours map[int64]int64, now int64) (quiet, habit int64, silent bool) {
	first := now
	for h := range hours {
		first = min(first, h)
	}
	for _, span := range silenceSpans() {
		if within(hours, now-span, now) > 0 {
			return 0, 0, false
		}
		weeks, least := 0, int64(-1)
		for w := int64(1); w <= habitWeeks; w++ {
			from := now - span - w*hoursOfWeek
			if from < first {
				break // not known
			}
			n := within(hours, from, from+span-1)
			if weeks++; least < 0 || n < least {
				least = n
			}
		}
		if weeks >= habitAtLeast && least >= habitEvents {
			return span, least, true
		}
	}
	return 0, 0, false
}

// within adds up the events of hours from one to another, both included.
func within(hours map[int64]int64, from, to int64) int64 {
	var n int64
	for h := from; h <= to; h++ {
		n += hours[h]
	}
	return n
}
