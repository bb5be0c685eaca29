package live

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// subscriptionCategory starts the names of the events that tell of subscriptions.
const subscriptionCategory = "Subscription:"

// thing tells things apart that several events are about: by the id that they
// carry as a property, else by the business key, else a person has one at each
// connection.
type thing struct {
	id         string
	key        uint64
	connection string
}

func thingOf(e *summary.Event, property string) thing {
	switch id := e.Property(property); {
	case id != "":
		return thing{id: id}
	case e.Key != 0:
		return thing{key: e.Key}
	}
	return thing{connection: e.Connection}
}

// subscription is one of a person's, as the events told up to some instant.
type subscription struct {
	interval        string
	began           lifecycle.Instant // zero: never told
	ended           lifecycle.Instant // zero: it has not
	money           lifecycle.Money   // a month, in the currency that counts; none: not told
	running, paused bool
}

// pays is what is paid for it a month.
func (s *subscription) pays() int64 {
	if !s.running || s.paused {
		return 0
	}
	return s.money.Micros
}

// step is what a person pays a month from an instant on.
type step struct {
	at     lifecycle.Instant
	micros int64
}

// payments are what one person pays a month over time, in one currency: steps
// in the order of time, one for each instant. Before the first nothing is paid.
type payments []step

// before gives the amount just before an instant.
func (p payments) before(at lifecycle.Instant) int64 {
	i, _ := slices.BinarySearchFunc(p, at, func(s step, at lifecycle.Instant) int { return cmp.Compare(s.at, at) })
	if i == 0 {
		return 0
	}
	return p[i-1].micros
}

// paidBefore tells whether anything was paid before an instant.
func (p payments) paidBefore(at lifecycle.Instant) bool {
	for _, s := range p {
		if s.at >= at {
			return false
		}
		if s.micros > 0 {
			return true
		}
	}
	return false
}

// set writes down the amount from an instant on.
func (p payments) set(at lifecycle.Instant, micros int64) payments {
	n := len(p)
	switch {
	case n > 0 && p[n-1].at == at:
		p[n-1].micros = micros
		return p
	case n == 0 && micros == 0 || n > 0 && p[n-1].micros == micros:
		return p
	}
	return append(p, step{at, micros})
}

// recurring follows the subscriptions of people.
type recurring struct {
	exchange
	unpriced int64 // subscriptions without an amount
	beyond   int64 // amounts that do not fit
}

// contract is what the events tell of one person's subscriptions.
type contract struct {
	all  map[thing]*subscription
	paid map[string]payments // by currency
	// held are the times with at least one subscription that runs and does not
	// rest, whatever it costs.
	held []span
}

// follow reads a person's subscriptions from the events, which are in the order
// of time; nil for somebody without one. A value is the amount per month, as
// the vocabulary says. One that rests, or has ended, pays nothing. A renewal, or
// a change, proves that a subscription runs whose beginning was never told.
func (c *recurring) follow(events []summary.Event, end lifecycle.Instant) *contract {
	var k *contract
	totals, running := map[string]int64(nil), 0
	for i := range events {
		e := &events[i]
		if e.At >= end {
			break
		}
		if !strings.HasPrefix(string(e.Name), subscriptionCategory) {
			continue
		}
		if k == nil {
			k, totals = &contract{all: map[thing]*subscription{}, paid: map[string]payments{}}, map[string]int64{}
		}
		which := thingOf(e, "subscription")
		s := k.all[which]
		if s == nil {
			s = &subscription{}
			k.all[which] = s
		}
		before, currency, ran := s.pays(), s.money.Currency, s.running && !s.paused
		c.turn(s, e)
		totals[currency] -= before
		if s.pays() > math.MaxInt64-totals[s.money.Currency] {
			c.beyond++
			return nil
		}
		totals[s.money.Currency] += s.pays()
		for _, name := range []string{currency, s.money.Currency} {
			if name != "" {
				k.paid[name] = k.paid[name].set(e.At, totals[name])
			}
		}
		if runs := s.running && !s.paused; runs != ran {
			running = k.hold(running, runs, e.At)
		}
	}
	if k == nil {
		return nil
	}
	for _, s := range k.all {
		if s.money.Currency == "" {
			c.unpriced++
		}
	}
	return k
}

// hold begins or ends a time with subscriptions.
func (k *contract) hold(running int, runs bool, at lifecycle.Instant) int {
	switch {
	case runs && running == 0:
		if n := len(k.held); n > 0 && k.held[n-1].to == at {
			k.held[n-1].to = forever
		} else {
			k.held = append(k.held, span{at, forever})
		}
	case !runs && running == 1:
		k.held[len(k.held)-1].to = at
	}
	if runs {
		return running + 1
	}
	return running - 1
}

// turn applies one event to its subscription.
func (c *recurring) turn(s *subscription, e *summary.Event) {
	switch e.Name {
	case "Subscription:Started":
		if s.began == 0 {
			s.began = e.At
		}
		s.running, s.paused, s.ended = true, false, 0
	case "Subscription:Renewed", "Subscription:Resumed":
		s.running, s.paused, s.ended = true, false, 0
	case "Subscription:Upgraded", "Subscription:Downgraded":
		s.running, s.ended = true, 0
	case "Subscription:Paused":
		s.paused = true
		return
	case "Subscription:Canceled":
		s.running, s.paused, s.ended = false, false, e.At
		return
	default:
		return
	}
	if interval := e.Property("interval"); interval != "" {
		s.interval = interval
	}
	if e.Amount.Currency != "" && e.Amount.Micros >= 0 {
		if m, ok := c.exchange.of(e.Amount); ok {
			s.money = m
		}
	}
}

// say tells what could not be counted.
func (c *recurring) say(r *Report) {
	c.exchange.say(r)
	if c.unpriced > 0 {
		r.note("%d subscriptions carry no amount that counts and are taken as paying nothing", c.unpriced)
	}
	if c.beyond > 0 {
		r.note("%d times what is paid was more than can be counted and is left out", c.beyond)
	}
}
