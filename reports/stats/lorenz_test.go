package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestLorenz(t *testing.T) {
	t.Parallel()
	even, err := NewConcentration("EUR", []Count[int64]{{Value: 5, N: 40}}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(even.Lorenz) != lorenzPoints+1 {
		t.Fatalf("%d points, want %d", len(even.Lorenz), lorenzPoints+1)
	}
	for _, p := range even.Lorenz {
		if math.Abs(p.Customers-p.Revenue) > 1e-12 {
			t.Errorf("all have the same, and %v of them have %v", p.Customers, p.Revenue)
		}
	}
	one, err := NewConcentration("EUR", []Count[int64]{{Value: 0, N: 9}, {Value: 100, N: 1}}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range one.Lorenz {
		if want := map[bool]float64{true: 1}[p.Customers == 1]; p.Revenue != want {
			t.Errorf("one has all, and %v of them have %v", p.Customers, p.Revenue)
		}
	}
	if none, err := NewConcentration("EUR", []Count[int64]{{Value: 0, N: 3}}, 0, 0); err != nil || none.Lorenz != nil {
		t.Errorf("nobody has anything: %v, %v", none.Lorenz, err)
	}
}

// TestLorenzIsACurve: it rises from nothing to all, never faster than the
// diagonal, ever more steeply, and agrees with adding up one by one.
func TestLorenzIsACurve(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 1e9), 1, 60).Draw(t, "values")
		c, err := NewConcentration("EUR", CountValues(values), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if c.Total == 0 {
			return
		}
		rows := CountValues(values)
		for i, p := range c.Lorenz {
			people := int64(math.Round(p.Customers * float64(len(values))))
			var money int64
			left := people
			for _, r := range rows {
				n := min(left, r.N)
				money, left = money+n*r.Value, left-n
			}
			if want := float64(money) / float64(c.Total); math.Abs(p.Revenue-want) > 1e-9 || p.Revenue > p.Customers+1e-9 {
				t.Fatalf("point %d: %v of the customers have %v, want %v", i, p.Customers, p.Revenue, want)
			}
		}
		if last := c.Lorenz[len(c.Lorenz)-1]; last != (LorenzPoint{1, 1}) {
			t.Fatalf("it ends at %v", last)
		}
	})
}
