package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagebridge/stagebridge/jobs"
	"github.com/stagebridge/stagebridge/jobs/observe"
)

// shown is every metric of ours with its kind and labels, as /metrics gives them
// after a little of everything.
func shown(t *testing.T) map[string]string {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, err := observe.New(registry, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	m.Request("crm", 200, 1, time.Second)
	m.Kept("crm", 1)
	m.Processed(map[observe.Row]int{{Connection: "crm", Status: "done"}: 1}, time.Second)
	m.Pushed("crm", "ok", "")
	m.Called("crm", time.Second)
	m.Waited("crm", time.Second)
	m.Committed("ingest", time.Second)
	m.Notified("ops", "failing", "sent")
	all := map[string]string{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "stagebridge_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		all[f.GetName()] = strings.ToLower(f.GetType().String()) + " " + strings.Join(labels, ", ")
	}
	// A look's metrics depend on what is there, so they are read from what is
	// described; a name tells the kind.
	described := regexp.MustCompile(`fqName: "([a-z_]+)".*variableLabels: \{([a-z,]*)\}`)
	ch := make(chan *prometheus.Desc, 100)
	jobs.NewWatch(jobs.WatchOptions{}).Collector().Describe(ch)
	close(ch)
	for d := range ch {
		found := described.FindStringSubmatch(d.String())
		if found == nil {
			t.Fatalf("not understood: %s", d)
		}
		kind := "gauge"
		if strings.HasSuffix(found[1], "_total") {
			kind = "counter"
		}
		all[found[1]] = kind + " " + strings.ReplaceAll(found[2], ",", ", ")
	}
	return all
}

// TestMetricsAreDocumented compares the table with what there is.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/observing.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(stagebridge_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, ]*) ?\\|").FindAllStringSubmatch(string(page), -1) {
		labels := strings.FieldsFunc(row[3], func(r rune) bool { return r == ',' || r == ' ' })
		slices.Sort(labels)
		listed[row[1]] = row[2] + " " + strings.Join(labels, ", ")
	}
	all := shown(t)
	for name, is := range all {
		kind, labels, _ := strings.Cut(is, " ")
		sorted := strings.FieldsFunc(labels, func(r rune) bool { return r == ',' || r == ' ' })
		slices.Sort(sorted)
		if want := kind + " " + strings.Join(sorted, ", "); listed[name] != want {
			t.Errorf("%s is %q, the table says %q", name, want, listed[name])
		}
	}
	for name := range listed {
		if all[name] == "" {
			t.Errorf("%s is in the table, but nothing gives it", name)
		}
	}
}

var metricName = regexp.MustCompile(`\b(?:stagebridge|go|process)_[a-z_]+\b`)

// unknownMetrics are the metrics of a query that do not exist.
func unknownMetrics(all map[string]string, query string) []string {
	var wrong []string
	for _, name := range metricName.FindAllString(query, -1) {
		base := name
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			if cut, ok := strings.CutSuffix(name, part); ok && strings.HasPrefix(all[cut], "histogram") {
				base = cut
			}
		}
		if _, ok := all[base]; !ok && !slices.Contains([]string{"go_goroutines", "process_resident_memory_bytes"}, base) {
			wrong = append(wrong, name)
		}
	}
	return wrong
}

// TestAlertsExist: every alert says what to do, and asks for metrics there are.
func TestAlertsExist(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(body, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	all, seen := shown(t), map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || seen[r.Alert] || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%q is not complete or there twice", r.Alert)
			}
			seen[r.Alert] = true
			if _, err := time.ParseDuration(r.For); err != nil {
				t.Errorf("%s: for: %v", r.Alert, err)
			}
			if wrong := unknownMetrics(all, r.Expr+" "+r.Annotations["description"]); wrong != nil || !metricName.MatchString(r.Expr) {
				t.Errorf("%s asks for %v, which does not exist: %s", r.Alert, wrong, r.Expr)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d alerts were found", len(seen))
	}
}

// TestDashboard: every panel asks for metrics there are, and stands by itself.
func TestDashboard(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("../../deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	all, taken := shown(t), map[[2]int]string{}
	asked := map[string]bool{}
	for _, p := range d.Panels {
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" && taken[at] != p.Title {
					t.Fatalf("%q stands upon %q", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			if wrong := unknownMetrics(all, target.Expr); wrong != nil || !metricName.MatchString(target.Expr) {
				t.Errorf("%q asks for %v, which does not exist: %s", p.Title, wrong, target.Expr)
			}
			for _, name := range metricName.FindAllString(target.Expr, -1) {
				asked[name] = true
			}
		}
	}
	if len(asked) < 25 {
		t.Errorf("only %v are shown", slices.Sorted(maps.Keys(asked)))
	}
}

// TestAlertsInPromtool runs Prometheus' own check where it is installed.
func TestAlertsInPromtool(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed; TestAlertsExist has read the rules")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		c := exec.CommandContext(t.Context(), promtool, args...)
		c.Dir = filepath.FromSlash("../../deploy/prometheus")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
