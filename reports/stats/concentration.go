package stats

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Concentration says how much of a revenue comes from how few customers.
type Concentration struct {
	Currency  string `json:"currency"`
	Customers int64  `json:"customers"`
	// Zero are those without revenue, and Negative those who were refunded more
	// than they paid; these count as zero.
	Zero     int64 `json:"zero"`
	Negative int64 `json:"negative"`
	// Total, Mean and Median are in micros; the median is the nearest rank.
	Total  int64 `json:"total"`
	Mean   int64 `json:"mean"`
	Median int64 `json:"median"`
	// TopPercent of the customers, ceil(TopPercent·n/100) = Top of them, have
	// TopRevenue micros, a share of TopShare. The smallest of their amounts is
	// Threshold; Tied others have exactly as much and are not among them.
	TopPercent int     `json:"top_percent"`
	Top        int64   `json:"top"`
	TopRevenue int64   `json:"top_revenue"`
	TopShare   float64 `json:"top_share"`
	Threshold  int64   `json:"threshold"`
	Tied       int64   `json:"tied"`
	// Few is the smallest number of customers who together have FewPercent of
	// the revenue, and FewShare what share of the customers they are.
	FewPercent int     `json:"few_percent"`
	Few        int64   `json:"few"`
	FewShare   float64 `json:"few_share"`
	// Gini is 0 where all have the same, and nears 1 where one has everything.
	Gini float64 `json:"gini"`
	// Lorenz is the curve that Gini measures; nil where there is no revenue.
	Lorenz  []LorenzPoint `json:"lorenz,omitempty"`
	Formula string        `json:"formula"`
}

// NewConcentration sorts customers by revenue, in micros of one currency. Top
// and few are the percentages to ask for; zero stands for 20 and 80. Rows of
// customers with the same revenue may be counted together and come in any
// order. Where there is no revenue, shares and Gini are zero and mean nothing.
// The error wraps ErrCounts or ErrAmount.
func NewConcentration(currency string, revenue []Count[int64], top, few int) (Concentration, error) {
	top, few = cmp.Or(top, 20), cmp.Or(few, 80)
	if top < 1 || top > 100 || few < 1 || few > 100 {
		return Concentration{}, fmt.Errorf("stats: concentration: %w: top %d %%, %d %% of the revenue", ErrCounts, top, few)
	}
	c := Concentration{Currency: currency, TopPercent: top, FewPercent: few, Formula: concentrationFormula(top, few)}
	rows, err := c.take(revenue)
	if err != nil {
		return Concentration{}, fmt.Errorf("stats: concentration: %w", err)
	}
	if c.Customers == 0 {
		return c, nil
	}
	c.Mean = c.Total / c.Customers
	c.Median, _ = Percentile(rows, 50)
	c.Top = int64(ceilPercent(uint64(c.Customers), uint64(top)))
	c.fromTheTop(rows)
	if c.Total > 0 {
		c.TopShare = float64(c.TopRevenue) / float64(c.Total)
		c.FewShare = float64(c.Few) / float64(c.Customers)
		c.Gini = gini(rows, c.Customers, c.Total)
		c.Lorenz = lorenz(rows, c.Customers, c.Total)
	}
	return c, nil
}

// take counts and sorts, the poorest first.
func (c *Concentration) take(revenue []Count[int64]) ([]Count[int64], error) {
	rows := slices.Clone(revenue)
	for i, r := range rows {
		if r.N < 0 || r.N > maxPeople-c.Customers {
			return nil, fmt.Errorf("%w: %d customers", ErrCounts, r.N)
		}
		c.Customers += r.N
		switch {
		case r.Value < 0:
			c.Negative += r.N
			rows[i].Value = 0
		case r.Value == 0:
			c.Zero += r.N
		}
		over, lo := bits.Mul64(uint64(rows[i].Value), uint64(r.N))
		if over != 0 || lo > 1<<62 {
			return nil, fmt.Errorf("%w: more than fits", ErrAmount)
		}
		var err error
		if c.Total, err = addMicros(c.Total, int64(lo)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b Count[int64]) int { return cmp.Compare(a.Value, b.Value) })
	return rows, nil
}

// fromTheTop walks down from the richest.
func (c *Concentration) fromTheTop(rows []Count[int64]) {
	enough := int64(ceilPercent(uint64(c.Total), uint64(c.FewPercent)))
	var people, money int64
	for _, r := range slices.Backward(rows) {
		if r.N == 0 {
			continue
		}
		if here := min(r.N, c.Top-people); here > 0 {
			c.TopRevenue += here * r.Value
			c.Threshold, c.Tied = r.Value, r.N-here
		} else if r.Value == c.Threshold {
			c.Tied += r.N
		}
		if missing := enough - money; missing > 0 && r.Value > 0 {
			c.Few += min(r.N, (missing-1)/r.Value+1)
		}
		people += r.N
		money += r.N * r.Value
	}
}

// gini is Σ(2i-n-1)·x_i / (n·Σx), written as the sum over the steps between
// neighbours, (x_(i+1) - x_i)·i·(n-i): nothing is subtracted from anything
// large, so equal amounts give exactly zero.
func gini(rows []Count[int64], n, total int64) float64 {
	var sum float64
	var below int64
	var before int64
	for _, r := range rows {
		if r.N == 0 {
			continue
		}
		sum += float64(r.Value-before) * (float64(below) / float64(n)) * float64(n-below)
		below += r.N
		before = r.Value
	}
	return min(1, sum/float64(total))
}

func concentrationFormula(top, few int) string {
	return fmt.Sprintf("customers by revenue: share of the top ceil(%d %%), the smallest number who have %d %%, "+
		"Gini = Σ(2i-n-1)·x_i / (n·Σx), x rising; revenue below zero counts as zero", top, few)
}
