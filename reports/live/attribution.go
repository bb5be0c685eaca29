package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

const (
	// defaultLookback is how long before a conversion a touch counts where
	// nothing else is said.
	defaultLookback = 90 * day24
	// maxJourney bounds the touches of one conversion.
	maxJourney = 2000
)

// models are those shown side by side.
func models() []stats.Model {
	return []stats.Model{stats.FirstTouch, stats.LastTouch, stats.LastNonDirect, stats.Linear, stats.TimeDecay, stats.UShaped, stats.WShaped}
}

// shares are what a touch has, by model in the order of models.
type shares [7]int64

// touch is one of a journey.
type touch struct {
	at     lifecycle.Instant
	name   int32
	direct bool
}

// journey is one conversion and the touches before it.
type journey struct {
	at      lifecycle.Instant
	money   lifecycle.Money
	lead    lifecycle.Instant
	touches []touch
}

// attributionCounter shares conversions among touches.
type attributionCounter struct {
	o *Options
	touches
	exchange
	won      []lifecycle.EventName
	lookback time.Duration
	deals    map[thing]*journey // deals have several people, and are one conversion

	conversions, without, crowded, beyond int64
	// credit has for a touch's name the shares of conversions by model, in
	// billionths, and money the same of amounts, by currency.
	credit map[int32]*shares
	money  map[string]map[int32]*shares
	count  map[string]int64 // conversions with an amount

	models []stats.Model
	sharer stats.Sharer
	// memory of the person and of the conversion at hand
	seen          []touch
	told          []stats.Touch
	credited, due []*shares
}

func newAttribution(_ *lifecycle.Plan, o *Options) counter {
	c := &attributionCounter{
		o: o, touches: newTouches(o), exchange: newExchange(o), won: o.Won, lookback: cmp.Or(o.Lookback, defaultLookback),
		deals: map[thing]*journey{}, credit: map[int32]*shares{}, money: map[string]map[int32]*shares{}, count: map[string]int64{},
		models: models(),
	}
	if len(c.won) == 0 {
		c.won = paying()
	}
	return c
}

func (c *attributionCounter) take(p *summary.Person) error {
	all := c.seen[:0]
	defer func() { c.seen = all[:0] }()
	var lead lifecycle.Instant
	for i := range p.Events {
		e := &p.Events[i]
		if e.At >= c.o.end() {
			break
		}
		if e.Name == leadCreated {
			lead = earlier(lead, e.At)
		}
		if c.is(e) {
			all = append(all, touch{e.At, c.name(e), direct(e)})
		}
		if e.At < c.o.From || !slices.Contains(c.won, e.Name) {
			continue
		}
		j := journey{at: e.At, money: e.Amount, lead: lead, touches: c.before(all, e.At)}
		if strings.HasPrefix(string(e.Name), "Deal:") {
			if t := thingOf(e, "deal"); t.connection == "" {
				c.join(t, &j)
				continue
			}
		}
		if err := c.share(&j); err != nil {
			return err
		}
	}
	return nil
}

// before keeps the touches within the lookback of a conversion.
func (c *attributionCounter) before(all []touch, at lifecycle.Instant) []touch {
	i, _ := slices.BinarySearchFunc(all, at.Add(-c.lookback)+1, func(t touch, from lifecycle.Instant) int { return cmp.Compare(t.at, from) })
	return all[i:]
}

// join adds the way of one of a deal's people to the others'.
func (c *attributionCounter) join(t thing, j *journey) {
	have := c.deals[t]
	if have == nil {
		t.id = strings.Clone(t.id)
		c.deals[t] = &journey{j.at, j.money, j.lead, slices.Clone(j.touches)}
		return
	}
	if j.at < have.at {
		have.at, have.money = j.at, j.money
	}
	have.lead = earlier(have.lead, j.lead)
	if len(have.touches) <= maxJourney {
		have.touches = append(have.touches, j.touches...)
	}
}

// share gives the conversion to its touches, by every model.
func (c *attributionCounter) share(j *journey) error {
	if len(j.touches) > maxJourney {
		c.crowded++
		return nil
	}
	c.conversions++
	money, priced := lifecycle.Money{}, false
	if j.money.Currency != "" {
		money, priced = c.exchange.of(j.money)
	}
	if priced && c.money[money.Currency] == nil {
		if priced = len(c.money) < maxBooks; priced {
			c.money[money.Currency] = map[int32]*shares{}
		}
	}
	if priced {
		c.count[money.Currency]++
	}
	slices.SortStableFunc(j.touches, func(a, b touch) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.name, b.name)) })
	in := stats.Journey{Conversion: j.at, Lookback: c.lookback, HalfLife: c.o.HalfLife, Lead: -1, Touches: c.told[:0]}
	c.credited, c.due = c.credited[:0], c.due[:0]
	for i, t := range j.touches {
		in.Touches = append(in.Touches, stats.Touch{At: t.at, Direct: t.direct})
		c.credited = append(c.credited, nil)
		c.due = append(c.due, nil)
		if j.lead != 0 && t.at <= j.lead {
			in.Lead = i
		}
	}
	c.told = in.Touches
	if len(in.Touches) == 0 {
		c.without++
		c.unshared(money, priced)
		return nil
	}
	if len(j.touches) == 1 && j.touches[0].at <= j.at && j.at.Add(-c.lookback) < j.touches[0].at {
		c.give(j.touches[0].name, money, priced) // as every model does
		return nil
	}
	if err := c.sharer.Take(in); err != nil {
		return err
	}
	book := c.money[money.Currency]
	for m, model := range c.models {
		given, err := c.sharer.Attribute(model)
		if err != nil {
			return err
		}
		parts, err := c.sharer.Credit(money.Micros, given)
		if err != nil {
			return err
		}
		for i, s := range given {
			if s == 0 && parts[i] == 0 {
				continue
			}
			if c.credited[i] == nil {
				c.credited[i] = c.row(c.credit, j.touches[i].name)
				if priced {
					c.due[i] = c.row(book, j.touches[i].name)
				}
			}
			c.credited[i][m] += s
			if priced {
				c.pay(c.due[i], m, parts[i])
			}
		}
	}
	return nil
}

// linear is the place of the linear model, by which lines are sorted.
const linear = 3

// noTouch is the name of conversions that no touch came before.
const noTouch int32 = -1

// unshared counts a conversion that no touch came before, by every model.
func (c *attributionCounter) unshared(money lifecycle.Money, priced bool) {
	c.give(noTouch, money, priced)
}

// give credits a whole conversion to one name, by every model.
func (c *attributionCounter) give(name int32, money lifecycle.Money, priced bool) {
	row := c.row(c.credit, name)
	for m := range c.models {
		row[m] += stats.Whole
	}
	if !priced {
		return
	}
	row = c.row(c.money[money.Currency], name)
	for m := range c.models {
		c.pay(row, m, money.Micros)
	}
}

func (c *attributionCounter) row(of map[int32]*shares, name int32) *shares {
	if of[name] == nil {
		of[name] = new(shares)
	}
	return of[name]
}

// pay adds an amount unless the sum would not fit.
func (c *attributionCounter) pay(row *shares, model int, micros int64) {
	sum := row[model] + micros
	if (sum < row[model]) != (micros < 0) {
		c.beyond++
		return
	}
	row[model] = sum
}

// Credited is one line of the report attribution.
type Credited struct {
	Touch string `json:"touch"`
	// Currency is empty for conversions; Credit is then in billionths of one, else
	// in micros of the currency.
	Currency string                `json:"currency"`
	Credit   map[stats.Model]int64 `json:"credit"`
}

func (c *attributionCounter) report(_ context.Context, r *Report) error {
	for _, j := range c.deals {
		if err := c.share(j); err != nil {
			return err
		}
	}
	r.Definition = stats.AttributionFormula
	r.note("a conversion is each event %s; a deal is one, with the touches of all its people", joined(c.won))
	c.touches.say(r)
	r.note("touches count within %d days before the conversion; a touch loses half its weight in %d days", int(c.lookback/day24), int(cmp.Or(c.o.HalfLife, stats.HalfLife)/day24))
	r.note("the touch that made the lead is the last one up to Lead:Created")
	c.exchange.say(r)
	if c.without > 0 {
		r.note("%d of %d conversions have no touch before them and are shown as such", c.without, c.conversions)
	}
	if c.crowded > 0 {
		r.note("%d conversions are left out: more than %d touches came before them", c.crowded, maxJourney)
	}
	if c.beyond > 0 {
		r.note("%d amounts are left out: their sum is more than can be counted", c.beyond)
	}
	lines := []Credited{}
	lines = c.lines(r, lines, "", c.credit, func(x int64) string { return fmt.Sprintf("%.3f", float64(x)/float64(stats.Whole)) })
	for _, name := range shownCurrencies(r, c.o, c.count) {
		lines = c.lines(r, lines, name, c.money[name], units)
	}
	r.Data = lines
	return nil
}

// maxShown is how many lines a table of names has; the data have all.
const maxShown = 50

func (c *attributionCounter) lines(r *Report, lines []Credited, currency string, of map[int32]*shares, write func(int64) string) []Credited {
	title := "Conversions"
	if currency != "" {
		title = "Revenue, " + currency
	}
	t := Table{title, []string{"Touch"}, nil}
	for _, m := range models() {
		t.Columns = append(t.Columns, strings.ReplaceAll(string(m), "_", " "))
	}
	type line struct {
		name string
		row  *shares
	}
	var all []line
	for n, row := range of {
		name := "no touch"
		if n != noTouch {
			name = c.labels.texts[n]
		}
		all = append(all, line{name, row})
	}
	slices.SortFunc(all, func(a, b line) int {
		return cmp.Or(cmp.Compare(b.row[linear], a.row[linear]), cmp.Compare(a.name, b.name))
	})
	for i, l := range all {
		out := Credited{Touch: l.name, Currency: currency, Credit: map[stats.Model]int64{}}
		cells := []string{l.name}
		for m, model := range models() {
			out.Credit[model] = l.row[m]
			cells = append(cells, write(l.row[m]))
		}
		lines = append(lines, out)
		if i < maxShown {
			t.Rows = append(t.Rows, cells)
		}
	}
	if len(all) > maxShown {
		r.note("%s: %d touches with less are in the data only", title, len(all)-maxShown)
	}
	r.Tables = append(r.Tables, t)
	return lines
}
