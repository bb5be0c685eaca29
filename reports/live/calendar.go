package live

import (
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

const (
	// defaultPeriods is how many periods a report by period shows where no first
	// day is named, and maxCalendar how many it can.
	defaultPeriods = 12
	maxCalendar    = 400
)

// calendar is the periods that a report by period looks at, whole ones only:
// in one that still runs not everything has happened yet.
type calendar struct {
	unit  stats.Unit
	zone  *time.Location
	first stats.Period
	// edges are the first instants of the periods and, at last, the end of the
	// last one: one more than there are periods.
	edges []lifecycle.Instant
	cut   bool // earlier periods were asked for than are shown
}

// newCalendar gives the periods that begin at or after From and are over by the
// end of observation.
func newCalendar(o *Options, unit stats.Unit) *calendar {
	c := &calendar{unit: unit, zone: o.Zone}
	// The period that the end lies in is over only where the end is its first
	// instant, so the one before it is the last.
	last := unit.Of(o.end(), o.Zone) - 1
	c.first = last - defaultPeriods + 1
	if o.From != 0 {
		c.first = unit.Of(o.From, o.Zone)
		if unit.Start(c.first, o.Zone) < o.From {
			c.first++
		}
	}
	if last-c.first >= maxCalendar {
		c.first, c.cut = last-maxCalendar+1, true
	}
	for p := c.first; p <= last+1; p++ {
		c.edges = append(c.edges, unit.Start(p, o.Zone))
	}
	return c
}

// len is how many periods there are.
func (c *calendar) len() int { return max(0, len(c.edges)-1) }

func (c *calendar) start(i int) lifecycle.Instant { return c.edges[i] }
func (c *calendar) end(i int) lifecycle.Instant   { return c.edges[i+1] }
func (c *calendar) label(i int) string            { return c.unit.Label(c.first + stats.Period(i)) }

// index gives the period that an instant lies in, or -1.
func (c *calendar) index(at lifecycle.Instant) int {
	if c.len() == 0 || at < c.edges[0] || at >= c.edges[len(c.edges)-1] {
		return -1
	}
	i, found := slices.BinarySearch(c.edges, at)
	if !found {
		i--
	}
	return i
}

// say tells which periods are shown.
func (c *calendar) say(r *Report) {
	if c.len() == 0 {
		r.note("no whole %s is over in the time asked for", c.unit)
		return
	}
	r.note("whole %ss from %s to %s, by the calendar of %s; the one that still runs is left out", c.unit, c.label(0), c.label(c.len()-1), c.zone)
	if c.cut {
		r.note("earlier %ss are left out: at most %d are shown", c.unit, maxCalendar)
	}
}
