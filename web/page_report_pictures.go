package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/reports/stats"
	"github.com/stagebridge/stagebridge/web/chart"
)

// Bounds of what fits into one picture; the tables and the file have more.
const (
	mostColumns = 12
	mostRows    = 24
	mostGroups  = 8
	mostCurves  = 8
)

// pictures gives those that there are of a report.
func pictures(r *live.Report) []chart.Picture {
	switch d := r.Data.(type) {
	case reports.Funnel:
		return []chart.Picture{funnelPicture(d)}
	case stats.Retention:
		return []chart.Picture{cohortPicture(d)}
	case map[lifecycle.Stage]stats.Survival:
		return stayPicture(r, d)
	case stats.Concentration:
		return lorenzPicture(d)
	case *live.RFMReport:
		return []chart.Picture{rfmPicture(d)}
	case *live.ChurnReport:
		return []chart.Picture{churnPicture(d)}
	case []live.MRRPeriod:
		return mrrPictures(d)
	case []live.Credited:
		return creditPictures(d)
	}
	return nil
}

func percentage(share float64) string { return strconv.FormatFloat(share*100, 'f', 1, 64) + " %" }

func funnelPicture(f reports.Funnel) chart.Picture {
	var bars []chart.Bar
	for _, s := range f.Steps {
		note := thousands(s.People)
		if s.FromPrevious.Known {
			note += " (" + percentage(s.FromPrevious.Value) + ")"
		}
		bars = append(bars, chart.Bar{Name: string(s.Stage), Value: float64(s.People), Note: note})
	}
	return chart.Funnel("People at each stage (percent of the stage before)", bars)
}

func cohortPicture(d stats.Retention) chart.Picture {
	cohorts := d.Cohorts[max(0, len(d.Cohorts)-mostRows):]
	columns := 0
	for _, c := range cohorts {
		columns = max(columns, min(len(c.Cells), mostColumns+1))
	}
	var names []string
	for n := 1; n < columns; n++ {
		names = append(names, "+"+strconv.Itoa(n))
	}
	var rows []chart.Row
	for _, c := range cohorts {
		row := chart.Row{Name: c.Label + " (" + thousands(c.People) + ")"}
		for n := 1; n < min(len(c.Cells), columns); n++ {
			x := c.Cells[n]
			row.Cells = append(row.Cells, chart.Cell{Heat: x.Value, Text: strconv.FormatFloat(x.Value*100, 'f', 0, 64),
				Hint: fmt.Sprintf("%s, %s later: %d of %d, %s (%s to %s)", c.Label, names[n-1], x.Hits, x.Of, percentage(x.Value), percentage(x.Low), percentage(x.High))})
		}
		rows = append(rows, row)
	}
	return chart.Heat(fmt.Sprintf("Share of each cohort that was back, in percent, by %ss since the first", d.Unit), "cohort (people)", names, rows)
}

// stayPicture draws what share of the stays in each stage still lasts.
func stayPicture(r *live.Report, d map[lifecycle.Stage]stats.Survival) []chart.Picture {
	var curves []chart.Curve
	days := func(t time.Duration) float64 { return t.Hours() / 24 }
	// The table has the stages in the order of the plan.
	for _, row := range r.Tables[0].Rows {
		s, ok := d[lifecycle.Stage(row[0])]
		if !ok || len(curves) == mostCurves {
			continue
		}
		c := chart.Curve{Name: row[0], Steps: true, Points: []chart.Point{{X: 0, Y: 1}}}
		last := 1.0
		for _, step := range s.Steps {
			c.Points, last = append(c.Points, chart.Point{X: days(step.At), Y: step.Share}), step.Share
		}
		c.Points = append(c.Points, chart.Point{X: days(s.Longest), Y: last})
		curves = append(curves, c)
	}
	if len(curves) == 0 {
		return nil
	}
	return []chart.Picture{chart.Curves("Share of stays that last longer, by days", "days in the stage", curves)}
}

func lorenzPicture(d stats.Concentration) []chart.Picture {
	if len(d.Lorenz) == 0 {
		return nil
	}
	c := chart.Curve{Name: fmt.Sprintf("customers, Gini %.2f", d.Gini)}
	for _, p := range d.Lorenz {
		c.Points = append(c.Points, chart.Point{X: p.Customers * 100, Y: p.Revenue})
	}
	even := chart.Curve{Name: "if all had the same", Plain: true, Points: []chart.Point{{X: 0, Y: 0}, {X: 100, Y: 1}}}
	return []chart.Picture{chart.Curves("Share of the revenue that the poorest part of the customers has (Lorenz)", "percent of the customers, poorest first", []chart.Curve{c, even})}
}

// rfmPicture counts customers by recency and frequency.
func rfmPicture(d *live.RFMReport) chart.Picture {
	var counts [6][6]int64
	var most int64
	for score, n := range d.Scores {
		if len(score) != 3 || score[0] < '1' || score[0] > '5' || score[1] < '1' || score[1] > '5' {
			continue
		}
		at := &counts[score[0]-'0'][score[1]-'0']
		*at += n
		most = max(most, *at)
	}
	var rows []chart.Row
	for recency := 5; recency >= 1; recency-- {
		row := chart.Row{Name: "R " + strconv.Itoa(recency)}
		for frequency := 1; frequency <= 5; frequency++ {
			n := counts[recency][frequency]
			group := stats.RFM{Recency: recency, Frequency: frequency, Monetary: 1}.Group()
			cell := chart.Cell{Text: thousands(n), Hint: fmt.Sprintf("recency %d, frequency %d (%s): %d customers", recency, frequency, strings.ReplaceAll(string(group), "_", " "), n)}
			if most > 0 {
				cell.Heat = float64(n) / float64(most)
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return chart.Heat("Customers by recency (5: lately) and frequency (5: often)", "recency", []string{"F 1", "F 2", "F 3", "F 4", "F 5"}, rows)
}

func churnPicture(d *live.ChurnReport) chart.Picture {
	var columns []chart.Stack
	for _, p := range d.Periods[max(0, len(d.Periods)-mostRows):] {
		columns = append(columns, chart.Stack{Name: p.Period, Up: []float64{float64(p.Start - p.Lost), float64(p.New), float64(p.Reactivated)}, Down: []float64{float64(p.Lost)}})
	}
	return chart.Stacks("Customers who stayed, are new, came back and were lost, by period", []string{"stayed", "new", "came back"}, []string{"lost"}, columns)
}

func mrrPictures(all []live.MRRPeriod) []chart.Picture {
	var found []chart.Picture
	for len(all) > 0 {
		currency := all[0].Currency
		end := slices.IndexFunc(all, func(p live.MRRPeriod) bool { return p.Currency != currency })
		if end < 0 {
			end = len(all)
		}
		var columns []chart.Stack
		units := func(micros int64) float64 { return float64(micros) / 1e6 }
		for _, p := range all[max(0, end-mostRows):end] {
			columns = append(columns, chart.Stack{Name: p.Period, Up: []float64{units(p.Start - p.Churn - p.Contraction), units(p.New), units(p.Expansion), units(p.Reactivation)},
				Down: []float64{units(p.Contraction), units(p.Churn)}})
		}
		found = append(found, chart.Stacks("Monthly recurring revenue by what became of it, "+currency, []string{"kept", "new", "expansion", "reactivation"}, []string{"contraction", "churn"}, columns))
		all = all[end:]
	}
	return found
}

// creditPictures draws for conversions, and for revenue by currency, what each
// model owes to the touches with most.
func creditPictures(all []live.Credited) []chart.Picture {
	byCurrency := map[string][]live.Credited{}
	for _, l := range all {
		byCurrency[l.Currency] = append(byCurrency[l.Currency], l)
	}
	models := []stats.Model{stats.FirstTouch, stats.LastTouch, stats.LastNonDirect, stats.Linear, stats.TimeDecay, stats.UShaped, stats.WShaped}
	var keys []string
	for _, m := range models {
		keys = append(keys, strings.ReplaceAll(string(m), "_", " "))
	}
	var found []chart.Picture
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		lines := byCurrency[currency]
		slices.SortStableFunc(lines, func(a, b live.Credited) int { return cmp.Compare(b.Credit[stats.Linear], a.Credit[stats.Linear]) })
		title, unit := "Conversions owed to each touch, by model", float64(stats.Whole)
		if currency != "" {
			title, unit = "Revenue owed to each touch, by model, "+currency, 1e6
		}
		var groups []chart.Group
		for _, l := range lines[:min(len(lines), mostGroups)] {
			g := chart.Group{Name: l.Touch}
			for _, m := range models {
				v := float64(l.Credit[m]) / unit
				g.Values, g.Notes = append(g.Values, v), append(g.Notes, strconv.FormatFloat(v, 'f', 2, 64))
			}
			groups = append(groups, g)
		}
		found = append(found, chart.Groups(title, keys, groups))
	}
	return found
}
