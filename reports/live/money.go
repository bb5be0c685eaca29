package live

import (
	"context"
	"fmt"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// concentrationCounter sums revenue per customer.
type concentrationCounter struct{ ledger }

func newConcentration(_ *lifecycle.Plan, o *Options) counter {
	return &concentrationCounter{newLedger(o)}
}

func (c *concentrationCounter) report(_ context.Context, r *Report) error {
	currency := c.currency(r)
	var revenue []int64
	c.in(currency).each(func(_ lifecycle.ProfileID, p []clv.Purchase) { revenue = append(revenue, total(p)) })
	d, err := stats.NewConcentration(currency, stats.CountValues(revenue), 0, 0)
	if err != nil {
		return err
	}
	r.Data, r.Definition = d, d.Formula
	r.Tables = append(r.Tables, Table{"Concentration", []string{"Figure", "Value"}, [][]string{
		{"Customers", number(d.Customers)}, {"Revenue", amount(d.Total, currency)}, {"Mean", amount(d.Mean, currency)}, {"Median", amount(d.Median, currency)},
		{fmt.Sprintf("Share of the top %d %% (%d)", d.TopPercent, d.Top), percent(d.TopShare)},
		{fmt.Sprintf("Customers with %d %% of the revenue", d.FewPercent), fmt.Sprintf("%d (%s)", d.Few, percent(d.FewShare))},
		{"Gini", fmt.Sprintf("%.4f", d.Gini)},
	}})
	return nil
}

func total(purchases []clv.Purchase) int64 {
	var sum int64
	for _, p := range purchases {
		sum += p.Micros
	}
	return sum
}

// rfmCounter scores customers in fifths.
type rfmCounter struct{ ledger }

func newRFM(_ *lifecycle.Plan, o *Options) counter { return &rfmCounter{newLedger(o)} }

// RFMReport is the data of the report rfm.
type RFMReport struct {
	Currency string                   `json:"currency"`
	Scales   stats.RFMScales          `json:"scales"`
	Groups   map[stats.RFMGroup]int64 `json:"groups"`
	Scores   map[string]int64         `json:"scores"`
}

func (c *rfmCounter) report(_ context.Context, r *Report) error {
	r.Definition = "recency: days since the last purchase, frequency: purchases, monetary: their sum; each in fifths of the customers, where the same value is the same score"
	d := RFMReport{Currency: c.currency(r), Groups: map[stats.RFMGroup]int64{}, Scores: map[string]int64{}}
	r.Data = &d
	var all []customer
	var err error
	if d.Scales, all, err = c.fifths(d.Currency); err != nil {
		return err
	}
	for _, one := range all {
		score := d.Scales.Score(one.days, one.purchases, one.micros)
		d.Groups[score.Group()]++
		d.Scores[score.String()]++
	}
	t := Table{"Groups", []string{"Group", "Customers", "Share"}, nil}
	for _, g := range []stats.RFMGroup{stats.Champions, stats.Loyal, stats.PotentialLoyalist, stats.NewCustomer, stats.AtRisk, stats.CantLose, stats.Hibernating, stats.LostCustomer} {
		if n := d.Groups[g]; n > 0 {
			t.Rows = append(t.Rows, []string{string(g), number(n), percent(float64(n) / float64(len(all)))})
		}
	}
	r.Tables = append(r.Tables, t)
	return nil
}
