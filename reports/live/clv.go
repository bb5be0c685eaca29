package live

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// bestShown is how many customers the table of the most valuable has, and
// bestListed how many the data list at most.
const (
	bestShown  = 20
	bestListed = 10_000
)

// subscribed is the event of which the models for purchases know nothing.
const subscribed = lifecycle.EventName("Subscription:Started")

// clvCounter fits the models to everybody's purchases.
type clvCounter struct {
	ledger
	subscribers int64
}

func newCLV(_ *lifecycle.Plan, o *Options) counter { return &clvCounter{ledger: newLedger(o)} }

func (c *clvCounter) take(p *summary.Person) error {
	before := c.buyers
	if err := c.ledger.take(p); err != nil {
		return err
	}
	subscriber := slices.ContainsFunc(p.Events, func(e summary.Event) bool { return e.Name == subscribed })
	if subscriber && c.buyers > before {
		c.subscribers++
	}
	return nil
}

// CLV is the data of the report clv.
type CLV struct {
	Currency string `json:"currency"`
	Until    string `json:"until"`
	Weeks    int    `json:"horizon_weeks"`
	// Discount is that of money a year later, Margin the share of an amount that
	// counts as value.
	Discount   float64        `json:"discount"`
	Margin     float64        `json:"margin"`
	Assessment clv.Assessment `json:"assessment"`
	// Gaps is how many pairs of purchase days there are of one customer with none
	// between them, and Gap the median of the days from one to the other.
	Gaps int64       `json:"gaps"`
	Gap  stats.Share `json:"median_gap_days"`
	// Averages stand in where no model may be fitted; else nil.
	Averages  *AverageReport  `json:"averages,omitempty"`
	Purchases *clv.BGNBD      `json:"bg_nbd,omitempty"`
	Fit       *clv.Fit        `json:"fit,omitempty"`
	Spend     *clv.GammaGamma `json:"gamma_gamma,omitempty"`
	// Customers by id; of more than ten thousand those with the greatest value,
	// that one first.
	Customers []Customer `json:"customers"`
}

// Customer is one of them, with time in weeks.
type Customer struct {
	Person  lifecycle.ProfileID `json:"person,string"`
	Repeats int64               `json:"repeats"`
	Last    float64             `json:"last"`
	Age     float64             `json:"age"`
	Mean    float64             `json:"mean"`
	// PAlive is unknown without a repeat: the model calls everybody alive who
	// never bought again.
	PAlive   *float64   `json:"p_alive"`
	Expected float64    `json:"expected_purchases"`
	Value    *clv.Value `json:"value,omitempty"`
}

func (c *clvCounter) report(ctx context.Context, r *Report) error {
	if err := c.value(ctx, r); err != nil {
		return err
	}
	d := r.Data.(*CLV)
	d.sayValue(r, &c.o.Settings)
	if len(d.Customers) == 0 {
		return nil
	}
	best := d.greatest(bestListed)
	d.best(r, best)
	if n := len(d.Customers); n > bestListed {
		d.Customers = best
		r.note("the data list the %d of %d customers with the greatest expected value", bestListed, n)
	}
	return nil
}

// sayValue words what a value is, and what was supposed where nothing was said.
func (d *CLV) sayValue(r *Report, s *Settings) {
	if s.Margin == 0 {
		r.note("value is revenue: the margin is taken as 1, since none was given")
	} else {
		r.note("value is what is left of revenue at a margin of %s", percent(s.Margin))
	}
	if s.Discount == 0 {
		r.note("later money counts in full: the discount is 0 a year")
		return
	}
	r.note("later money counts less: the discount is %s a year, %.4f %% a week", percent(s.Discount), 100*d.horizon().Discount)
}

// weeksPerYear turns a yearly discount into that of a week.
const weeksPerYear = 52

func (d *CLV) horizon() clv.Horizon {
	return clv.Horizon{Steps: d.Weeks, Discount: clv.PerStep(d.Discount, weeksPerYear), Margin: d.Margin}
}

// value fits the models and says what everybody is worth.
func (c *clvCounter) value(ctx context.Context, r *Report) error {
	r.Definition = "BG/NBD on (x, t_x, T) in weeks: repeat purchase days, time of the last and of the end of observation since the first; " +
		"Gamma-Gamma on the mean of repeat purchases; " + clv.ValueFormula +
		fmt.Sprintf("; k counts the %d weeks of the horizon, and 1+d is (1 + yearly discount)^(1/%d)", c.o.Horizon, weeksPerYear)
	d := CLV{Currency: c.currency(r), Until: c.o.end().Time().Format("2006-01-02T15:04:05Z"), Weeks: c.o.Horizon,
		Discount: c.o.Discount, Margin: cmp.Or(c.o.Margin, 1), Customers: []Customer{}}
	r.Data = &d
	observed, people := c.observe(&d)
	d.Assessment = clv.Assess(observed, c.subscribers)
	for _, w := range d.Assessment.Warnings {
		r.note("%s", w.Text)
	}
	gap := "not known"
	if d.Gap.Known {
		gap = fmt.Sprintf("%g", d.Gap.Value)
	}
	r.Tables = append(r.Tables, Table{"What is there", []string{"Customers", "Bought again", "Weeks known", "Days between purchases, median"}, [][]string{
		{number(d.Assessment.Customers), number(d.Assessment.Repeaters), fmt.Sprintf("%.1f", d.Assessment.Weeks), gap},
	}})
	if d.Assessment.Refused() {
		r.Definition = clv.AverageFormula
		d.average(r, c.o, observed)
		return nil
	}
	if err := d.fit(ctx, r, observed); err != nil {
		return err
	}
	beyond, err := d.each(ctx, people, observed)
	if err != nil {
		return err
	}
	if beyond > 0 {
		r.note("%d customers are left out: the horizon is too long for what is known of them", beyond)
	}
	return nil
}

// observe gives what the models read of everybody who bought in the currency.
func (c *clvCounter) observe(d *CLV) ([]clv.Observed, []lifecycle.ProfileID) {
	book := c.in(d.Currency)
	observed, people := make([]clv.Observed, 0, len(book.buyers)), make([]lifecycle.ProfileID, 0, len(book.buyers))
	gaps := map[int64]int64{}
	book.each(func(id lifecycle.ProfileID, p []clv.Purchase) {
		if x, ok := clv.ObserveGaps(p, c.o.end(), c.o.Zone, func(days int64) { gaps[days]++ }); ok {
			observed, people = append(observed, x), append(people, id)
		}
	})
	var counted int64
	for _, n := range gaps {
		d.Gaps += n
	}
	for _, days := range slices.Sorted(maps.Keys(gaps)) {
		if counted += gaps[days]; 2*counted >= d.Gaps { // the nearest rank
			d.Gap = stats.Share{Known: true, Value: float64(days)}
			break
		}
	}
	return observed, people
}

func (d *CLV) fit(ctx context.Context, r *Report, observed []clv.Observed) error {
	model, fit, err := clv.FitBGNBD(ctx, clv.Histories(observed))
	if err != nil {
		return err
	}
	d.Purchases, d.Fit = &model, &fit
	rows := [][]string{{"BG/NBD", fmt.Sprintf("r %.3f, alpha %.3f, a %.3f, b %.3f", model.R, model.Alpha, model.A, model.B)}}
	if spends := clv.Spends(observed); len(spends) > 0 {
		spend, spendFit, err := clv.FitGammaGamma(ctx, spends)
		if err != nil {
			return err
		}
		for _, w := range clv.FitWarnings(spendFit, &spend) {
			r.note("%s", w.Text)
		}
		if spend.Q > 1 {
			d.Spend = &spend
		}
		rows = append(rows, []string{"Gamma-Gamma", fmt.Sprintf("p %.3f, q %.3f, gamma %.3f", spend.P, spend.Q, spend.Gamma)})
	}
	for _, w := range clv.FitWarnings(fit, nil) {
		r.note("%s", w.Text)
	}
	r.Tables = append(r.Tables, Table{"The models", []string{"Model", "Parameters"}, rows})
	return nil
}

// customer values one; a nil spend leaves the value unknown.
func (d *CLV) customer(f *clv.Forecast, id lifecycle.ProfileID, o *clv.Observed) (Customer, error) {
	one := Customer{Person: id, Repeats: o.History.Repeats, Last: o.History.Last, Age: o.History.Age, Mean: o.Mean}
	outlook, err := f.Of(o.History)
	if err != nil {
		return one, err
	}
	one.Expected = outlook.Purchases
	if one.Repeats > 0 {
		one.PAlive = &outlook.PAlive
	}
	if d.Spend != nil {
		v, err := f.Value(outlook, *d.Spend, o.History, o.Mean)
		if err != nil {
			return one, err
		}
		one.Value = &v
	}
	return one, nil
}

// worth is what customers are ordered by.
func (c *Customer) worth() float64 {
	if c.Value != nil {
		return c.Value.Total
	}
	return c.Expected
}

// best lists the customers with the greatest expected value, or purchases.
func (d *CLV) best(r *Report, sorted []Customer) {
	t := Table{fmt.Sprintf("The %d with the greatest expected value in %d weeks", min(bestShown, len(sorted)), d.Weeks),
		[]string{"Person", "Repeats", "P(alive)", "Expected purchases", "Expected value"}, nil}
	for _, c := range sorted[:min(bestShown, len(sorted))] {
		alive, value := "unknown", "unknown"
		if c.PAlive != nil {
			alive = percent(*c.PAlive)
		}
		if c.Value != nil {
			value = fmt.Sprintf("%.2f %s", c.Value.Total, d.Currency)
		}
		t.Rows = append(t.Rows, []string{number(c.Person), number(c.Repeats), alive, fmt.Sprintf("%.2f", c.Expected), value})
	}
	r.Tables = append(r.Tables, t)
}
