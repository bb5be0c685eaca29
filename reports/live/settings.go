package live

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagebridge/stagebridge/lifecycle"
	"github.com/stagebridge/stagebridge/reports"
	"github.com/stagebridge/stagebridge/reports/stats"
)

// Settings are the options that only some reports read. Their zero values, as
// the comments say, are what is meant when nothing is said.
type Settings struct {
	// Rates turn amounts into Options.Currency. Nil: amounts of other
	// currencies stay apart.
	Rates map[string]*big.Rat
	// Won are the events that end a sale, and that a touch is credited with;
	// empty: see each report.
	Won []lifecycle.EventName
	// Touches are the events that count as touches; empty: Campaign:Touched.
	Touches []lifecycle.EventName
	// By says what names a touch; empty: BySource. For the funnel it is a
	// stats.Unit instead, and asks for a funnel for each period.
	By TouchName
	// Start says where a sales cycle begins; empty: FromOpportunity.
	Start CycleStart
	// Basis says who is a customer; empty: the subscriptions where there are
	// any, else the purchases.
	Basis Basis
	// Stages are those whose people are customers, for the basis of stages.
	Stages []lifecycle.Stage
	// Stage is the one that a move leads to; empty: each of the path.
	Stage lifecycle.Stage
	// Group says who is compared with the rest; empty: GroupTop.
	Group Group
	// Lookback is how long before a conversion, or a move, something still
	// counts; zero: see each report.
	Lookback time.Duration
	// HalfLife is that of attribution by time; zero: seven days.
	HalfLife time.Duration
	// Score is the lead score from which on a person is a lead; zero: a lead is
	// who was captured as one.
	Score float64
	// Hours are the business hours that a wait is counted in, the same from
	// Monday to Friday; zero: every hour counts.
	Hours stats.Open
	// Spend is what winning customers cost in the period, in micros of the
	// currency; zero: not known.
	Spend int64
	// Margin is the share of the revenue that is left after its direct costs;
	// zero: all of it, and said so.
	Margin float64
	// Discount is that of money a year later, as a share.
	Discount float64
	// Counting says whom a funnel counts; empty: reports.Reached.
	Counting reports.Counting

	// chosen are Options.Events as they were given, before the default.
	chosen []lifecycle.EventName
}

// TouchName says which fact of a touch is its name.
type TouchName string

// The names there are.
const (
	BySource     TouchName = "source"
	ByMedium     TouchName = "medium"
	ByCampaign   TouchName = "campaign"
	ByContent    TouchName = "content"
	ByConnection TouchName = "connection"
	ByEvent      TouchName = "event"
)

// CycleStart says where a sales cycle begins.
type CycleStart string

// The beginnings there are.
const (
	FromOpportunity CycleStart = "opportunity" // Deal:Created of the same deal
	FromLead        CycleStart = "lead"        // the person's first Lead:Created
	FromFirstTouch  CycleStart = "first_touch" // the person's first event of any kind
)

// Basis says what makes a customer.
type Basis string

// What makes one.
const (
	BasisSubscription Basis = "subscription" // a subscription that runs
	BasisPurchase     Basis = "purchase"     // a purchase within the window
	BasisStage        Basis = "stage"        // a stage
)

// Group says who is compared with the rest.
type Group string

// The groups there are.
const (
	GroupTop Group = "top" // the top 20 % by revenue, with the other customers
	GroupWon Group = "won" // who won, with who lost
)

// parse reads the settings; see ParseOptions.
func (s *Settings) parse(get func(name string) string) error {
	var err error
	if s.Rates, err = parseRates(get("rates"), get("currency")); err != nil {
		return err
	}
	s.Won, s.Touches = names[lifecycle.EventName](get("won")), names[lifecycle.EventName](get("touches"))
	s.Stages, s.Stage = names[lifecycle.Stage](get("stages")), lifecycle.Stage(get("stage"))
	if s.By, err = oneOf("by", get("by"), BySource, ByMedium, ByCampaign, ByContent, ByConnection, ByEvent, TouchName(stats.Day), TouchName(stats.Week), TouchName(stats.Month)); err != nil {
		return err
	}
	if s.Start, err = oneOf("start", get("start"), FromOpportunity, FromLead, FromFirstTouch); err != nil {
		return err
	}
	if s.Basis, err = oneOf("basis", get("basis"), "", BasisSubscription, BasisPurchase, BasisStage); err != nil {
		return err
	}
	if s.Basis == BasisStage && len(s.Stages) == 0 {
		return &FieldError{"stages", "is empty, want the stages whose people are customers"}
	}
	if s.Counting, err = oneOf("counting", get("counting"), reports.Reached, reports.Entered); err != nil {
		return err
	}
	if s.Group, err = oneOf("group", get("group"), GroupTop, GroupWon); err != nil {
		return err
	}
	for _, d := range []struct {
		name string
		to   *time.Duration
	}{{"lookback", &s.Lookback}, {"halflife", &s.HalfLife}} {
		n, err := whole(d.name, get(d.name), 0, 1, 3650)
		if err != nil {
			return err
		}
		*d.to = time.Duration(n) * day24
	}
	return s.parseNumbers(get)
}

// day24 is a day as a length of time, whatever clocks do.
const day24 = 24 * time.Hour

func (s *Settings) parseNumbers(get func(name string) string) error {
	for _, f := range []struct {
		name        string
		to          *float64
		least, most float64
	}{{"score", &s.Score, 0, 1e9}, {"margin", &s.Margin, 0, 1}, {"discount", &s.Discount, 0, 10}} {
		text := get(f.name)
		if text == "" {
			continue
		}
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= f.least && x <= f.most) {
			return &FieldError{f.name, fmt.Sprintf("is %q, want a number from %g to %g", text, f.least, f.most)}
		}
		*f.to = x
	}
	if text := get("spend"); text != "" {
		x, ok := decimal(text)
		if !ok || x.Cmp(big.NewRat(1e12, 1)) > 0 {
			return &FieldError{"spend", fmt.Sprintf("is %q, want an amount such as 12000.50", text)}
		}
		x.Mul(x, big.NewRat(1e6, 1))
		s.Spend = new(big.Int).Quo(x.Num(), x.Denom()).Int64()
	}
	if text := get("hours"); text != "" {
		var from, to int
		if n, err := fmt.Sscanf(text, "%d-%d", &from, &to); n != 2 || err != nil || from < 0 || to <= from || to > 24 || text != fmt.Sprintf("%d-%d", from, to) {
			return &FieldError{"hours", fmt.Sprintf("is %q, want hours such as 9-17", text)}
		}
		s.Hours = stats.Open{From: time.Duration(from) * time.Hour, To: time.Duration(to) * time.Hour}
	}
	return nil
}

const (
	// maxRates and maxDecimal bound a table of rates and one number in it.
	maxRates   = 200
	maxDecimal = 24
)

// parseRates reads "USD=0.92,GBP=1.17": how many units of the currency asked
// for one unit of each is.
func parseRates(text, to string) (map[string]*big.Rat, error) {
	if text == "" {
		return nil, nil
	}
	if !isCurrency(strings.ToUpper(to)) {
		return nil, &FieldError{"rates", "need a currency to turn amounts into: give currency as well"}
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxRates {
		return nil, &FieldError{"rates", fmt.Sprintf("are %d, at most %d", len(parts), maxRates)}
	}
	rates := make(map[string]*big.Rat, len(parts))
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		name, value = strings.ToUpper(strings.TrimSpace(name)), strings.TrimSpace(value)
		rate, ok := decimal(value)
		if !isCurrency(name) || !ok || rate.Sign() == 0 {
			return nil, &FieldError{"rates", fmt.Sprintf("have %q, want pairs such as USD=0.92", part)}
		}
		if _, twice := rates[name]; twice {
			return nil, &FieldError{"rates", fmt.Sprintf("have %s twice", name)}
		}
		rates[name] = rate
	}
	return rates, nil
}

// decimal reads a number without a sign and an exponent.
func decimal(text string) (*big.Rat, bool) {
	if len(text) > maxDecimal || strings.Trim(text, "0123456789.") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

func isCurrency(name string) bool {
	return len(name) == 3 && !strings.ContainsFunc(name, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// oneOf reads a word of a closed list, of which the first is the default.
func oneOf[T ~string](field, text string, allowed ...T) (T, error) {
	if text == "" {
		return allowed[0], nil
	}
	if slices.Contains(allowed, T(text)) {
		return T(text), nil
	}
	list := make([]string, 0, len(allowed))
	for _, a := range allowed {
		if a != "" {
			list = append(list, string(a))
		}
	}
	return "", &FieldError{field, fmt.Sprintf("is %q, want %s", text, strings.Join(list, ", "))}
}

// names reads names with commas between them; nil for an empty text.
func names[T ~string](text string) []T {
	if text == "" {
		return nil
	}
	var all []T
	for name := range strings.SplitSeq(text, ",") {
		all = append(all, T(strings.TrimSpace(name)))
	}
	return all
}
