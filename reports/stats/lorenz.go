package stats

// LorenzPoint is one of a Lorenz curve: the poorest share of the customers, 0 to
// 1, and what share of the revenue they have.
type LorenzPoint struct {
	Customers float64 `json:"customers"`
	Revenue   float64 `json:"revenue"`
}

// lorenzPoints is how many pieces the curve has at most; each is a twentieth of
// the customers, rounded up to whole ones.
const lorenzPoints = 20

// lorenz walks up from the poorest. Rows are sorted and none below zero; without
// revenue there is no curve, which is nil.
func lorenz(rows []Count[int64], n, total int64) []LorenzPoint {
	if n <= 0 || total <= 0 {
		return nil
	}
	curve := []LorenzPoint{{}}
	var people, money int64
	piece := 1
	for _, r := range rows {
		for ; piece <= lorenzPoints; piece++ {
			rank := int64(ceilPercent(uint64(n), uint64(piece*100/lorenzPoints)))
			if rank > people+r.N {
				break
			}
			point := LorenzPoint{float64(rank) / float64(n), float64(money+(rank-people)*r.Value) / float64(total)}
			// With few customers some pieces end at the same one.
			if point != curve[len(curve)-1] {
				curve = append(curve, point)
			}
		}
		people, money = people+r.N, money+r.N*r.Value
	}
	return curve
}
