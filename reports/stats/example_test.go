package stats_test

import (
	"fmt"
	"time"

	"github.com/stagebridge/stagebridge/reports/stats"
)

func ExampleKaplanMeier() {
	const day = 24 * time.Hour
	// Visits to a stage: three are over, and two are going on.
	curve, err := stats.KaplanMeier([]stats.Spell{
		{Length: 2 * day, Ended: 2},
		{Length: 5 * day, Ended: 1, Open: 1},
		{Length: 9 * day, Open: 1},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	median, known := curve.Median()
	fmt.Println(int(median/day), "days", known)
	_, known = curve.Percentile(90)
	fmt.Println("the ninth tenth is known:", known)
	// Output:
	// 5 days true
	// the ninth tenth is known: false
}

func ExampleAttribute() {
	conversion := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	journey := stats.Journey{Conversion: micros(conversion), Lead: -1, Touches: []stats.Touch{
		{At: micros(conversion.AddDate(0, 0, -14))},
		{At: micros(conversion.AddDate(0, 0, -7))},
		{At: micros(conversion)},
	}}
	shares, err := stats.Attribute(stats.TimeDecay, journey)
	if err != nil {
		fmt.Println(err)
		return
	}
	credit, err := stats.Credit(70_000_000, shares)
	fmt.Println(shares, credit, err)
	// Output:
	// [142857142 285714285 571428573] [9999999 19999999 40000002] <nil>
}
