package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// GammaGamma is the model of what a purchase is worth: the values of one
// customer's purchases scatter by a gamma distribution (shape P) around a mean
// that differs between customers (shape Q, scale Gamma). Sources: Fader, Hardie
// and Lee, "RFM and CLV", Journal of Marketing Research 42(4), 2005, 415-430;
// Fader and Hardie, note 025, 2013. It supposes that how often customers buy
// says nothing about how much; Assess measures that.
type GammaGamma struct {
	P float64 `json:"p"`
	Q float64 `json:"q"`
	// Gamma is in the units of money of the spends.
	Gamma float64 `json:"gamma"`
}

// Spend is the mean value of purchases.
type Spend struct {
	// Purchases is x, how many purchases the mean is over: by custom the
	// repeat ones, as in History.
	Purchases int64
	// Mean is z, more than zero, in units of one currency.
	Mean float64
	// Customers is how many have this spend; zero stands for one.
	Customers int64
}

// Errors of spends.
var (
	// ErrSpend says that a spend cannot be fitted.
	ErrSpend = errors.New("no possible spend")
	// ErrNoMean says that the distribution of means is so wide (q <= 1) that it
	// has no mean itself.
	ErrNoMean = errors.New("the mean value has no expectation")
)

func (s Spend) check() error {
	switch {
	case s.Purchases <= 0 || s.Purchases > maxRepeats:
		return fmt.Errorf("%w: a mean of %d purchases", ErrSpend, s.Purchases)
	case !(s.Mean > 0) || math.IsInf(s.Mean, 1):
		return fmt.Errorf("%w: a mean of %g", ErrSpend, s.Mean)
	case s.Customers < 0:
		return fmt.Errorf("%w: %d customers", ErrSpend, s.Customers)
	}
	return nil
}

// FitGammaGamma finds the parameters under which the spends are most likely.
// Leave customers without a repeat, or whose purchases were worth nothing, out.
// The error wraps ErrSpend, ErrNotFitted or the context's error.
func FitGammaGamma(ctx context.Context, spends []Spend) (GammaGamma, Fit, error) {
	rows, n, err := mergeSpends(spends)
	if err != nil {
		return GammaGamma{}, Fit{}, err
	}
	if len(rows) == 0 {
		return GammaGamma{}, Fit{}, fmt.Errorf("clv: fit gamma-gamma: %w: nobody spent anything", ErrNotFitted)
	}
	var mean float64
	for _, s := range rows {
		mean += s.Mean * float64(s.Customers) / float64(n)
	}
	// Each start has the observed mean, pγ/(q-1), with more and less scatter.
	starts := [][]float64{{5, 4, 3 * mean / 5}, {1, 3, 2 * mean}, {20, 10, 9 * mean / 20}}
	over := func(rows []Spend) likelihood {
		return func(p, grad []float64) float64 { return GammaGamma{p[0], p[1], p[2]}.sum(rows, grad) }
	}
	starts = begin(ctx, rows, starts, func(s Spend) int64 { return s.Customers }, over)
	params, fit, err := maximise(ctx, n, starts, over(rows))
	if err != nil {
		return GammaGamma{}, Fit{}, fmt.Errorf("clv: fit gamma-gamma: %w", err)
	}
	return GammaGamma{params[0], params[1], params[2]}, fit, nil
}

func mergeSpends(spends []Spend) (rows []Spend, customers int64, err error) {
	rows = slices.Clone(spends)
	for i, s := range rows {
		if err := s.check(); err != nil {
			return nil, 0, fmt.Errorf("clv: spend %d: %w", i+1, err)
		}
		rows[i].Customers = max(s.Customers, 1)
		if customers > math.MaxInt64-rows[i].Customers {
			return nil, 0, fmt.Errorf("clv: spend: %w: more customers than can be counted", ErrSpend)
		}
		customers += rows[i].Customers
	}
	slices.SortFunc(rows, func(a, b Spend) int {
		if a.Purchases != b.Purchases {
			return cmp.Compare(a.Purchases, b.Purchases)
		}
		return cmp.Compare(a.Mean, b.Mean)
	})
	kept := rows[:0]
	for _, s := range rows {
		if n := len(kept) - 1; n >= 0 && kept[n].Purchases == s.Purchases && kept[n].Mean == s.Mean {
			kept[n].Customers += s.Customers
			continue
		}
		kept = append(kept, s)
	}
	return kept, customers, nil
}

// LogLikelihood is the natural logarithm of how likely the spends are under the
// model: Σ lnΓ(px+q) - lnΓ(px) - lnΓ(q) + q ln γ + (px-1) ln z + px ln x -
// (px+q) ln(γ+xz). The error wraps ErrSpend.
func (m GammaGamma) LogLikelihood(spends []Spend) (float64, error) {
	rows, _, err := mergeSpends(spends)
	if err != nil {
		return 0, err
	}
	return m.sum(rows, make([]float64, 3)), nil
}

func (m GammaGamma) sum(rows []Spend, grad []float64) float64 {
	return inPieces(len(rows), grad, func(from, to int, grad []float64) float64 { return m.part(rows[from:to], grad) })
}

// part is sum over some of the rows, run by run: what the number of purchases,
// by which they are sorted, decides is computed once.
func (m GammaGamma) part(rows []Spend, grad []float64) float64 {
	clear(grad)
	lnQ, digammaQ, lnGam := lnGamma(m.Q), mathext.Digamma(m.Q), math.Log(m.Gamma)
	var total float64
	for len(rows) > 0 {
		n, _ := slices.BinarySearchFunc(rows, rows[0].Purchases+1, func(s Spend, x int64) int { return int(s.Purchases - x) })
		x := float64(rows[0].Purchases)
		px, lnX := m.P*x, math.Log(x)
		weight, lnZ, lnReach, inverse := m.reaches(rows[:n])
		total += weight*(lnGamma(px+m.Q)-lnGamma(px)-lnQ+m.Q*lnGam+px*lnX) + (px-1)*lnZ - (px+m.Q)*lnReach
		grad[0] += x * (weight*(mathext.Digamma(px+m.Q)-mathext.Digamma(px)+lnX) + lnZ - lnReach)
		grad[1] += weight*(mathext.Digamma(px+m.Q)-digammaQ+lnGam) - lnReach
		grad[2] += weight*m.Q/m.Gamma - (px+m.Q)*inverse
		rows = rows[n:]
	}
	return total
}

// reaches adds up rows with the same number of purchases: customers, ln z,
// ln(γ+xz) and 1/(γ+xz). Logarithms of products stand for sums of logarithms, as
// long as the products are numbers.
func (m GammaGamma) reaches(rows []Spend) (weight, lnZ, lnReach, inverse float64) {
	x, means, products := float64(rows[0].Purchases), 1.0, 1.0
	for _, s := range rows {
		w, reach := float64(s.Customers), m.Gamma+x*s.Mean
		weight += w
		inverse += w / reach
		if s.Customers > few || s.Mean < 1/wide || reach > wide || reach < 1/wide {
			lnZ += w * math.Log(s.Mean)
			lnReach += w * math.Log(reach)
			continue
		}
		for range s.Customers {
			if means *= s.Mean; means > wide || means < 1/wide {
				lnZ += math.Log(means)
				means = 1
			}
			if products *= reach; products > wide || products < 1/wide {
				lnReach += math.Log(products)
				products = 1
			}
		}
	}
	return weight, lnZ + math.Log(means), lnReach + math.Log(products), inverse
}

// Mean is the expected mean value of a customer's purchases in the units of the
// fitted spends: E[M | x, z] = p(γ + xz)/(px + q - 1). Without purchases it is
// that of everybody, pγ/(q-1), and mean is not read. ErrNoMean where px + q is
// not more than one.
func (m GammaGamma) Mean(purchases int64, mean float64) (float64, error) {
	if purchases == 0 {
		mean = 0
	} else if err := (Spend{Purchases: purchases, Mean: mean}).check(); err != nil {
		return 0, fmt.Errorf("clv: expected value: %w", err)
	}
	x := float64(purchases)
	below := m.P*x + m.Q - 1
	if !(below > 0) {
		return 0, fmt.Errorf("clv: expected value: %w", ErrNoMean)
	}
	return m.P * (m.Gamma + x*mean) / below, nil
}
