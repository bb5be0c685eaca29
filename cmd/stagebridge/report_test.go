package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebridge/stagebridge/reports/live"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// imported makes an installation, imports a file of orders into it and lets a
// server process it. It gives the environment.
func imported(t *testing.T, file string, rows int, flags ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"connections/shop.yaml": "id: shop\nconnector: generic-webhook\nsecrets: { signing_secret: whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= }\n",
		"rules/shop.yaml":       importRules,
	} {
		path := filepath.Join(dir, "ws", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := settings(t, nil)
	for _, args := range [][]string{{"apply", filepath.Join(dir, "ws")}, append(append([]string{"import"}, flags...), "-time-column", "day", "-type", "order", "shop", file)} {
		if r := stagebridge(t, env, args...); r.code != exitOK {
			t.Fatalf("%v: %+v", args, r)
		}
	}
	s := serve(t, env)
	within(t, "all rows to be processed", func() bool { return s.stats().Done == rows })
	s.stop()
	return env
}

// ask runs a report and reads its JSON; data is filled from the report's own.
func ask(t *testing.T, env map[string]string, data any, args ...string) *live.Report {
	t.Helper()
	r := stagebridge(t, env, append([]string{"report", "-format", "json"}, args...)...)
	got := live.Report{Data: data}
	if err := json.Unmarshal([]byte(r.stdout), &got); r.code != exitOK || err != nil {
		t.Fatalf("report %v: %v: %+v", args, err, r)
	}
	return &got
}

func TestReports(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "orders.csv")
	text := "id,day,usd\n"
	for i := range 40 {
		for n := range 1 + i%4 {
			text += fmt.Sprintf("u%d,2025-0%d-1%d,%d.50\n", i, 1+n, i%9, 10+i)
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := imported(t, file, 100)
	for _, info := range live.Reports() {
		if r := ask(t, env, nil, "-to", "2025-07-01", info.Name); r.People != 40 || r.Definition == "" || len(r.Tables) == 0 {
			t.Errorf("%s: %+v", info.Name, r)
		}
	}
	var cohorts stats.Retention
	ask(t, env, &cohorts, "-to", "2025-07-01", "cohorts")
	if len(cohorts.Cohorts) != 1 || cohorts.Cohorts[0].Cells[1].Hits != 30 || cohorts.Cohorts[0].Cells[3].Hits != 10 {
		t.Errorf("cohorts: %+v", cohorts)
	}
	if r := ask(t, env, nil, "clv"); !strings.Contains(strings.Join(r.Notes, "\n"), "averages are shown instead") {
		t.Errorf("clv of few people: %v", r.Notes)
	}
	if r := stagebridge(t, env, "report", "-format", "csv", "funnel"); r.code != exitOK || !strings.HasPrefix(r.stdout, "Stage,Reached,") || !strings.Contains(r.stdout, "\nCustomer,40,") || !strings.Contains(r.stdout, "\nRetained Customer,30,") {
		t.Errorf("csv: %+v", r)
	}
	for _, tt := range []struct{ want, flag, value string }{
		{"-format", "-format", "xml"}, {"-from", "-from", "January"}, {"-zone", "-zone", "Nowhere/City"}, {"-unit", "-unit", "year"}, {"-kind", "-kind", "odd"}, {"no such report", "-format", "json"},
	} {
		if r := stagebridge(t, env, "report", tt.flag, tt.value, "funel"); r.code != exitError || !strings.Contains(r.stderr, tt.want) {
			t.Errorf("%s: %+v", tt.want, r)
		}
	}
	if r := stagebridge(t, env, "report"); r.code != exitOK || !strings.Contains(r.stdout, "concentration") {
		t.Errorf("the list: %+v", r)
	}
}

// TestReportsOnCDNOW imports the raw file of the published sample and finds the
// published figures. STAGEBRIDGE_TEST_DATA names the folder that has it.
func TestReportsOnCDNOW(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("STAGEBRIDGE_TEST_DATA")
	if folder == "" {
		t.Skip("STAGEBRIDGE_TEST_DATA is not set")
	}
	raw, err := os.ReadFile(filepath.Join(folder, "cdnow", "CDNOW_sample.txt"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sample.txt")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	env := imported(t, file, 6919, "-separator", "space", "-columns", "master,id,day,cds,usd")

	var value live.CLV
	ask(t, env, &value, "-to", "1997-10-01", "clv")
	near := func(name string, got, want, by float64) {
		t.Helper()
		if math.Abs(got-want) > by {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	// Fader, Hardie and Lee (2005), table 2, and their note 025 on spend.
	if value.Purchases == nil || value.Fit == nil || value.Spend == nil {
		t.Fatalf("nothing was fitted: %+v", value.Assessment)
	}
	near("r", value.Purchases.R, 0.243, 0.0005)
	near("alpha", value.Purchases.Alpha, 4.414, 0.0005)
	near("a", value.Purchases.A, 0.793, 0.0005)
	near("b", value.Purchases.B, 2.426, 0.0005)
	near("log-likelihood", value.Fit.LogLikelihood, -9582.43, 0.01)
	near("p", value.Spend.P, 6.25, 0.005)
	near("q", value.Spend.Q, 3.74, 0.005)
	near("gamma", value.Spend.Gamma, 15.44, 0.01)
	checkSummary(t, filepath.Join(folder, "cdnow", "cdnow_summary.csv"), value.Customers)

	var revenue stats.Concentration
	ask(t, env, &revenue, "concentration")
	near("revenue", float64(revenue.Total)/1e6, 244091.94, 0.001)
	near("top 20 %", revenue.TopShare, 0.6746, 0.00005)
	var cohorts stats.Retention
	ask(t, env, &cohorts, "-to", "1998-07-01", "cohorts")
	for n, want := range []int64{781, 124, 95, 70, 65, 77, 65} {
		if got := cohorts.Cohorts[0].Cells[n].Hits; got != want {
			t.Errorf("January's cohort in month %d: %d, want %d", n, got, want)
		}
	}
}

// checkSummary compares x, t_x and T of everybody with the published summary,
// which has them with two decimals; people are numbered alike in order.
func checkSummary(t *testing.T, path string, customers []live.Customer) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	count := func(of map[string]int, x float64, last, age float64) {
		of[fmt.Sprintf("%.0f %.2f %.2f", x, last, age)]++
	}
	want, got := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		var id, x, last, age, z float64
		if n, _ := fmt.Sscanf(strings.ReplaceAll(strings.TrimSpace(line), ",", " "), "%g %g %g %g %g", &id, &x, &last, &age, &z); n == 5 {
			count(want, x, last, age)
		}
	}
	for _, c := range customers {
		count(got, float64(c.Repeats), c.Last, c.Age)
	}
	if len(customers) != 2357 {
		t.Errorf("%d customers, want 2357", len(customers))
	}
	different := 0
	for key, n := range want {
		if got[key] != n {
			different++
		}
	}
	if different > 0 || len(got) != len(want) {
		t.Errorf("%d of %d histories differ from the published summary", different, len(want))
	}
}
