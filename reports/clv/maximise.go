package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// ErrNotFitted says that no start of the search led to a maximum. The
// parameters that come with it are zero.
var ErrNotFitted = errors.New("no maximum of the likelihood was found")

const (
	// edge bounds the logarithm of every parameter. Data without any
	// differences between customers have their maximum at infinity; the search
	// then stops here, and the fit says so.
	edge = 12.0
	// maxIterations bounds the search from one start; thirty are usual.
	maxIterations = 500
	// flat is the slope of the mean log-likelihood at which the search stops,
	// and level the one that is good enough where rounding keeps it from
	// getting further.
	flat  = 1e-7
	level = 1e-5
)

// Fit tells how a model was found.
type Fit struct {
	// LogLikelihood is the sum over all customers, in natural logarithms.
	LogLikelihood float64 `json:"log_likelihood"`
	// Customers is how many were fitted.
	Customers int64 `json:"customers"`
	// AtEdge says that a parameter ran to the end of the range that is searched
	// (e^±12): the data do not tell how much customers differ, and the figures
	// should not be trusted beyond their averages.
	AtEdge bool `json:"at_edge"`
}

// likelihood gives the log-likelihood at parameters that are all positive, and
// writes its slope by each of them into grad.
type likelihood func(params, grad []float64) float64

// maximise searches over the logarithms of the parameters, from every start,
// and gives the best end. It divides the likelihood by the number of customers,
// so that the same precision is asked of few and many.
func maximise(ctx context.Context, customers int64, starts [][]float64, f likelihood) ([]float64, Fit, error) {
	var (
		best  []float64
		bestF = math.Inf(1)
		errs  []error
	)
	for _, start := range starts {
		x, value, err := minimise(ctx, problem(customers, len(start), f), start)
		if err := ctx.Err(); err != nil {
			return nil, Fit{}, err
		}
		if err != nil {
			errs = append(errs, err)
		}
		if x != nil && value < bestF {
			best, bestF = x, value
		}
	}
	if best == nil {
		return nil, Fit{}, fmt.Errorf("%w: %w", ErrNotFitted, errors.Join(errs...))
	}
	params, grad := make([]float64, len(best)), make([]float64, len(best))
	fit := Fit{Customers: customers}
	for i, x := range best {
		params[i] = math.Exp(clamp(x))
		fit.AtEdge = fit.AtEdge || math.Abs(x) > edge-0.01
	}
	fit.LogLikelihood = f(params, grad)
	return params, fit, nil
}

// minimise runs one search: by slopes and curvature first, since parameters that
// nearly stand in for each other make a long narrow valley of the likelihood,
// which slopes alone go down in hundreds of steps. Where that leads nowhere it
// goes on by slopes, and then without them, from where it ended.
func minimise(ctx context.Context, p optimize.Problem, start []float64) ([]float64, float64, error) {
	p.Status = func() (optimize.Status, error) {
		if err := ctx.Err(); err != nil {
			return optimize.Failure, err
		}
		return optimize.NotTerminated, nil
	}
	logs := make([]float64, len(start))
	for i, s := range start {
		logs[i] = math.Log(s)
	}
	for _, method := range []optimize.Method{&optimize.Newton{}, &optimize.BFGS{}} {
		// Made anew for each search, since it remembers.
		settings := &optimize.Settings{
			GradientThreshold: flat,
			MajorIterations:   maxIterations,
			Converger:         &optimize.FunctionConverge{Absolute: 1e-13, Iterations: 20},
		}
		result, err := optimize.Minimize(p, logs, settings, method)
		if x, value, rough := finite(result); rough == nil {
			slope := make([]float64, len(x))
			if p.Grad(slope, x); err == nil || floats.Norm(slope, math.Inf(1)) < level {
				return x, value, nil
			}
			logs = x
		}
	}
	p.Grad = nil
	result, err := optimize.Minimize(p, logs, &optimize.Settings{MajorIterations: maxIterations}, &optimize.NelderMead{})
	if err != nil {
		return nil, 0, err
	}
	return finite(result)
}

func finite(r *optimize.Result) ([]float64, float64, error) {
	if r == nil || math.IsNaN(r.F) || math.IsInf(r.F, 0) {
		return nil, 0, errors.New("the search left the numbers")
	}
	return r.X, r.F, nil
}

// problem turns a likelihood into what is minimised: minus its mean, plus a
// rising wall beyond the edge, so that it is finite everywhere.
func problem(customers int64, dim int, f likelihood) optimize.Problem {
	scale := 1 / float64(customers)
	look := func(logs []float64) (value float64, slope []float64) {
		params, slope := make([]float64, dim), make([]float64, dim)
		for i, x := range logs {
			params[i] = math.Exp(clamp(x))
		}
		value = -scale * f(params, slope)
		for i, x := range logs {
			beyond := x - clamp(x)
			value += beyond * beyond
			if beyond == 0 {
				slope[i] *= -scale * params[i]
			} else {
				slope[i] = 2 * beyond
			}
		}
		return value, slope
	}
	// The value and the slope come from one pass over the customers, and the
	// search asks for both at the same place.
	var at, slope []float64
	var value float64
	pass := func(logs []float64) {
		if at == nil || !slices.Equal(at, logs) {
			value, slope = look(logs)
			at = append(at[:0], logs...)
		}
	}
	return optimize.Problem{
		Func: func(x []float64) float64 { pass(x); return value },
		Grad: func(grad, x []float64) { pass(x); copy(grad, slope) },
		Hess: func(h *mat.SymDense, x []float64) {
			pass(x)
			curve(h, x, slope, func(x []float64) []float64 { _, slope := look(x); return slope })
		},
	}
}

// aside is how far from a place its curvature is measured.
const aside = 1e-5

// curve measures how slopes change around a place.
func curve(h *mat.SymDense, x, slope []float64, slopeAt func([]float64) []float64) {
	beside, bends := slices.Clone(x), make([][]float64, len(x))
	for i := range x {
		beside[i] = x[i] + aside
		bends[i] = slopeAt(beside)
		beside[i] = x[i]
		floats.Sub(bends[i], slope)
	}
	for i := range x {
		for j := range i + 1 {
			h.SetSym(i, j, (bends[i][j]+bends[j][i])/(2*aside))
		}
	}
}

func clamp(x float64) float64 { return max(-edge, min(edge, x)) }

// lnGamma is ln Γ(x) for x > 0.
func lnGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// lnBeta is ln B(a, b) for positive a and b.
func lnBeta(a, b float64) float64 { return lnGamma(a) + lnGamma(b) - lnGamma(a+b) }
