package clv

import "math"

// maxTimes is how many different times rows may have for tables to be worth
// their making: eleven years of days.
const maxTimes = 4096

// times are the different times of rows. Of those in whole days there are few,
// so that logarithms and powers of them are looked up instead of computed.
type times struct {
	values []float64
	// last and age are the place of each row's times among the values.
	last, age []int32
}

// timesOf is nil where there are too many different times.
func timesOf(rows []History) *times {
	t := &times{last: make([]int32, len(rows)), age: make([]int32, len(rows))}
	places := map[float64]int32{}
	place := func(x float64) int32 {
		at, have := places[x]
		if !have {
			at = int32(len(t.values))
			places[x], t.values = at, append(t.values, x)
		}
		return at
	}
	for i := range rows {
		t.last[i], t.age[i] = place(rows[i].Last), place(rows[i].Age)
		if len(t.values) > maxTimes {
			return nil
		}
	}
	return t
}

// timesUnder are times with what parameters make of them.
type timesUnder struct {
	*times
	ln, inverse []float64 // ln(α+t) and 1/(α+t)
	most        float64   // the largest ln
}

// under is nil without times.
func (t *times) under(m BGNBD) *timesUnder {
	if t == nil {
		return nil
	}
	u := &timesUnder{times: t, ln: make([]float64, len(t.values)), inverse: make([]float64, len(t.values)), most: math.Inf(-1)}
	for i, x := range t.values {
		u.ln[i], u.inverse[i] = math.Log(m.Alpha+x), 1/(m.Alpha+x)
		u.most = max(u.most, u.ln[i])
	}
	return u
}

const (
	// deepest is the logarithm of the smallest power that a table holds. Rows of
	// customers so frequent that it does not suffice are computed one by one.
	deepest = -300
	// wide is how far a product of ones and odds grows before its logarithm is
	// taken: two such factors more are still numbers.
	wide = 1e100
	// few is up to how many customers of one row are multiplied one by one, which
	// is quicker than a logarithm.
	few = 6
)

// tabled is plain with tables: with q(t) = ((α+t)/(α+most))^(r+x), which is at
// most one, e^A4 / e^A3 is a/(b+x-1) · q(T)/q(t_x), and the logarithm of a product
// stands for the sum of logarithms.
func (m BGNBD) tabled(rows []History, from, to int, at *timesUnder) (s sums) {
	x := float64(rows[from].Repeats)
	least := at.most
	for _, ln := range at.ln {
		least = min(least, ln)
	}
	if (m.R+x)*(least-at.most) < deepest {
		return m.plain(rows[from:to])
	}
	power := make([]float64, len(at.ln))
	for i, ln := range at.ln {
		power[i] = math.Exp((m.R + x) * (ln - at.most))
	}
	leave, product := m.A/(m.B+x-1), 1.0
	var lnT float64
	for i := from; i < to; i++ {
		weight, last, age := float64(rows[i].Customers), at.last[i], at.age[i]
		odds := leave * power[age] / power[last]
		alive := 1 / (1 + odds)
		gone := odds * alive
		if rows[i].Customers > few || odds > wide {
			s.value += weight * math.Log1p(odds)
		} else {
			for range rows[i].Customers {
				if product *= 1 + odds; product > wide {
					s.value += math.Log(product)
					product = 1
				}
			}
		}
		s.weight += weight
		lnT += weight * at.ln[age]
		s.gone += weight * gone
		s.logs += weight * (alive*at.ln[age] + gone*at.ln[last])
		s.inverses += weight * (alive*at.inverse[age] + gone*at.inverse[last])
	}
	s.value += math.Log(product) - (m.R+x)*lnT
	return s
}
