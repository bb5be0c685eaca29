package live

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stagebridge/stagebridge/reports/stats"
)

func TestParseSettings(t *testing.T) {
	t.Parallel()
	o := options(t, "rates:usd=0.92,GBP=1.17 currency:eur won:Deal:Won,Order:Completed by:campaign start:lead group:won lookback:30 halflife:14 hours:9-17 spend:12000.50 margin:0.8 discount:0.1 counting:entered score:50")
	if o.Rates["USD"].Cmp(big.NewRat(92, 100)) != 0 || len(o.Rates) != 2 || o.Currency != "EUR" {
		t.Errorf("rates: %v", o.Rates)
	}
	if len(o.Won) != 2 || o.By != ByCampaign || o.Start != FromLead || o.Group != GroupWon || o.Counting != "entered" {
		t.Errorf("%+v", o.Settings)
	}
	if o.Lookback != 30*day24 || o.HalfLife != 14*day24 || o.Hours != (stats.Open{From: 9 * time.Hour, To: 17 * time.Hour}) {
		t.Errorf("%+v", o.Settings)
	}
	if o.Spend != 12_000_500_000 || o.Margin != 0.8 || o.Discount != 0.1 || o.Score != 50 {
		t.Errorf("%+v", o.Settings)
	}
}

func TestParseSettingsRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ field, value, want string }{
		{"rates", "USD=0.9", "need a currency"},
		{"rates", "USD=0.9;EUR=1", "want pairs"}, {"rates", "USD=1e9", "want pairs"}, {"rates", "USD=-1", "want pairs"}, {"rates", "USD=0", "want pairs"},
		{"rates", "USD", "want pairs"}, {"rates", "US=1", "want pairs"}, {"rates", "USD=1,usd=2", "twice"}, {"rates", "USD=1/3", "want pairs"},
		{"rates", "USD=" + strings.Repeat("9", 30), "want pairs"}, {"rates", strings.Repeat("USD=1,", 300), "at most 200"},
		{"by", "colour", "want source"}, {"start", "end", "want opportunity"}, {"basis", "faith", "want subscription"}, {"basis", "stage", "want the stages"},
		{"group", "all", "want top"}, {"counting", "twice", "want reached"},
		{"lookback", "0", "from 1"}, {"halflife", "x", "from 1"}, {"margin", "1.1", "from 0 to 1"}, {"margin", "NaN", "from 0 to 1"}, {"discount", "-1", "from 0"}, {"score", "high", "a number"},
		{"hours", "17-9", "want hours"}, {"hours", "9-25", "want hours"}, {"hours", "9", "want hours"}, {"hours", "9-17x", "want hours"}, {"hours", "09-17", "want hours"},
		{"spend", "-5", "an amount"}, {"spend", "1e12", "an amount"}, {"spend", "99999999999999", "an amount"}, {"spend", ".", "an amount"},
	} {
		_, err := ParseOptions(func(name string) string {
			switch {
			case name == tt.field:
				return tt.value
			case name == "currency" && tt.want != "need a currency":
				return "EUR"
			}
			return ""
		})
		var wrong *FieldError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%q: %v, want %q", tt.field, tt.value, err, tt.want)
		}
	}
}

// Days, weeks and months that are over, by the clocks of a place.
func TestCalendar(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options, first, last string
		n                    int
	}{
		{"now:2026-03-15", "2025-03", "2026-02", 12},
		{"from:2026-01-01 to:2026-04-01", "2026-01", "2026-03", 3},
		{"from:2026-01-02 to:2026-03-31", "2026-02", "2026-02", 1},
		{"unit:day from:2026-03-28 to:2026-03-31 zone:Europe/Berlin", "2026-03-28", "2026-03-30", 3},
		{"unit:week from:2026-01-05 to:2026-01-19", "2026-W02", "2026-W03", 2},
		{"unit:day from:2020-01-01", "2025-11-27", "2026-12-31", 400},
	} {
		o := options(t, tt.options)
		o.fill()
		c := newCalendar(&o, o.Unit)
		if c.len() != tt.n || c.label(0) != tt.first || c.label(c.len()-1) != tt.last {
			t.Errorf("%s: %d from %s to %s", tt.options, c.len(), c.label(0), c.label(c.len()-1))
		}
		for i := range c.len() {
			if c.index(c.start(i)) != i || c.index(c.end(i)-1) != i {
				t.Errorf("%s: the edges of %s are not in it", tt.options, c.label(i))
			}
		}
		if c.index(c.start(0)-1) != -1 || c.index(c.end(c.len()-1)) != -1 {
			t.Errorf("%s: what is outside is inside", tt.options)
		}
	}
}
