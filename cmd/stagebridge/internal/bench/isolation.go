package bench

import (
	"context"
	"fmt"
	"time"
)

// isolation is the drill for rule 7: with one vendor silent, the others get
// theirs as before. Runs with and without the sick one alternate.
func (b *bench) isolation(ctx context.Context) error {
	pairs := b.size(5, 2)
	var well, sick []float64
	for i := range pairs {
		for _, silent := range []bool{false, true} {
			p99, err := b.drill(ctx, silent)
			if err != nil {
				return err
			}
			b.progress("pair %d: silent vendor %t: p99 at the others %s", i+1, silent, short(p99))
			if silent {
				sick = append(sick, float64(p99))
			} else {
				well = append(well, float64(p99))
			}
		}
	}
	before, after := time.Duration(median(well)), time.Duration(median(sick))
	verdict := "holds"
	if after > before*12/10 && after-before > 20*time.Millisecond {
		verdict = "does not hold"
	}
	b.add(row{what: "isolation: p99 to the healthy vendors, all well", p99: short(before)})
	b.add(row{what: "isolation: the same with one vendor silent", p99: short(after), ratio: fmt.Sprintf("%.2f ×, %s", float64(after)/float64(before), verdict)})
	return nil
}

// drill sends webhooks steadily to a server that pushes to three vendors, one
// of which may be silent, and gives the p99 until the others have each.
func (b *bench) drill(ctx context.Context, silent bool) (time.Duration, error) {
	one, err := newArrivals("one")
	if err != nil {
		return 0, err
	}
	defer func() { _ = one.server.Close() }()
	two, err := newArrivals("two")
	if err != nil {
		return 0, err
	}
	defer func() { _ = two.server.Close() }()
	third, err := newArrivals("third")
	if err != nil {
		return 0, err
	}
	defer func() { _ = third.server.Close() }()
	if silent {
		third.server.Silent(true)
	}
	br, err := b.bridge(ctx, false, map[string]string{"one": one.server.URL(), "two": two.server.URL(), "third": third.server.URL()})
	if err != nil {
		return 0, err
	}
	defer br.end()
	n := b.size(600, 60)
	sent := make([]time.Time, n)
	for i := range n {
		now := time.Now()
		sent[i] = now
		if _, err := fire(ctx, br.url+"/hooks/hook", 1, []shot{signed(fmt.Sprintf("drill_%d", i), order(i, i, now), now)}); err != nil {
			return 0, err
		}
		time.Sleep(5 * time.Millisecond)
	}
	var all []time.Duration
	for _, a := range []*arrivals{one, two} {
		if err := a.wait(ctx, n, time.Minute); err != nil {
			return 0, err
		}
		for i := range n {
			all = append(all, a.at[fmt.Sprintf("u%d", i)].Sub(sent[i]))
		}
	}
	return percentile(all, 0.99), nil
}
