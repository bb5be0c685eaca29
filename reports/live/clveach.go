package live

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
)

// valuePiece is how many customers one processor values at a time.
const valuePiece = 4096

// each values everybody, pieces beside each other on all processors, and keeps
// their order. It counts those for whom the horizon is too long.
func (d *CLV) each(ctx context.Context, people []lifecycle.ProfileID, observed []clv.Observed) (beyond int, err error) {
	f, err := clv.NewForecast(ctx, *d.Purchases, d.horizon(), clv.Histories(observed))
	if err != nil {
		return 0, err
	}
	valued, errs := make([]Customer, len(people)), make([]error, len(people)/valuePiece+1)
	next := make(chan int, len(errs))
	for i := range errs {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(len(errs), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				errs[i] = d.piece(ctx, f, valued, people, observed, i*valuePiece)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	kept := slices.DeleteFunc(valued, func(c Customer) bool { return c.Person == 0 })
	d.Customers = kept
	return len(people) - len(kept), nil
}

// piece values customers from a place on; one for whom the horizon is too long
// stays without an id.
func (d *CLV) piece(ctx context.Context, f *clv.Forecast, valued []Customer, people []lifecycle.ProfileID, observed []clv.Observed, from int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := from; i < min(len(people), from+valuePiece); i++ {
		one, err := d.customer(f, people[i], &observed[i])
		if err != nil && !errors.Is(err, clv.ErrSeries) {
			return err
		}
		if err == nil {
			valued[i] = one
		}
	}
	return nil
}

// greatest gives up to so many customers, that with the greatest value first, and
// of equal ones that with the smallest id.
func (d *CLV) greatest(most int) []Customer {
	type rank struct {
		worth float64
		place int32
	}
	ranks := make([]rank, len(d.Customers))
	for i := range d.Customers {
		ranks[i] = rank{d.Customers[i].worth(), int32(i)}
	}
	slices.SortFunc(ranks, func(a, b rank) int { return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.place, b.place)) })
	best := make([]Customer, min(most, len(ranks)))
	for i := range best {
		best[i] = d.Customers[ranks[i].place]
	}
	return best
}
