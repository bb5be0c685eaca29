package live

import (
	"cmp"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// Events of the vocabulary that reports know by name.
const (
	dealCreated   lifecycle.EventName = "Deal:Created"
	dealWon       lifecycle.EventName = "Deal:Won"
	dealLost      lifecycle.EventName = "Deal:Lost"
	leadCreated   lifecycle.EventName = "Lead:Created"
	leadContacted lifecycle.EventName = "Lead:Contacted"
)

// saleKey tells sales apart. A deal with an id, or a business key, is one deal
// whichever of its people told of it; else a person has one.
type saleKey struct {
	thing  thing
	person lifecycle.ProfileID
}

// sale is a deal, or the way of a person to the first event that counts as won.
// Instants are zero for what was never told.
type sale struct {
	opened     lifecycle.Instant // Deal:Created
	lead       lifecycle.Instant // the first of its people became a lead
	seen       lifecycle.Instant // the first event of any of its people
	won, lost  lifecycle.Instant
	pipeline   string
	pipelineAt lifecycle.Instant
	money      lifecycle.Money // as the event of moneyAt told, the win where moneyWon
	moneyAt    lifecycle.Instant
	moneyWon   bool
	unrated    bool // an amount was told that there is no rate for
}

// begins gives where the cycle starts; zero where that was never told.
func (s *sale) begins(from CycleStart) lifecycle.Instant {
	switch from {
	case FromLead:
		return s.lead
	case FromFirstTouch:
		return s.seen
	}
	return s.opened
}

// outcome is when it was closed last, and whether it was won then. A deal that
// was lost and then won is won.
func (s *sale) outcome() (at lifecycle.Instant, won bool) {
	if s.won != 0 && s.won >= s.lost {
		return s.won, true
	}
	return s.lost, false
}

// sales gathers them from people.
type sales struct {
	o   *Options
	all map[saleKey]*sale
	exchange
}

func newSales(o *Options) sales {
	return sales{o: o, all: map[saleKey]*sale{}, exchange: newExchange(o)}
}

func earlier(a, b lifecycle.Instant) lifecycle.Instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (c *sales) take(p *summary.Person) error {
	var seen, lead lifecycle.Instant
	var mine []*sale
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= c.o.end() {
			break
		}
		seen = earlier(seen, e.At)
		if e.Name == leadCreated {
			lead = earlier(lead, e.At)
		}
		key, ok := c.key(p, e)
		if !ok {
			continue
		}
		s := c.all[key]
		if s == nil {
			s = &sale{}
			c.all[key] = s
		}
		if !slices.Contains(mine, s) {
			mine = append(mine, s)
		}
		c.tell(s, e)
	}
	for _, s := range mine {
		s.seen, s.lead = earlier(s.seen, seen), earlier(s.lead, lead)
	}
	return nil
}

// key gives the sale that an event is about.
func (c *sales) key(p *summary.Person, e *summary.Event) (saleKey, bool) {
	if len(c.o.Won) > 0 {
		return saleKey{person: p.ID}, e.Name == dealCreated || slices.Contains(c.o.Won, e.Name)
	}
	switch e.Name {
	case dealCreated, "Deal:Advanced", dealWon, dealLost:
	default:
		return saleKey{}, false
	}
	t := thingOf(e, "deal")
	if t.connection != "" {
		return saleKey{t, p.ID}, true
	}
	return saleKey{thing: t}, true
}

// tell adds what an event says. People tell of one deal in any order, so every
// field is the earliest or the newest of what was told.
func (c *sales) tell(s *sale, e *summary.Event) {
	wins := e.Name == dealWon && len(c.o.Won) == 0 || slices.Contains(c.o.Won, e.Name)
	switch {
	case wins:
		s.won = earlier(s.won, e.At)
	case e.Name == dealLost:
		s.lost = earlier(s.lost, e.At)
	case e.Name == dealCreated:
		s.opened = earlier(s.opened, e.At)
	}
	if name := e.Property("pipeline"); name != "" && (e.At > s.pipelineAt || e.At == s.pipelineAt && name > s.pipeline) {
		s.pipeline, s.pipelineAt = name, e.At
	}
	if e.Amount.Currency == "" {
		return
	}
	m, ok := c.exchange.of(e.Amount)
	if !ok {
		s.unrated = true
		return
	}
	// The amount of the first win counts, and before that the newest.
	newer := cmp.Compare(e.At, s.moneyAt)
	if wins {
		newer = -newer
	}
	switch same := wins == s.moneyWon; {
	case wins && !same:
	case !wins && !same, newer < 0:
		return
	case newer == 0 && cmp.Or(cmp.Compare(m.Currency, s.money.Currency), cmp.Compare(m.Micros, s.money.Micros)) <= 0:
		return
	}
	s.money, s.moneyAt, s.moneyWon = m, e.At, wins
}

// closed tells whether a sale was closed in the period, and how.
func (c *sales) closed(s *sale) (won, lost bool) {
	at, wins := s.outcome()
	if at == 0 || at < c.o.From || at >= c.o.end() {
		return false, false
	}
	return wins, !wins
}

// sorted gives all sales in an order that depends on nothing but them.
func (c *sales) sorted() []*sale {
	list := make([]*sale, 0, len(c.all))
	for _, s := range c.all {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *sale) int {
		return cmp.Or(cmp.Compare(a.won, b.won), cmp.Compare(a.lost, b.lost), cmp.Compare(a.opened, b.opened), cmp.Compare(a.money.Micros, b.money.Micros))
	})
	return list
}
