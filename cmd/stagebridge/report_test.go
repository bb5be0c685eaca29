package main

import (
	"encoding/json"
	"fmt"
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
	env := settings(t, nil)
	importedInto(t, env, file, rows, flags...)
	return env
}

// importedInto is imported with settings that are there already.
func importedInto(t *testing.T, env map[string]string, file string, rows int, flags ...string) {
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
	for _, args := range [][]string{{"apply", filepath.Join(dir, "ws")}, append(append([]string{"import"}, flags...), "-time-column", "day", "-type", "order", "shop", file)} {
		if r := stagebridge(t, env, args...); r.code != exitOK {
			t.Fatalf("%v: %+v", args, r)
		}
	}
	s := serve(t, env)
	within(t, "all rows to be processed", func() bool { return s.stats().Done == rows })
	s.stop()
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
