package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/reports/live"
)

// ordersOfMany writes a file of orders by 500 customers of the last 80 weeks,
// each of whom buys, and leaves, at a pace of their own, and gives its rows.
func ordersOfMany(t *testing.T) (path string, rows int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("id,day,usd\n")
	chance, today := rand.New(rand.NewPCG(1, 2)), time.Now().UTC()
	for i := range 500 {
		day := today.AddDate(0, 0, -7*80+i%90)
		pace, leaves, spends := 70/(chance.ExpFloat64()+0.05), chance.Float64()*chance.Float64(), 20+chance.ExpFloat64()*40
		for n := 0; n < 60 && day.Before(today); n++ {
			rows++
			fmt.Fprintf(&b, "u%d,%s,%.2f\n", i, day.Format(time.DateOnly), spends*(0.5+chance.Float64()))
			if chance.Float64() < leaves {
				break
			}
			day = day.AddDate(0, 0, 1+int(chance.ExpFloat64()*pace))
		}
	}
	path = filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, rows
}

// TestScores gives customers their scores, which are those of the reports, and
// finds nothing to change when it is done again.
func TestScores(t *testing.T) {
	t.Parallel()
	file, rows := ordersOfMany(t)
	env := imported(t, file, rows)
	r := stagebridge(t, env, "score")
	if r.code != exitOK || !strings.HasPrefix(r.stdout, "500 customers (USD), 500 of them have other scores than before\n") {
		t.Fatalf("%+v", r)
	}
	var worth live.CLV
	ask(t, env, &worth, "clv")
	if worth.Spend == nil || len(worth.Customers) != 500 {
		t.Fatalf("nothing was fitted: %+v, %d customers, %+v", worth.Purchases, len(worth.Customers), worth.Assessment)
	}
	var one live.Customer
	// Of those who spent too little for the segment by that alone, the most
	// valuable.
	for _, c := range worth.Customers {
		if c.Repeats > 1 && c.Mean*float64(c.Repeats+2) < 900 && (one.Value == nil || c.Value.Total > one.Value.Total) {
			one = c
		}
	}
	again := stagebridge(t, env, "score")
	if again.code != exitOK || !strings.HasPrefix(again.stdout, "500 customers (USD), 0 of them have other scores than before\n") {
		t.Errorf("again: %+v", again)
	}
	s := serve(t, env)
	var got struct {
		Traits   map[string]any `json:"traits"`
		Segments []string       `json:"segments"`
	}
	s.get(fmt.Sprintf("profiles/%d", one.Person), &got)
	value, _ := got.Traits["clv"].(float64)
	alive, _ := got.Traits["p_alive"].(float64)
	if math.Abs(value/one.Value.Total-1) > 0.005 || math.Abs(alive-*one.PAlive) > 0.005 {
		t.Errorf("traits %v, want value %v and P(alive) %v", got.Traits, one.Value.Total, *one.PAlive)
	}
	if rfm, _ := got.Traits["rfm"].(string); len(rfm) != 3 || strings.Trim(rfm, "12345") != "" {
		t.Errorf("rfm %v", got.Traits["rfm"])
	}
	if high := slices.Contains(got.Segments, "high_value"); high != (value >= 1000) {
		t.Errorf("segments %v at a value of %v", got.Segments, value)
	}
}
