package clv_test

import (
	"cmp"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports/clv"
	"github.com/stagebridge/stagebridge/store/storetest"
)

// near fails unless got is want, give or take tolerance.
func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.7g, want %.7g ± %g", name, got, want, tolerance)
	}
}

// published are the parameters of BG/NBD that Fader, Hardie and Lee print.
func published() clv.BGNBD { return clv.BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426} }

// publishedSpend are the parameters of Gamma-Gamma of Fader and Hardie's note.
func publishedSpend() clv.GammaGamma { return clv.GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44} }

// dataFile opens a file of the folder named by STAGEBRIDGE_TEST_DATA, and skips
// the test where there is none.
func dataFile(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(storetest.DataFolder(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// summary is one line of cdnow_summary.csv.
type summary struct {
	history clv.History
	mean    float64
}

func summaries(t *testing.T) []summary {
	t.Helper()
	lines, err := csv.NewReader(dataFile(t, "cdnow/cdnow_summary.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []summary
	for _, l := range lines[1:] {
		all = append(all, summary{
			clv.History{Repeats: int64(number(t, l[1])), Last: number(t, l[2]), Age: number(t, l[3])},
			number(t, l[4]),
		})
	}
	if len(all) != 2357 {
		t.Fatalf("%d customers, want 2357", len(all))
	}
	return all
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// purchases reads CDNOW_sample.txt, by customer.
func purchases(t *testing.T) [][]clv.Purchase {
	t.Helper()
	raw, err := os.ReadFile(dataFile(t, "cdnow/CDNOW_sample.txt").Name())
	if err != nil {
		t.Fatal(err)
	}
	var all [][]clv.Purchase
	last := ""
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) != 5 {
			t.Fatalf("line %q", line)
		}
		day, err := time.Parse("20060102", f[2])
		if err != nil {
			t.Fatal(err)
		}
		if f[1] != last {
			last, all = f[1], append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], clv.Purchase{
			At: lifecycle.At(day), Micros: int64(math.Round(number(t, f[4]) * 1e6)),
		})
	}
	return all
}

func observed(t *testing.T) []clv.Observed {
	t.Helper()
	until := lifecycle.At(time.Date(1997, 10, 1, 0, 0, 0, 0, time.UTC))
	var all []clv.Observed
	for i, p := range purchases(t) {
		o, ok := clv.Observe(p, until, time.UTC)
		if !ok {
			t.Fatalf("customer %d has no purchase", i+1)
		}
		all = append(all, o)
	}
	return all
}

func TestCDNOWObserved(t *testing.T) {
	t.Parallel()
	want, got := summaries(t), observed(t)
	if len(got) != len(want) {
		t.Fatalf("%d customers, want %d", len(got), len(want))
	}
	// A hair above the half, since sums of cents are not exact in binary.
	cents := func(v float64) float64 { return math.Round(v*100+1e-9) / 100 }
	repeats := int64(0)
	for i, w := range want {
		h := got[i].History
		repeats += h.Repeats
		if h.Repeats != w.history.Repeats || cents(h.Last) != w.history.Last || cents(h.Age) != w.history.Age {
			t.Errorf("customer %d: (%d, %.2f, %.2f), want %+v", i+1, h.Repeats, h.Last, h.Age, w.history)
		}
		if math.Abs(got[i].Mean-w.mean) > 0.0051 {
			t.Errorf("customer %d: mean %.4f, want %.2f", i+1, got[i].Mean, w.mean)
		}
	}
	if repeats != 2457 {
		t.Errorf("%d repeats, want 2457", repeats)
	}
}

func TestCDNOWBGNBD(t *testing.T) {
	t.Parallel()
	var all []clv.History
	for _, s := range summaries(t) {
		all = append(all, s.history)
	}
	m, fit, err := clv.FitBGNBD(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("r %.6f α %.6f a %.6f b %.6f, log-likelihood %.4f", m.R, m.Alpha, m.A, m.B, fit.LogLikelihood)
	near(t, "r", m.R, 0.243, 0.0005)
	near(t, "α", m.Alpha, 4.414, 0.0005)
	near(t, "a", m.A, 0.793, 0.0005)
	near(t, "b", m.B, 2.426, 0.0005)
	near(t, "log-likelihood", fit.LogLikelihood, -9582.4256, 0.0001)
	if fit.AtEdge || fit.Customers != 2357 {
		t.Errorf("fit is %+v", fit)
	}
	rounded, err := published().LogLikelihood(all)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log-likelihood at the published parameters", rounded, -9582.4268, 0.0001)
	for horizon, want := range map[float64]float64{0.1429: 0.0078, 1: 0.0532, 3: 0.1506, 31.8571: 1.0405, 32: 1.0437, 78: 1.8576} {
		got, err := m.Expected(horizon)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "expected purchases", got, want, 0.001)
	}
}

// TestCDNOWHoldout compares with what the customers did later, at the
// published parameters.
func TestCDNOWHoldout(t *testing.T) {
	t.Parallel()
	m := published()
	var all []clv.History
	for _, s := range summaries(t) {
		all = append(all, s.history)
	}
	var total float64
	var counts [8]float64
	for _, h := range all {
		y, err := m.ExpectedOf(h, 39)
		if err != nil {
			t.Fatal(err)
		}
		total += y
		share := 1.0
		for n := range int64(7) {
			p := m.Probability(n, h.Age)
			counts[n] += p
			share -= p
		}
		counts[7] += share
	}
	near(t, "expected purchases in the holdout", total, 1653.9, 0.1)
	for n, want := range []float64{1406.5, 460.8, 192.7, 101.3, 59.9, 38.2, 25.6, 72.0} {
		near(t, "customers with "+strconv.Itoa(n)+" repeats", counts[n], want, 0.06)
	}
}

// TestCDNOWCumulative follows the expected repeats of everybody, with ages in
// whole days, at the published parameters.
func TestCDNOWCumulative(t *testing.T) {
	t.Parallel()
	m := published()
	for later, want := range map[float64]float64{0: 2497.6, 39: 4166.4} {
		var total float64
		for _, o := range observed(t) {
			x, err := m.Expected(o.History.Age + later)
			if err != nil {
				t.Fatal(err)
			}
			total += x
		}
		near(t, "cumulative repeats", total, want, 0.1)
	}
}

func TestCDNOWGammaGamma(t *testing.T) {
	t.Parallel()
	var spends []clv.Spend
	var observed []clv.Observed
	var meanZ float64
	for _, s := range summaries(t) {
		o := clv.Observed{History: s.history, Mean: s.mean}
		observed = append(observed, o)
		meanZ += s.mean / 946
	}
	spends = clv.Spends(observed)
	m, fit, err := clv.FitGammaGamma(t.Context(), spends)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("p %.6f q %.6f γ %.6f, log-likelihood %.4f", m.P, m.Q, m.Gamma, fit.LogLikelihood)
	near(t, "p", m.P, 6.248805, 0.0005)
	near(t, "q", m.Q, 3.744588, 0.0005)
	near(t, "γ", m.Gamma, 15.447740, 0.002)
	near(t, "log-likelihood", fit.LogLikelihood, -4055.923, 0.001)
	near(t, "customers", float64(fit.Customers), 946, 0)
	near(t, "mean value", meanZ, 35.0786, 0.0001)
	for i, want := range []float64{24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17} {
		got, err := m.Mean(observed[i].History.Repeats, observed[i].Mean)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "expected value of customer "+strconv.Itoa(i+1), got, want, 0.01)
	}
	a := clv.Assess(observed, 0)
	near(t, "correlation", a.Correlation, 0.11, 0.005)
	if a.Refused() || a.Customers != 2357 || a.Repeaters != 946 {
		t.Errorf("assessed as %+v", a)
	}
}

// TestCDNOWRegular holds real purchases against the warning of regular ones.
func TestCDNOWRegular(t *testing.T) {
	t.Parallel()
	a := clv.Assess(observed(t), 0)
	if a.Judged == 0 || a.Regular*10 > a.Judged {
		t.Errorf("%d of %d customers buy regularly", a.Regular, a.Judged)
	}
	for _, w := range a.Warnings {
		if w.Code != clv.OnceOnly {
			t.Errorf("warned of %s", cmp.Or(w.Text, string(w.Code)))
		}
	}
}

// TestCDNOWFromOrders fits what was read from the orders, whose times are not
// rounded; that moves the parameters by less than the published digits tell.
func TestCDNOWFromOrders(t *testing.T) {
	t.Parallel()
	m, fit, err := clv.FitBGNBD(t.Context(), clv.Histories(observed(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("r %.6f α %.6f a %.6f b %.6f, log-likelihood %.4f", m.R, m.Alpha, m.A, m.B, fit.LogLikelihood)
	near(t, "r", m.R, 0.243, 0.0005)
	near(t, "α", m.Alpha, 4.414, 0.001)
	near(t, "a", m.A, 0.793, 0.001)
	near(t, "b", m.B, 2.426, 0.002)
	spend, _, err := clv.FitGammaGamma(t.Context(), clv.Spends(observed(t)))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "p", spend.P, 6.25, 0.01)
	near(t, "q", spend.Q, 3.74, 0.01)
	near(t, "γ", spend.Gamma, 15.44, 0.03)
}

// TestCDNOWActual counts what really happened, in the calibration and after it.
func TestCDNOWActual(t *testing.T) {
	t.Parallel()
	end := lifecycle.At(time.Date(1998, 7, 1, 0, 0, 0, 0, time.UTC))
	calibration := observed(t)
	var people, later [8]float64
	var days int64
	for i, p := range purchases(t) {
		all, ok := clv.Observe(p, end, time.UTC)
		if !ok {
			t.Fatalf("customer %d has no purchase", i+1)
		}
		days += all.History.Repeats + 1
		x := min(7, calibration[i].History.Repeats)
		people[x]++
		later[x] += float64(all.History.Repeats - calibration[i].History.Repeats)
	}
	if want := [8]float64{1411, 439, 214, 100, 62, 38, 29, 64}; people != want {
		t.Errorf("customers by repeats %v, want %v", people, want)
	}
	var total float64
	for x, want := range []float64{0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359} {
		total += later[x]
		near(t, "purchases in the holdout after "+strconv.Itoa(x), later[x]/people[x], want, 0.0005)
	}
	if total != 1882 || days != 6696 {
		t.Errorf("%v purchases in the holdout and %d days in all, want 1882 and 6696", total, days)
	}
}
