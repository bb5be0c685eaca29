package clv

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Forecast says what many customers are expected to buy within one horizon.
// When a customer bought last only decides how likely they still buy; what one
// who does will buy follows from (x, T) alone. Of those there are few where times
// are whole days, so each is computed once.
type Forecast struct {
	model BGNBD
	over  Horizon
	ahead map[pace]ahead
}

// pace is what decides how much somebody who is active will buy: x and T.
type pace struct {
	repeats int64
	age     float64
}

// forecastPiece is how many paces one processor computes at a time.
const forecastPiece = 256

// NewForecast looks ahead for everybody with one of the histories. The error
// wraps ErrHistory or is the context's.
func NewForecast(ctx context.Context, m BGNBD, over Horizon, histories []History) (*Forecast, error) {
	over, err := over.checked()
	if err != nil {
		return nil, err
	}
	f := &Forecast{model: m, over: over, ahead: map[pace]ahead{}}
	var paces []pace
	for i, h := range histories {
		if err := h.check(); err != nil {
			return nil, fmt.Errorf("clv: history %d: %w", i+1, err)
		}
		p := pace{h.Repeats, h.Age}
		if _, have := f.ahead[p]; !have {
			f.ahead[p] = ahead{}
			paces = append(paces, p)
		}
	}
	looked := make([]ahead, len(paces))
	next := make(chan int, len(paces)/forecastPiece+1)
	for from := 0; from < len(paces); from += forecastPiece {
		next <- from
	}
	close(next)
	var wg sync.WaitGroup
	for range min(cap(next), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for from := range next {
				for i := from; i < min(len(paces), from+forecastPiece) && ctx.Err() == nil; i++ {
					looked[i] = m.ahead(paces[i].repeats, paces[i].age, over)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, p := range paces {
		f.ahead[p] = looked[i]
	}
	return f, nil
}

// Outlook is what a Forecast says of one customer.
type Outlook struct {
	// Purchases is the expected number within the horizon, Discounted the same
	// with each worth what it is today.
	Purchases, Discounted float64
	// PAlive is the probability, 0 to 1, that the customer still buys. Without a
	// repeat it is 1 and says nothing, see BGNBD.PAlive.
	PAlive float64
}

// Of is what is expected of a customer with one of the histories. The error
// wraps ErrSeries, or ErrHistory for a history that was not among them. It is
// safe for concurrent use.
func (f *Forecast) Of(h History) (Outlook, error) {
	a, have := f.ahead[pace{h.Repeats, h.Age}]
	if !have {
		return Outlook{}, fmt.Errorf("clv: forecast: %w: it was not looked ahead for", ErrHistory)
	}
	if err := h.check(); err != nil {
		return Outlook{}, fmt.Errorf("clv: forecast: %w", err)
	}
	return a.of(f.model, h), a.err
}

// Value is NewValue from an outlook that Of gave for the history.
func (f *Forecast) Value(o Outlook, spend GammaGamma, h History, mean float64) (Value, error) {
	return o.worth(spend, h, mean, f.over.Margin)
}
