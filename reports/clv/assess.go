package clv

import (
	"fmt"
	"math"
)

// Code names a warning; the codes are a closed list.
type Code string

// The warnings there are.
const (
	TooFewRepeats Code = "too_few_repeats" // fewer than 200 customers bought again
	TooShort      Code = "too_short"       // less than half a year is known
	Subscriptions Code = "subscriptions"   // there are subscriptions among the purchases
	Regular       Code = "regular"         // purchases come at regular intervals, as subscriptions do
	Correlated    Code = "correlated"      // frequent buyers spend otherwise than rare ones
	AtEdge        Code = "at_edge"         // the fit ran to the end of its range
	WideMean      Code = "wide_mean"       // the spread of values has no mean
	OnceOnly      Code = "once_only"       // some never bought again, and the model calls them all alive
)

// The limits behind the warnings.
const (
	// MinRepeaters and MinWeeks are what a fit of BG/NBD or Gamma-Gamma needs.
	MinRepeaters = 200
	MinWeeks     = 26.0
	// MaxCorrelation of number and mean value of purchases is what Gamma-Gamma
	// stands; 0.11 is usual for shops.
	MaxCorrelation = 0.3

	// Gaps that vary less than this are no coincidence, from so many gaps on,
	// and where they are so common the models do not fit.
	regularVariation = 0.25
	regularGaps      = 3
	regularShare     = 0.5
)

// Warning says what speaks against a figure.
type Warning struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
	// Refuse says that the model should not be fitted at all; show averages.
	Refuse bool `json:"refuse"`
}

// Assessment is what is known before anything is fitted.
type Assessment struct {
	Customers int64 `json:"customers"`
	Repeaters int64 `json:"repeaters"`
	// Weeks is the longest time that a customer was observed.
	Weeks float64 `json:"weeks"`
	// Correlation is Pearson's, -1 to 1, of number and mean value of repeat
	// purchases over those who have one; zero where it cannot be told.
	Correlation float64 `json:"correlation"`
	// Regular of Judged customers, those with three gaps or more, buy at
	// regular intervals.
	Regular  int64     `json:"regular"`
	Judged   int64     `json:"judged"`
	Averages Averages  `json:"averages"`
	Warnings []Warning `json:"warnings"`
}

// Refused says that the models should not be fitted; Averages then stand in.
func (a Assessment) Refused() bool {
	for _, w := range a.Warnings {
		if w.Refuse {
			return true
		}
	}
	return false
}

// Assess looks at customers before a fit. Subscribers is how many of them have
// a subscription, as the events tell.
func Assess(observed []Observed, subscribers int64) Assessment {
	var a Assessment
	for _, o := range observed {
		n := max(o.History.Customers, 1)
		a.Customers += n
		a.Weeks = max(a.Weeks, o.History.Age)
		if o.History.Repeats > 0 {
			a.Repeaters += n
		}
		if o.Gaps >= regularGaps {
			a.Judged += n
			if o.Variation < regularVariation {
				a.Regular += n
			}
		}
	}
	a.Correlation = correlation(observed)
	a.Averages = Average(observed)
	a.Warnings = a.warnings(subscribers)
	return a
}

func (a Assessment) warnings(subscribers int64) []Warning {
	all := []Warning{}
	warn := func(when bool, code Code, refuse bool, format string, args ...any) {
		if when {
			all = append(all, Warning{Code: code, Text: fmt.Sprintf(format, args...), Refuse: refuse})
		}
	}
	warn(a.Repeaters < MinRepeaters, TooFewRepeats, true,
		"only %d customers bought again; a fit needs about %d, averages are shown instead", a.Repeaters, MinRepeaters)
	warn(a.Weeks < MinWeeks, TooShort, true,
		"only %.1f weeks are known; a fit needs half a year (%.0f), averages are shown instead", a.Weeks, MinWeeks)
	warn(subscribers > 0, Subscriptions, 2*subscribers > a.Customers,
		"%d of %d customers have a subscription; these models are for purchases without one, use retention curves for them", subscribers, a.Customers)
	warn(a.Judged > 0 && float64(a.Regular) > regularShare*float64(a.Judged), Regular, false,
		"%d of %d customers buy at regular intervals, as subscriptions do; the model supposes that purchases come at random", a.Regular, a.Judged)
	warn(math.Abs(a.Correlation) > MaxCorrelation, Correlated, false,
		"number and mean value of purchases go together (correlation %.2f, at most %.1f is fine); values are too near the average", a.Correlation, MaxCorrelation)
	warn(a.Repeaters < a.Customers, OnceOnly, false,
		"%d customers never bought again; the model calls every one of them alive, so their P(alive) is unknown", a.Customers-a.Repeaters)
	return all
}

// FitWarnings are those that only a fit shows.
func FitWarnings(fit Fit, spend *GammaGamma) []Warning {
	all := []Warning{}
	if fit.AtEdge {
		all = append(all, Warning{Code: AtEdge, Text: "the customers differ too little, or too much, for the fit to tell how much; trust averages only"})
	}
	if spend != nil && spend.Q <= 1 {
		all = append(all, Warning{Code: WideMean, Text: fmt.Sprintf("values differ so much (q = %.2f, needs more than 1) that their mean is unknown", spend.Q), Refuse: true})
	}
	return all
}

// correlation is Pearson's, in two passes, so that large amounts do not drown
// small differences.
func correlation(observed []Observed) float64 {
	spends := Spends(observed)
	var n, meanX, meanZ float64
	for _, s := range spends {
		w := float64(max(s.Customers, 1))
		n += w
		meanX += w * (float64(s.Purchases) - meanX) / n
		meanZ += w * (s.Mean - meanZ) / n
	}
	var xx, zz, xz float64
	for _, s := range spends {
		w, dx, dz := float64(max(s.Customers, 1)), float64(s.Purchases)-meanX, s.Mean-meanZ
		xx, zz, xz = xx+w*dx*dx, zz+w*dz*dz, xz+w*dx*dz
	}
	if xx == 0 || zz == 0 {
		return 0
	}
	return max(-1, min(1, xz/math.Sqrt(xx)/math.Sqrt(zz)))
}

// Averages are what stands in where too little is known for a model.
type Averages struct {
	// PerWeek is repeat purchases per customer and week observed.
	PerWeek float64 `json:"per_week"`
	// Each is the mean value of a repeat purchase, in units of the currency.
	Each float64 `json:"each"`
}

// Average takes the averages of everybody: PerWeek = Σx / ΣT, Each = Σxz / Σx.
// They are zero where nothing was bought again.
func Average(observed []Observed) Averages {
	var repeats, observedWeeks, spent float64
	for _, o := range observed {
		n := float64(max(o.History.Customers, 1))
		repeats += n * float64(o.History.Repeats)
		observedWeeks += n * o.History.Age
		spent += n * float64(o.History.Repeats) * o.Mean
	}
	if repeats == 0 || observedWeeks == 0 {
		return Averages{}
	}
	return Averages{PerWeek: repeats / observedWeeks, Each: spent / repeats}
}

// Value is what an average customer is expected to buy within a horizon: the
// number of purchases, and their value, discounted and times margin. It forgets
// that customers leave, so it is too high for long horizons. Both are zero for a
// horizon that is none.
func (a Averages) Value(over Horizon) (purchases, value float64) {
	over, err := over.checked()
	if err != nil {
		return 0, 0
	}
	each, factor := a.PerWeek*over.Length, 1.0
	for range over.Steps {
		factor /= 1 + over.Discount
		purchases += each
		value += each * a.Each * over.Margin * factor
	}
	return purchases, value
}
