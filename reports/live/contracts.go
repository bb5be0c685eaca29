package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

const (
	// minContracts is how many subscriptions a fit needs, as for repeat buyers,
	// and minYears how long the oldest must have been seen.
	minContracts = clv.MinRepeaters
	minYears     = 0.5
	// maxAge bounds the periods of one subscription: a beginning longer ago is no
	// beginning.
	maxAge = 1200
	// shownPeriods is how many periods of the curve are shown.
	shownPeriods = 12
)

// term is how long a billing period is.
type term struct {
	interval     string
	months, days int
	yearly       float64 // periods in a year
}

// terms are those that subscriptions have; the first stands in where none was told.
func terms() []term {
	return []term{{"month", 1, 0, 12}, {"year", 12, 0, 1}, {"week", 0, 7, 365.25 / 7}, {"day", 0, 1, 365.25}}
}

// after is the instant so many periods after another, by the calendar.
func (t *term) after(from time.Time, n int) time.Time { return from.AddDate(0, n*t.months, n*t.days) }

// whole gives how many periods have passed between two instants, at most maxAge+1.
func (t *term) whole(from, to time.Time) int {
	years := to.Sub(from).Hours() / 24 / 365.25
	n := max(0, min(int(years*t.yearly)-1, maxAge))
	for n <= maxAge && !t.after(from, n+1).After(to) {
		n++
	}
	return n
}

// contractCounter counts subscriptions by how many periods they lasted.
type contractCounter struct {
	o *Options
	recurring
	books                        []contractBook
	unbegun, ancient, young, odd int64
}

// contractBook is the subscriptions of one term.
type contractBook struct {
	term
	lost, active map[int]int64
	// paid has the amounts a month of those that run, by currency and age, and
	// started those of all, with their number.
	paid    map[string]map[int]float64
	started map[string]mean
	years   float64 // how long the oldest was seen
}

// mean is a sum of amounts and how many they are.
type mean struct {
	micros float64
	n      int64
}

func newContracts(_ *lifecycle.Plan, o *Options) counter {
	c := &contractCounter{o: o, recurring: recurring{exchange: newExchange(o)}}
	for _, t := range terms() {
		c.books = append(c.books, contractBook{term: t, lost: map[int]int64{}, active: map[int]int64{}, paid: map[string]map[int]float64{}, started: map[string]mean{}})
	}
	return c
}

func (c *contractCounter) take(p *summary.Person) error {
	k := c.follow(p.Events, c.o.end())
	if k == nil {
		return nil
	}
	for _, s := range k.all {
		c.add(s)
	}
	return nil
}

func (c *contractCounter) add(s *subscription) {
	switch {
	case s.began == 0:
		c.unbegun++
		return
	case s.began < c.o.From:
		return
	}
	i := slices.IndexFunc(c.books, func(b contractBook) bool { return b.interval == s.interval })
	if i < 0 {
		i = 0
		if s.interval != "" {
			c.odd++
		}
	}
	b := &c.books[i]
	from, to := s.began.Time().In(c.o.Zone), c.o.end().Time().In(c.o.Zone)
	if s.ended != 0 {
		to = s.ended.Time().In(c.o.Zone)
	}
	// A day of grace: that a period is over is told a little after it is.
	age := b.whole(from, to)
	if s.ended != 0 {
		age = b.whole(from, to.Add(-day24)) + 1
	}
	switch {
	case age > maxAge:
		c.ancient++
		return
	case age == 0:
		c.young++
		return
	}
	b.years = max(b.years, to.Sub(from).Hours()/24/365.25)
	if s.ended != 0 {
		b.lost[age]++
	} else {
		b.active[age]++
	}
	if s.money.Currency == "" {
		return
	}
	u := b.started[s.money.Currency]
	b.started[s.money.Currency] = mean{u.micros + float64(s.money.Micros), u.n + 1}
	if s.pays() > 0 {
		if b.paid[s.money.Currency] == nil {
			b.paid[s.money.Currency] = map[int]float64{}
		}
		b.paid[s.money.Currency][age] += float64(s.pays())
	}
}

// Contracts is one part of the report contracts: subscriptions of one term.
type Contracts struct {
	Interval string                    `json:"interval"`
	Active   int64                     `json:"active"`
	Lost     int64                     `json:"lost"`
	Churn    stats.Share               `json:"churn"` // a period, over all ages together
	Model    *clv.ShiftedBetaGeometric `json:"model,omitempty"`
	Fit      *clv.Fit                  `json:"fit,omitempty"`
	Curve    []ContractPeriod          `json:"curve"`
	Values   []ContractValue           `json:"values"`
	// Refused says that no model was fitted; values are then by one churn for all.
	Refused bool `json:"refused"`
}

// ContractPeriod is one point of the curve.
type ContractPeriod struct {
	Period int `json:"period"`
	// Seen is the share that lasted longer, by Kaplan and Meier, where known.
	Seen stats.Share `json:"seen"`
	// Model is S(t), and Renews the share that renews at the end of the period.
	Model  float64 `json:"model"`
	Renews float64 `json:"renews"`
}

// ContractValue is what subscriptions in one currency are expected to pay, in
// units of it.
type ContractValue struct {
	Currency string `json:"currency"`
	Periods  int    `json:"periods"`
	// New is what a new subscription with the mean amount pays within so many
	// periods, Present what all present ones pay.
	New     float64 `json:"new"`
	Present float64 `json:"present"`
}

func (c *contractCounter) report(ctx context.Context, r *Report) error {
	r.Definition = clv.GeometricFormula + "; value = sum over periods of amount × S(age + k)/S(age) / (1+d)^k, the first payment now"
	c.say(r)
	for _, n := range []struct {
		n    int64
		text string
	}{
		{c.unbegun, "their beginning was never told"},
		{c.ancient, "their beginning is too long ago"},
		{c.young, "their first period is not over"},
	} {
		if n.n > 0 {
			r.note("%d subscriptions are left out: %s", n.n, n.text)
		}
	}
	if c.odd > 0 {
		r.note("%d subscriptions with an interval that is none of day, week, month, year are taken as monthly", c.odd)
	}
	parts := []Contracts{}
	t := Table{"Subscriptions", []string{"Billed every", "Running", "Ended", "Churn a period", "Alpha", "Beta"}, nil}
	for i := range c.books {
		b := &c.books[i]
		if len(b.lost)+len(b.active) == 0 {
			continue
		}
		part, err := b.fit(ctx, r, c.o)
		if err != nil {
			return err
		}
		parts = append(parts, part)
		cells := []string{b.interval, number(part.Active), number(part.Lost), "not known", "not fitted", "not fitted"}
		if part.Churn.Known {
			cells[3] = percent(part.Churn.Value)
		}
		if part.Model != nil {
			cells[4], cells[5] = fmt.Sprintf("%.4f", part.Model.Alpha), fmt.Sprintf("%.4f", part.Model.Beta)
		}
		t.Rows = append(t.Rows, cells)
	}
	r.Tables = append(r.Tables, t)
	for _, part := range parts {
		r.Tables = append(r.Tables, part.tables()...)
	}
	if len(parts) == 0 {
		r.note("no Subscription:Started was told that is a whole period old")
	}
	r.Data = parts
	return nil
}

// fit estimates one term.
func (b *contractBook) fit(ctx context.Context, r *Report, o *Options) (Contracts, error) {
	part := Contracts{Interval: b.interval, Curve: []ContractPeriod{}, Values: []ContractValue{}}
	var lifetimes []clv.Lifetime
	var spells []stats.Spell
	var renewed int64
	for age := 1; age <= maxAge; age++ {
		lost, active := b.lost[age], b.active[age]
		if lost+active == 0 {
			continue
		}
		lifetimes = append(lifetimes, clv.Lifetime{Period: age, Lost: lost, Active: active})
		spells = append(spells, stats.Spell{Length: time.Duration(age), Ended: lost, Open: active})
		part.Lost, part.Active = part.Lost+lost, part.Active+active
		renewed += (lost+active)*int64(age) - lost
	}
	if part.Lost+renewed > 0 {
		part.Churn = stats.Share{Known: true, Value: float64(part.Lost) / float64(part.Lost+renewed)}
	}
	switch n := part.Lost + part.Active; {
	case n < minContracts || b.years < minYears:
		part.Refused = true
		r.note("%s: %d subscriptions over %.1f years are too little for a fit, which needs %d and half a year; one churn for all stands in, which makes old subscriptions worth too little", b.interval, n, b.years, minContracts)
	default:
		model, fit, err := clv.FitGeometric(ctx, lifetimes)
		if errors.Is(err, clv.ErrNotFitted) {
			part.Refused = true
			r.note("%s: nothing can be fitted, since nobody left or nobody stayed", b.interval)
			break
		}
		if err != nil {
			return part, err
		}
		part.Model, part.Fit = &model, &fit
		for _, w := range clv.FitWarnings(fit, nil) {
			r.note("%s: %s", b.interval, w.Text)
		}
	}
	curve, err := stats.KaplanMeier(spells)
	if err != nil {
		return part, err
	}
	for t := 1; part.Model != nil && t <= shownPeriods; t++ {
		point := ContractPeriod{Period: t, Model: part.Model.Survival(t), Renews: part.Model.Retention(t)}
		point.Seen.Value, point.Seen.Known = curve.Lasting(time.Duration(t))
		part.Curve = append(part.Curve, point)
	}
	return part, b.value(&part, r, o)
}

// value adds what subscriptions are expected to pay within the horizon.
func (b *contractBook) value(part *Contracts, r *Report, o *Options) error {
	periods := max(1, int(float64(o.Horizon)*7/365.25*b.yearly+0.5))
	discount := clv.PerStep(o.Discount, max(1, int(b.yearly+0.5)))
	each := 12 / b.yearly / 1e6 // from micros a month to units a period
	pays := func(done int) (float64, error) {
		if part.Model != nil {
			return part.Model.Value(1, discount, done, periods)
		}
		sum, left := 0.0, 1.0
		for range periods {
			sum += left
			left *= (1 - part.Churn.Value) / (1 + discount)
		}
		return sum, nil
	}
	counts := map[string]int64{}
	for name, u := range b.started {
		counts[name] = u.n
	}
	for _, name := range shownCurrencies(r, o, counts) {
		v := ContractValue{Currency: name, Periods: periods}
		fresh, err := pays(0)
		if err != nil {
			return err
		}
		u := b.started[name]
		v.New = fresh * u.micros / float64(u.n) * each
		for age, micros := range b.paid[name] {
			one, err := pays(age)
			if err != nil {
				return err
			}
			v.Present += one * micros * each
		}
		part.Values = append(part.Values, v)
	}
	slices.SortFunc(part.Values, func(a, b ContractValue) int { return cmp.Compare(a.Currency, b.Currency) })
	return nil
}

func (part *Contracts) tables() []Table {
	var all []Table
	if len(part.Curve) > 0 {
		t := Table{"How long those billed every " + part.Interval + " last", []string{"Period", "Left after it, seen", "Left after it, model", "Renews at its end, model"}, nil}
		for _, p := range part.Curve {
			seen := "not known"
			if p.Seen.Known {
				seen = percent(p.Seen.Value)
			}
			t.Rows = append(t.Rows, []string{number(p.Period), seen, percent(p.Model), percent(p.Renews)})
		}
		all = append(all, t)
	}
	if len(part.Values) > 0 {
		t := Table{fmt.Sprintf("What those billed every %s are expected to pay within %d periods", part.Interval, part.Values[0].Periods), []string{"Currency", "A new one", "All present ones"}, nil}
		for _, v := range part.Values {
			t.Rows = append(t.Rows, []string{v.Currency, decimals(v.New), decimals(v.Present)})
		}
		all = append(all, t)
	}
	return all
}
