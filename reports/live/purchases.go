package live

import (
	"cmp"
	"slices"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/reports/summary"
)

// book is what everybody bought in one currency. A million buyers are one list
// of purchases and where each one's begin.
type book struct {
	buyers    []lifecycle.ProfileID
	begin     []int32
	purchases []clv.Purchase
}

// each gives the buyers with their purchases, both in order.
func (b *book) each(fn func(id lifecycle.ProfileID, purchases []clv.Purchase)) {
	for i, id := range b.buyers {
		end := len(b.purchases)
		if i+1 < len(b.begin) {
			end = int(b.begin[i+1])
		}
		fn(id, b.purchases[b.begin[i]:end])
	}
}

// ledger gathers purchases with an amount.
type ledger struct {
	o          *Options
	books      map[string]*book // by currency
	byCurrency map[string]int64
	buyers     int64 // people with a purchase that counts
	without    int64 // purchases without an amount
	exchange
}

func newLedger(o *Options) ledger {
	return ledger{o: o, books: map[string]*book{}, byCurrency: map[string]int64{}, exchange: newExchange(o)}
}

func (l *ledger) take(p *summary.Person) error {
	bought := false
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
			l.add(p.ID, m, e.At)
			bought = true
		}
	}
	if bought {
		l.buyers++
	}
	return nil
}

func (l *ledger) add(id lifecycle.ProfileID, m lifecycle.Money, at lifecycle.Instant) {
	l.byCurrency[m.Currency]++
	b := l.books[m.Currency]
	if b == nil {
		b = &book{}
		l.books[m.Currency] = b
	}
	if n := len(b.buyers); n == 0 || b.buyers[n-1] != id {
		b.buyers, b.begin = append(b.buyers, id), append(b.begin, int32(len(b.purchases)))
	}
	b.purchases = append(b.purchases, clv.Purchase{At: at, Micros: m.Micros})
}

// in gives what was bought in a currency; never nil.
func (l *ledger) in(currency string) *book {
	if b := l.books[currency]; b != nil {
		return b
	}
	return &book{}
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
