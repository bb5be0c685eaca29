package live

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// exchange turns amounts into the currency asked for where there is a table of
// rates, and keeps count of those that it has no rate for.
type exchange struct {
	rates   stats.Rates
	missing map[string]int64
}

func newExchange(o *Options) exchange {
	return exchange{rates: stats.Rates{To: o.Currency, Per: o.Rates}, missing: map[string]int64{}}
}

// of gives an amount in the currency that counts. It is false where the table
// has no rate for it, or the amount does not fit any more.
func (x *exchange) of(m lifecycle.Money) (lifecycle.Money, bool) {
	if x.rates.Per == nil {
		return m, true
	}
	turned, err := x.rates.Convert(m)
	if err != nil {
		x.missing[m.Currency]++
		return lifecycle.Money{}, false
	}
	return turned, true
}

// say tells what the rates were and what they did not cover.
func (x *exchange) say(r *Report) {
	if x.rates.Per == nil {
		return
	}
	pairs := make([]string, 0, len(x.rates.Per))
	for _, from := range sortedKeys(x.rates.Per) {
		pairs = append(pairs, fmt.Sprintf("1 %s = %s %s", from, strings.TrimRight(strings.TrimRight(x.rates.Per[from].FloatString(12), "0"), "."), x.rates.To))
	}
	r.note("amounts are turned into %s by one table of rates for all times: %s", x.rates.To, strings.Join(pairs, ", "))
	for _, from := range sortedKeys(x.missing) {
		r.note("%d amounts in %s are left out: the table has no rate for it", x.missing[from], from)
	}
}

// maxCurrencies is how many currencies one report shows side by side.
const maxCurrencies = 10

// shownCurrencies are those of a report that keeps currencies apart: the ones
// with the most amounts first. A note names the others.
func shownCurrencies(r *Report, o *Options, counts map[string]int64) []string {
	all := sortedKeys(counts)
	slices.SortStableFunc(all, func(a, b string) int {
		switch {
		case counts[a] > counts[b]:
			return -1
		case counts[a] < counts[b]:
			return 1
		}
		return 0
	})
	shown := all
	if o.Currency != "" {
		shown = slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c != o.Currency })
	}
	shown = shown[:min(len(shown), maxCurrencies)]
	if left := len(all) - len(shown); left > 0 {
		r.note("%d other currencies are left out: amounts of two currencies are not added", left)
	}
	return shown
}
