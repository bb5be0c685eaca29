package live

import (
	"cmp"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// buyer is a person with the purchases that count, by currency.
type buyer struct {
	id        lifecycle.ProfileID
	purchases map[string][]clv.Purchase
}

// ledger gathers purchases with an amount.
type ledger struct {
	o          *Options
	buyers     []buyer
	byCurrency map[string]int64
	without    int64 // purchases without an amount
	exchange
}

func newLedger(o *Options) ledger {
	return ledger{o: o, byCurrency: map[string]int64{}, exchange: newExchange(o)}
}

func (l *ledger) take(p *summary.Person) error {
	b := buyer{id: p.ID, purchases: map[string][]clv.Purchase{}}
	for i := range p.Events {
		e := &p.Events[i]
		if !l.o.counts(e) {
			continue
		}
		if e.Amount.Currency == "" {
			l.without++
			continue
		}
		if m, ok := l.exchange.of(e.Amount); ok {
			l.byCurrency[m.Currency]++
			b.purchases[m.Currency] = append(b.purchases[m.Currency], clv.Purchase{At: e.At, Micros: m.Micros})
		}
	}
	if len(b.purchases) > 0 {
		l.buyers = append(l.buyers, b)
	}
	return nil
}

// best is the currency asked for, or the one with the most purchases.
func (l *ledger) best() string {
	chosen := l.o.Currency
	if chosen == "" {
		type count struct {
			name string
			n    int64
		}
		var all []count
		for name, n := range l.byCurrency {
			all = append(all, count{name, n})
		}
		slices.SortFunc(all, func(a, b count) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
		if len(all) > 0 {
			chosen = all[0].name
		}
	}
	return chosen
}

// currency is that of the report. Purchases in others are noted.
func (l *ledger) currency(r *Report) string {
	chosen := l.best()
	l.exchange.say(r)
	for _, name := range sortedKeys(l.byCurrency) {
		if name != chosen {
			r.note("%d purchases in %s are left out: amounts of two currencies are not added", l.byCurrency[name], name)
		}
	}
	if l.without > 0 {
		r.note("%d purchases carry no amount and are left out", l.without)
	}
	return chosen
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
